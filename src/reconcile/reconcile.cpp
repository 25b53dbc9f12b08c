#include "nftlink/reconcile/reconcile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <span>
#include <thread>

#include "nftlink/firewall/firewall.hpp"

namespace nftlink::reconcile {

namespace {

// How often a change is planned anew because another program changed the ruleset meanwhile.
constexpr int max_attempts = 20;

bool must_retry(const kernel::Refusal& refusal) {
    return refusal.reason == kernel::Refusal::Reason::stale || refusal.reason == kernel::Refusal::Reason::unknown;
}

nft::Ruleset read(kernel::Kernel& kernel, const firewall::Wanted& want) {
    return kernel.snapshot([&](const nft::Table& table, const nft::Ruleset& listing) {
        return firewall::is_relevant(table, listing, want);
    });
}

bool is_empty(const nft::Table& table) {
    return table.chains.empty() && table.sets.empty() && table.other_object_count == 0;
}

// Somebody else's table under the wanted name; an empty one is free to take.
const nft::Table* taken(const nft::Ruleset& have, const firewall::Wanted& want) {
    for (const nft::Table& table : want.tables) {
        const nft::Table* found = have.table(table.family, table.name);
        if (found != nullptr && !firewall::is_ours(*found) && !is_empty(*found))
            return found;
    }
    return nullptr;
}

// The chains to attach to that aren't there.
void plan_attachments(const nft::Ruleset& have, const firewall::Wanted& want, Plan& plan) {
    for (const firewall::Attachment& attachment : want.attached)
        if (attachment.find(have) == nullptr)
            plan.warnings.push_back(
                fmt::format("chain {} {} {} does not exist: nothing is enforced there until it does and this is run "
                            "again (nftlinkd uses it as soon as it appears)",
                            nft::to_string(attachment.family), attachment.table, attachment.chain));
}

// Whether packets meet a policy of ours in the bridge family now, and are to meet it elsewhere.
bool leaves_bridge_family(const nft::Ruleset& have, const firewall::Wanted& want) {
    const auto is_bridge = [](const nft::Table& table) { return table.family == nft::Family::bridge; };
    const auto is_old = [&](const nft::Table& table) { return is_bridge(table) && firewall::is_ours(table); };
    return std::ranges::any_of(have.tables, is_old) && std::ranges::none_of(want.tables, is_bridge);
}

void plan_bridge(const PolicedBridge& policed, const kernel::Bridges& bridges, Plan& plan) {
    const kernel::Bridge* bridge = bridges.find(policed.name);
    if (bridge == nullptr) {
        plan.warnings.push_back(
            fmt::format("bridge {} does not exist: its policy is not enforced until it does and this is run again "
                        "(nftlinkd sees to that)",
                        policed.name));
        return;
    }
    const kernel::BridgeNetfilter effective = bridges.effective(*bridge);
    const kernel::BridgeNetfilter missing{policed.needed.ipv4 && !effective.ipv4,
                                          policed.needed.ipv6 && !effective.ipv6};
    if (missing == kernel::BridgeNetfilter{})
        return;
    if (!bridges.module_loaded)
        plan.warnings.push_back(fmt::format(
            "bridge {}: its policy is not enforced, since the br_netfilter module is not loaded: run modprobe "
            "br_netfilter, then this again",
            policed.name));
    else
        plan.switches.push_back({policed.name, missing});
}

std::expected<void, std::string> turn_on(kernel::Kernel& kernel, const std::vector<Switch>& switches) {
    std::string errors;
    for (const Switch& wanted : switches)
        if (const auto done = kernel.enable_bridge_netfilter(wanted.bridge, wanted.on); !done)
            errors += fmt::format("{}bridge {}: cannot switch its netfilter hooks on: {}", errors.empty() ? "" : "; ",
                                  wanted.bridge, done.error());
    if (!errors.empty())
        return std::unexpected(errors);
    return {};
}

// Applies one transaction after the other, each on what the one before it left.
std::expected<std::uint32_t, kernel::Refusal> commit(kernel::Kernel& kernel, std::span<const nft::Batch> transactions,
                                                     std::uint32_t generation) {
    for (const nft::Batch& batch : transactions) {
        const auto committed = kernel.apply(batch, generation);
        if (!committed)
            return std::unexpected(committed.error());
        generation = committed->generation;
    }
    return generation;
}

// Until the connections in use have been seen by the kernel's tracking.
constexpr std::chrono::milliseconds acquaintance{1000};

// Carries the plan out. The outer error is final; the inner one is the kernel's word on a transaction.
std::expected<std::expected<std::uint32_t, kernel::Refusal>, std::string> carry_out(kernel::Kernel& kernel,
                                                                                    const Plan& plan) {
    const std::span<const nft::Batch> all(plan.transactions);
    if (!plan.switches_first) {
        const auto generation = commit(kernel, all, plan.generation);
        if (generation)
            if (const auto switched = turn_on(kernel, plan.switches); !switched)
                return std::unexpected(switched.error() +
                                       "; the rules are in place, but the policy is not enforced there");
        return generation;
    }
    const auto prepared = commit(kernel, all.first(all.size() - 1), plan.generation);
    if (!prepared)
        return prepared;
    if (const auto switched = turn_on(kernel, plan.switches); !switched)
        return std::unexpected(switched.error() + "; the rules in the bridge family stay in force");
    std::this_thread::sleep_for(acquaintance);
    return commit(kernel, all.last(1), *prepared);
}

}  // namespace

std::expected<firewall::HostFacts, std::string> host_facts(kernel::Kernel& kernel,
                                                           const model::FirewallPolicy& policy) {
    if (policy.family != model::Family::bridge)
        return firewall::HostFacts{};
    const auto can = kernel.bridge_family();
    if (!can)
        return std::unexpected(
            "what this kernel can do in the bridge family is for root to find out: CAP_NET_ADMIN is "
            "needed (try sudo)");
    firewall::HostFacts facts{can->names, can->conntrack, {}};
    const auto has_base_rules = [](const auto& bridge) { return bridge.second.base_rules; };
    if (!can->conntrack && policy.replies == model::Replies::established)
        return std::unexpected(
            "family: bridge with replies: established needs connection tracking of bridges "
            "(nf_conntrack_bridge), which this kernel doesn't have: say replies: source-port, or "
            "family: inet");
    if (!can->conntrack && std::ranges::any_of(policy.bridges, has_base_rules))
        return std::unexpected(
            "family: bridge with base_rules: true needs connection tracking of bridges "
            "(nf_conntrack_bridge), which this kernel doesn't have: say family: inet");
    if (!can->names)
        for (kernel::Bridge& bridge : kernel.bridges().bridges)
            facts.ports[bridge.name] = std::move(bridge.ports);
    return facts;
}

Target make_target(const model::Topology& topology, const model::FirewallPolicy& policy,
                   const firewall::HostFacts& host) {
    Target target{firewall::compile(topology, policy, host), {}};
    std::set<std::string> names;
    for (const auto& [name, bridge] : policy.bridges)
        if (bridge.icc == model::Icc::deny)
            names.insert(name);
    for (const auto& [name, container] : topology.containers)
        for (const model::Network& network : container.networks)
            if (!policy.bridges.contains(network.bridge))
                names.insert(network.bridge);
    // The bridge family sees a bridge's packets without any switch.
    const bool needs_switches = policy.family != model::Family::bridge;
    for (const std::string& name : names)
        target.bridges.push_back(
            {name, {needs_switches && policy.covers_ipv4(), needs_switches && policy.covers_ipv6()}});
    return target;
}

std::string Switch::to_string() const {
    return fmt::format("ip link set {} type bridge{}{}", bridge, on.ipv4 ? " nf_call_iptables 1" : "",
                       on.ipv6 ? " nf_call_ip6tables 1" : "");
}

std::expected<Plan, std::string> plan(kernel::Kernel& kernel, const Target& target) {
    const nft::Ruleset have = read(kernel, target.want);
    if (const nft::Table* table = taken(have, target.want))
        return std::unexpected(
            fmt::format("table {0} {1} exists and is not nftlink's: nothing was changed; name another one with "
                        "firewall.table, or remove it with: nft delete table {0} {1}",
                        nft::to_string(table->family), table->name));
    Plan plan;
    plan.generation = have.generation;
    const kernel::Bridges bridges = kernel.bridges();
    for (const PolicedBridge& policed : target.bridges)
        plan_bridge(policed, bridges, plan);
    plan_attachments(have, target.want, plan);
    plan.switches_first = !plan.switches.empty() && leaves_bridge_family(have, target.want);
    plan.transactions = firewall::transactions(have, target.want, kernel.batch_limit(), plan.switches_first);
    return plan;
}

std::expected<Outcome, std::string> apply(kernel::Kernel& kernel, const Target& target) {
    std::string last_refusal;
    for (int attempt = 0; attempt < max_attempts; ++attempt) {
        auto planned = plan(kernel, target);
        if (!planned)
            return std::unexpected(planned.error());
        const auto carried_out = carry_out(kernel, *planned);
        if (!carried_out)
            return std::unexpected(carried_out.error());
        if (const auto& generation = *carried_out; generation)
            return Outcome{std::move(*planned), *generation};
        last_refusal = carried_out->error().to_string();
        if (!must_retry(carried_out->error()))
            return std::unexpected(last_refusal);
    }
    return std::unexpected(fmt::format("gave up after {} attempts: {}", max_attempts, last_refusal));
}

std::expected<nft::Batch, std::string> clear(kernel::Kernel& kernel) {
    std::string last_refusal;
    for (int attempt = 0; attempt < max_attempts; ++attempt) {
        // All tables with their rules: a tag may be left on a rule alone.
        const nft::Ruleset have = kernel.snapshot([](const nft::Table&, const nft::Ruleset&) { return true; });
        nft::Batch batch = firewall::clear(have);
        const auto committed = kernel.apply(batch, have.generation);
        if (committed)
            return batch;
        last_refusal = committed.error().to_string();
        if (!must_retry(committed.error()))
            return std::unexpected(last_refusal);
    }
    return std::unexpected(fmt::format("gave up after {} attempts: {}", max_attempts, last_refusal));
}

}  // namespace nftlink::reconcile
