#include "nftlink/reconcile/reconcile.hpp"

#include <fmt/format.h>

#include <set>

#include "nftlink/firewall/firewall.hpp"

namespace nftlink::reconcile {

namespace {

// How often a change is planned anew because another program changed the ruleset meanwhile.
constexpr int max_attempts = 20;

bool must_retry(const kernel::Refusal& refusal) {
    return refusal.reason == kernel::Refusal::Reason::stale || refusal.reason == kernel::Refusal::Reason::unknown;
}

nft::Ruleset read(kernel::Kernel& kernel, const nft::Ruleset& want) {
    return kernel.snapshot([&](const nft::Table& table) { return firewall::is_relevant(table, want); });
}

bool is_empty(const nft::Table& table) {
    return table.chains.empty() && table.sets.empty() && table.other_object_count == 0;
}

// Somebody else's table under the wanted name; an empty one is free to take.
const nft::Table* taken(const nft::Ruleset& have, const nft::Ruleset& want) {
    for (const nft::Table& table : want.tables) {
        const nft::Table* found = have.table(table.family, table.name);
        if (found != nullptr && !firewall::is_ours(*found) && !is_empty(*found))
            return found;
    }
    return nullptr;
}

void plan_bridge(const PolicedBridge& policed, const kernel::Bridges& bridges, Plan& plan) {
    const kernel::Bridge* bridge = bridges.find(policed.name);
    if (bridge == nullptr) {
        plan.warnings.push_back(fmt::format(
            "bridge {} does not exist: its policy is not enforced until it does and this is run again", policed.name));
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

// Applies one transaction after the other, each on what the one before it left.
std::expected<std::uint32_t, kernel::Refusal> commit(kernel::Kernel& kernel, const Plan& plan) {
    std::uint32_t generation = plan.generation;
    for (const nft::Batch& batch : plan.transactions) {
        const auto committed = kernel.apply(batch, generation);
        if (!committed)
            return std::unexpected(committed.error());
        generation = committed->generation;
    }
    return generation;
}

std::expected<void, std::string> turn_on(kernel::Kernel& kernel, const std::vector<Switch>& switches) {
    std::string errors;
    for (const Switch& wanted : switches)
        if (const auto done = kernel.enable_bridge_netfilter(wanted.bridge, wanted.on); !done)
            errors += fmt::format("{}bridge {}: cannot switch its netfilter hooks on: {}", errors.empty() ? "" : "; ",
                                  wanted.bridge, done.error());
    if (!errors.empty())
        return std::unexpected(errors + "; the rules are in place, but the policy is not enforced there");
    return {};
}

}  // namespace

Target make_target(const model::Topology& topology, const model::FirewallPolicy& policy) {
    Target target{firewall::compile(topology, policy), {}};
    std::set<std::string> names;
    for (const auto& [name, bridge] : policy.bridges)
        if (bridge.icc == model::Icc::deny)
            names.insert(name);
    for (const auto& [name, container] : topology.containers)
        for (const model::Network& network : container.networks)
            if (!policy.bridges.contains(network.bridge))
                names.insert(network.bridge);
    for (const std::string& name : names)
        target.bridges.push_back({name, {true, policy.family == model::Family::inet}});
    return target;
}

std::string Switch::to_string() const {
    return fmt::format("ip link set {} type bridge{}{}", bridge, on.ipv4 ? " nf_call_iptables 1" : "",
                       on.ipv6 ? " nf_call_ip6tables 1" : "");
}

std::expected<Plan, std::string> plan(kernel::Kernel& kernel, const Target& target) {
    const nft::Ruleset have = read(kernel, target.ruleset);
    if (const nft::Table* table = taken(have, target.ruleset))
        return std::unexpected(
            fmt::format("table {0} {1} exists and is not nftlink's: nothing was changed; name another one with "
                        "firewall.table, or remove it with: nft delete table {0} {1}",
                        nft::to_string(table->family), table->name));
    Plan plan;
    plan.generation = have.generation;
    plan.transactions = firewall::transactions(have, target.ruleset, kernel.batch_limit());
    const kernel::Bridges bridges = kernel.bridges();
    for (const PolicedBridge& policed : target.bridges)
        plan_bridge(policed, bridges, plan);
    return plan;
}

std::expected<Outcome, std::string> apply(kernel::Kernel& kernel, const Target& target) {
    std::string last_refusal;
    for (int attempt = 0; attempt < max_attempts; ++attempt) {
        auto planned = plan(kernel, target);
        if (!planned)
            return std::unexpected(planned.error());
        const auto generation = commit(kernel, *planned);
        if (generation) {
            if (const auto switched = turn_on(kernel, planned->switches); !switched)
                return std::unexpected(switched.error());
            return Outcome{std::move(*planned), *generation};
        }
        last_refusal = generation.error().to_string();
        if (!must_retry(generation.error()))
            return std::unexpected(last_refusal);
    }
    return std::unexpected(fmt::format("gave up after {} attempts: {}", max_attempts, last_refusal));
}

std::expected<nft::Batch, std::string> clear(kernel::Kernel& kernel) {
    std::string last_refusal;
    for (int attempt = 0; attempt < max_attempts; ++attempt) {
        // All tables with their rules: a tag may be left on a rule alone.
        const nft::Ruleset have = kernel.snapshot([](const nft::Table&) { return true; });
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
