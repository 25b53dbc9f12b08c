#include "nftlink/reconcile/reconcile.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <span>

#include "nftlink/firewall/firewall.hpp"

namespace nftlink::reconcile {

namespace {

// The tries that one change takes. It is planned anew when another program has changed the ruleset meanwhile; after
// some of those it goes without the guard of its generation, or a busy host would starve us. Unguarded, the kernel
// refuses it where what it builds on has gone, or what it makes has come.
class Tries {
public:
    bool any_left() const { return count_ < max_count; }
    bool guarded() const { return stale_count_ < max_stale_count; }

    // Whether to plan anew.
    bool again_after(const kernel::Refusal& refusal) {
        ++count_;
        last_refusal_ = refusal.to_string();
        const bool stale = refusal.reason == kernel::Refusal::Reason::stale || (!guarded() && is_outdated(refusal));
        stale_count_ += stale ? 1 : 0;
        return stale || refusal.reason == kernel::Refusal::Reason::unknown;
    }

    const std::string& last_refusal() const { return last_refusal_; }
    std::string gave_up() const { return fmt::format("gave up after {} attempts: {}", count_, last_refusal_); }

private:
    static constexpr int max_count = 20, max_stale_count = 3;

    static bool is_outdated(const kernel::Refusal& refusal) {
        return std::ranges::any_of(refusal.operations, [](const kernel::RefusedOperation& refused) {
            return refused.error_number == ENOENT || refused.error_number == EEXIST;
        });
    }

    int count_ = 0, stale_count_ = 0;
    std::string last_refusal_;
};

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
        if (found != nullptr && !firewall::is_ours(*found, want.name) && !is_empty(*found))
            return found;
    }
    return nullptr;
}

// The tables of ours that are to go and would take with them what is somebody else's.
std::vector<std::string> with_strangers(const nft::Ruleset& have, const firewall::Wanted& want) {
    std::vector<std::string> sentences;
    for (const nft::Table& table : have.tables) {
        if (!firewall::is_ours(table, want.name) || want.table(table.family, table.name) != nullptr)
            continue;
        if (const auto strangers = firewall::strangers(table); !strangers.empty())
            sentences.push_back(fmt::format("table {} {} holds what is not nftlink's: {}", nft::to_string(table.family),
                                            table.name, fmt::join(strangers, ", ")));
    }
    return sentences;
}

// A wanted table that others have made another one (dormant, say), and that can't be made anew.
const nft::Table* stuck(const nft::Ruleset& have, const firewall::Wanted& want) {
    for (const nft::Table& table : want.tables) {
        const nft::Table* found = have.table(table.family, table.name);
        if (found != nullptr && found->unknown != table.unknown && !firewall::strangers(*found).empty())
            return found;
    }
    return nullptr;
}

std::string refusal_of(const std::vector<std::string>& sentences) {
    return fmt::format(
        "{}: nothing was changed; move that elsewhere, or delete it with the table: nftlink apply --force, or nftlink "
        "clear --force",
        fmt::join(sentences, "; "));
}

// Says which chains no packet comes to, and what that means.
void plan_attachments(const std::vector<firewall::IdleChain>& idle, bool has_meanwhile, Plan& plan) {
    for (const auto& [attachment, is_there] : idle) {
        std::string name =
            fmt::format("{} {} {}", nft::to_string(attachment->family), attachment->table, attachment->chain);
        const std::string_view meanwhile =
            has_meanwhile ? "; until then nftlink's own table stays in force, with the links of now" : "";
        plan.warnings.push_back(
            is_there
                ? fmt::format("no forwarded packet comes to chain {}: its table is dormant, or it has no forward hook "
                              "and no rule leads "
                              "there from a chain that has: nothing is enforced there until one comes{}",
                              name, meanwhile)
                : fmt::format("chain {} does not exist: nothing is enforced there until it does and this is run again "
                              "(nftlinkd uses it as soon as it appears){}",
                              name, meanwhile));
        (is_there ? plan.unmet_chains : plan.missing_chains).push_back(std::move(name));
    }
}

// Says which tables may be leftovers of ours.
void plan_look_alikes(const nft::Ruleset& have, const firewall::Wanted& want, Plan& plan) {
    for (const nft::Table& table : have.tables)
        if (firewall::has_form_alone(table, want.name))
            plan.warnings.push_back(
                fmt::format("table {0} {1} has the form of nftlink's own, but neither its mark (nft's save and load "
                            "drops that) nor its "
                            "name: it stays in force; if it is a leftover, remove it with: nft delete table {0} {1}",
                            nft::to_string(table.family), table.name));
}

// The policy of a table of ours meets packets now.
bool has_live_table(const nft::Ruleset& have, const firewall::Wanted& want) {
    return std::ranges::any_of(have.tables, [&](const nft::Table& table) {
        return firewall::is_ours(table, want.name) &&
               std::ranges::any_of(table.chains, [](const nft::Chain& chain) { return chain.hook.has_value(); });
    });
}

std::vector<std::pair<nft::Family, std::string>> tables_of(const nft::Ruleset& have, const firewall::Wanted& want) {
    std::vector<std::pair<nft::Family, std::string>> tables;
    for (const nft::Table& table : want.tables)
        tables.emplace_back(table.family, table.name);
    for (const nft::Table& table : have.tables)
        if (!firewall::has_form_alone(table, want.name))
            tables.emplace_back(table.family, table.name);
    for (const firewall::Attachment& attachment : want.attached)
        tables.emplace_back(attachment.family, attachment.table);
    return tables;
}

// True if a policy in the bridge family goes, and packets are to meet it elsewhere from then on.
bool leaves_bridge_family(const std::vector<nft::Batch>& batches, const firewall::Wanted& want) {
    const auto deletes = [](const nft::Operation& operation) {
        return operation.family == nft::Family::bridge && std::holds_alternative<nft::DeleteTable>(operation.action);
    };
    return std::ranges::any_of(batches, [&](const nft::Batch& batch) { return std::ranges::any_of(batch, deletes); }) &&
           std::ranges::none_of(want.tables,
                                [](const nft::Table& table) { return table.family == nft::Family::bridge; });
}

// What of a bridge's packets should meet our rules and doesn't.
kernel::BridgeNetfilter unseen(const PolicedBridge& policed, const kernel::Bridge& bridge,
                               const kernel::Bridges& bridges) {
    const kernel::BridgeNetfilter effective = bridges.effective(bridge);
    return {policed.needed.ipv4 && !effective.ipv4, policed.needed.ipv6 && !effective.ipv6};
}

void plan_bridge(const PolicedBridge& policed, const kernel::Bridges& bridges, Plan& plan) {
    const kernel::Bridge* bridge = bridges.find(policed.name);
    if (bridge == nullptr) {
        if (policed.icc == model::Icc::deny)
            plan.warnings.push_back(
                fmt::format("bridge {} does not exist: its policy is not enforced until it does and this is run again "
                            "(nftlinkd sees to that)",
                            policed.name));
        return;
    }
    const kernel::BridgeNetfilter missing = unseen(policed, *bridge, bridges);
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

BridgeState state_of(const PolicedBridge& policed, const kernel::Bridges& bridges) {
    BridgeState state{policed.name, policed.icc, false, false, {}};
    const kernel::Bridge* bridge = bridges.find(policed.name);
    if (bridge == nullptr) {
        state.reason = "the bridge does not exist";
        return state;
    }
    state.present = true;
    const kernel::BridgeNetfilter missing = unseen(policed, *bridge, bridges);
    if (missing == kernel::BridgeNetfilter{})
        state.enforced = true;
    else if (!bridges.module_loaded)
        state.reason = "the br_netfilter module is not loaded: run modprobe br_netfilter";
    else
        state.reason = "the bridge's own netfilter hooks are off: run " + Switch{policed.name, missing}.to_string();
    return state;
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

// Applies one transaction after the other, guarded each by what the one before it left. Unguarded, the generation
// stays that of the plan.
std::expected<std::uint32_t, kernel::Refusal> commit(kernel::Kernel& kernel, std::span<const nft::Batch> transactions,
                                                     std::uint32_t generation, bool guarded) {
    for (const nft::Batch& batch : transactions) {
        const auto committed = kernel.apply(batch, guarded ? std::optional(generation) : std::nullopt);
        if (!committed)
            return std::unexpected(committed.error());
        if (guarded)
            generation = committed->generation;
    }
    return generation;
}

// Until the connections in use have been seen by the kernel's tracking.
constexpr std::chrono::milliseconds acquaintance{1000};

// Carries the plan out, or, with switches first, its first part; the rest is left out of it then. The outer error is
// final; the inner one is the kernel's word on a transaction.
std::expected<std::expected<Outcome, kernel::Refusal>, std::string> carry_out(kernel::Kernel& kernel, Plan plan,
                                                                              bool guarded) {
    Outcome outcome;
    if (plan.switches_first) {
        plan.transactions.pop_back();
        outcome.again_in = acquaintance;
    }
    const auto generation = commit(kernel, plan.transactions, plan.generation, guarded);
    if (!generation)
        return std::expected<Outcome, kernel::Refusal>(std::unexpected(generation.error()));
    if (const auto switched = turn_on(kernel, plan.switches); !switched)
        return std::unexpected(switched.error() +
                               (plan.switches_first
                                    ? "; the rules in the bridge family stay in force"
                                    : "; the rules are in place, but the policy is not enforced there"));
    outcome.generation = *generation;
    outcome.done = std::move(plan);
    return outcome;
}

bool has_base_rules(const model::FirewallPolicy& policy) {
    return std::ranges::any_of(policy.bridges, [](const auto& bridge) { return bridge.second.base_rules; }) ||
           std::ranges::any_of(policy.bridge_patterns,
                               [](const model::BridgePattern& pattern) { return pattern.policy.base_rules; });
}

// For `family: bridge`.
std::expected<firewall::HostFacts, std::string> bridge_family_facts(kernel::Kernel& kernel,
                                                                    const model::FirewallPolicy& policy) {
    const auto can = kernel.bridge_family();
    if (!can)
        return std::unexpected(
            "what this kernel can do in the bridge family is for root to find out: CAP_NET_ADMIN is "
            "needed (try sudo)");
    firewall::HostFacts facts{can->names, can->conntrack, {}, {}};
    if (!can->conntrack && policy.replies == model::Replies::established)
        return std::unexpected(
            "family: bridge with replies: established needs connection tracking of bridges "
            "(nf_conntrack_bridge), which this kernel doesn't have: say replies: source-port, or "
            "family: inet");
    if (!can->conntrack && has_base_rules(policy))
        return std::unexpected(
            "family: bridge with base_rules: true needs connection tracking of bridges "
            "(nf_conntrack_bridge), which this kernel doesn't have: say family: inet");
    if (!can->names)
        for (kernel::Bridge& bridge : kernel.bridges().bridges)
            facts.ports[bridge.name] = std::move(bridge.ports);
    return facts;
}

// The ruleset with handles and rules as they are now, and with elements as they are known to be, without their counts.
// Nothing when the generation, or a set, is another one than is known.
std::optional<nft::Ruleset> read_frame(kernel::Kernel& kernel, const firewall::Wanted& want, const Known& known) {
    nft::Ruleset have =
        kernel.snapshot([&](const nft::Table& table,
                            const nft::Ruleset& listing) { return firewall::is_relevant(table, listing, want); },
                        kernel::Elements::left_out);
    if (have.generation != known.generation)
        return {};
    if (!firewall::fill_elements(have, *known.want, *known.in_second_slot, want))
        return {};
    return have;
}

// True if elements come with counts, which somebody must have read.
bool carries_counts(const Plan& plan) {
    return std::ranges::any_of(plan.transactions, [](const nft::Batch& batch) {
        return std::ranges::any_of(batch, [](const nft::Operation& operation) {
            const auto* add = std::get_if<nft::AddElements>(&operation.action);
            return add != nullptr && std::ranges::any_of(add->elements, [](const nft::Element& element) {
                       return element.counters.has_value();
                   });
        });
    });
}

std::expected<Plan, std::string> compare(kernel::Kernel& kernel, const Target& target, const Means& means,
                                         const nft::Ruleset& have) {
    const auto idle = firewall::idle_chains(have, target.want);
    std::optional<firewall::Wanted> both;
    if (!idle.empty() && target.meanwhile && (means.has_meanwhile || has_live_table(have, target.want)))
        both = firewall::joined(target.want, *target.meanwhile);
    const firewall::Wanted& want = both ? *both : target.want;
    if (const nft::Table* table = taken(have, want))
        return std::unexpected(
            fmt::format("table {0} {1} exists and is not nftlink's: nothing was changed; name another one with "
                        "firewall.table, or remove it with: nft delete table {0} {1}",
                        nft::to_string(table->family), table->name));
    const bool force = means.strangers == Strangers::remove;
    if (const nft::Table* table = stuck(have, want); table != nullptr && !force)
        return std::unexpected(fmt::format(
            "table {0} {1} has flags that nftlink didn't give it, and holds what is not nftlink's ({2}), so that it "
            "can't be made anew: move that elsewhere, or say nftlink apply --force",
            nft::to_string(table->family), table->name, fmt::join(firewall::strangers(*table), ", ")));
    Plan plan;
    plan.generation = have.generation;
    plan.tables = tables_of(have, want);
    plan.has_meanwhile = both.has_value();
    plan_attachments(idle, both.has_value(), plan);
    plan_look_alikes(have, want, plan);
    if (!force)
        plan.left = with_strangers(have, want);
    if (means.strangers == Strangers::refuse && !plan.left.empty())
        return std::unexpected(refusal_of(plan.left));
    for (const std::string& sentence : plan.left)
        plan.warnings.push_back(sentence + ": it stays, and what it drops and accepts with it");
    const kernel::Bridges read_now = means.bridges == nullptr ? kernel.bridges() : kernel::Bridges{};
    for (const PolicedBridge& policed : target.bridges)
        plan_bridge(policed, means.bridges == nullptr ? read_now : *means.bridges, plan);
    const firewall::Manner manner{.force = force, .moves = means.moves, .marks = means.marks};
    auto changes = firewall::transactions(have, want, kernel.batch_limit(), false, manner);
    plan.switches_first = !plan.switches.empty() && leaves_bridge_family(changes.batches, want);
    if (plan.switches_first)
        changes = firewall::transactions(have, want, kernel.batch_limit(), true, manner);
    plan.transactions = std::move(changes.batches);
    plan.in_second_slot = std::move(changes.in_second_slot);
    plan.obstacles = std::move(changes.obstacles);
    return plan;
}

}  // namespace

std::vector<std::string> bridges_by_pattern(const kernel::Bridges& bridges, const model::FirewallPolicy& policy) {
    std::vector<std::string> names;
    for (const kernel::Bridge& bridge : bridges.bridges)
        if (!policy.bridges.contains(bridge.name) && policy.polices(bridge.name))
            names.push_back(bridge.name);
    return names;
}

std::expected<firewall::HostFacts, std::string> host_facts(kernel::Kernel& kernel,
                                                           const model::FirewallPolicy& policy) {
    auto facts = policy.family == model::Family::bridge ? bridge_family_facts(kernel, policy) : firewall::HostFacts{};
    if (facts && !policy.bridge_patterns.empty())
        facts->bridges = bridges_by_pattern(kernel.bridges(), policy);
    return facts;
}

Target make_target(const model::Topology& topology, const model::FirewallPolicy& policy,
                   const firewall::HostFacts& host) {
    Target target{firewall::compile(topology, policy, host), {}, {}};
    if (!policy.attach.empty()) {
        model::FirewallPolicy own = policy;
        own.attach.clear();
        if (own.family == model::Family::bridge)  // says nothing with attach
            own.family = model::Family::inet;
        target.meanwhile = firewall::compile(topology, own, host);
    }
    std::map<std::string, model::Icc> bridges;
    for (const auto& [name, bridge] : policy.bridges)
        bridges.emplace(name, bridge.icc);
    for (const std::string& name : host.bridges)
        bridges.emplace(name, policy.bridge(name).icc);
    for (const auto& [name, container] : topology.containers)
        for (const model::Network& network : container.networks)
            bridges.emplace(network.bridge, policy.bridge(network.bridge).icc);
    // The bridge family sees a bridge's packets without any switch.
    const bool can_need_switches = policy.family != model::Family::bridge;
    for (const auto& [name, icc] : bridges) {
        const bool needs_switches = can_need_switches && icc == model::Icc::deny;
        target.bridges.push_back(
            {name, {needs_switches && policy.covers_ipv4(), needs_switches && policy.covers_ipv6()}, icc});
    }
    return target;
}

std::vector<BridgeState> bridge_states(const Target& target, const kernel::Bridges& bridges) {
    std::vector<BridgeState> states;
    for (const PolicedBridge& policed : target.bridges)
        states.push_back(state_of(policed, bridges));
    return states;
}

std::string Switch::to_string() const {
    return fmt::format("ip link set {} type bridge{}{}", bridge, on.ipv4 ? " nf_call_iptables 1" : "",
                       on.ipv6 ? " nf_call_ip6tables 1" : "");
}

std::expected<Plan, std::string> plan(kernel::Kernel& kernel, const Target& target, const Means& means) {
    if (means.known)
        if (const auto have = read_frame(kernel, target.want, *means.known))
            if (auto planned = compare(kernel, target, means, *have); !planned || !carries_counts(*planned))
                return planned;
    return compare(kernel, target, means, read(kernel, target.want));
}

std::expected<Outcome, std::string> apply(kernel::Kernel& kernel, const Target& target, const Means& means) {
    Tries tries;
    while (tries.any_left()) {
        auto planned = plan(kernel, target, means);
        if (!planned)
            return std::unexpected(planned.error());
        auto carried_out = carry_out(kernel, std::move(*planned), tries.guarded());
        if (!carried_out)
            return std::unexpected(carried_out.error());
        if (*carried_out)
            return std::move(**carried_out);
        if (!tries.again_after(carried_out->error()))
            return std::unexpected(tries.last_refusal());
    }
    return std::unexpected(tries.gave_up());
}

bool deny_first(kernel::Kernel& kernel, const Target& target) {
    constexpr std::size_t few = 64;  // so many links are there in the time of another commit
    std::size_t count = 0;
    for (const nft::Table& table : target.want.tables)
        for (const nft::Set& set : table.sets)
            count += set.elements.size();
    if (count <= few || !target.want.attached.empty())
        return false;
    bool any_there = false;
    const nft::Ruleset have = kernel.snapshot([&](const nft::Table& table, const nft::Ruleset&) {
        any_there |= target.want.table(table.family, table.name) != nullptr;
        return false;
    });
    return !any_there && kernel.apply(firewall::frame(target.want), have.generation).has_value();
}

std::expected<Cleared, std::string> clear(kernel::Kernel& kernel, std::string_view name, Strangers strangers) {
    firewall::Wanted nothing;
    nothing.name = name;
    Tries tries;
    while (tries.any_left()) {
        // All tables with their rules: some of ours may be attached to any of them.
        const nft::Ruleset have = kernel.snapshot([](const nft::Table&, const nft::Ruleset&) { return true; });
        Cleared cleared;
        if (strangers != Strangers::remove)
            cleared.left = with_strangers(have, nothing);
        if (strangers == Strangers::refuse && !cleared.left.empty())
            return std::unexpected(refusal_of(cleared.left));
        cleared.batch = firewall::clear(have, name, strangers == Strangers::remove);
        const auto committed =
            kernel.apply(cleared.batch, tries.guarded() ? std::optional(have.generation) : std::nullopt);
        if (committed)
            return cleared;
        if (!tries.again_after(committed.error()))
            return std::unexpected(tries.last_refusal());
    }
    return std::unexpected(tries.gave_up());
}

}  // namespace nftlink::reconcile
