#include "nftlink/enforce/bridges.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <string>

namespace nftlink::enforce {

namespace {

// The packets of a bridge that should meet our rules and don't.
kernel::BridgeNetfilter unseen(const PolicedBridge& policed, const kernel::Bridge& bridge,
                               const kernel::Bridges& bridges) {
    const kernel::BridgeNetfilter effective = bridges.effective(bridge);
    return {policed.needed.ipv4 && !effective.ipv4, policed.needed.ipv6 && !effective.ipv6};
}

bool is_other_interface(const std::string& name, const kernel::Bridges& bridges) {
    return std::ranges::binary_search(bridges.others, name);
}

constexpr std::string_view no_bridge = "it is no bridge but another kind of interface: name the bridge itself";

// Calls visit(policed, bridge) for each; the bridge is null where there is none. Both are sorted by name.
template <typename Visit>
void for_each_policed(const std::vector<PolicedBridge>& all, const kernel::Bridges& bridges, Visit visit) {
    auto bridge = bridges.bridges.begin();
    for (const PolicedBridge& policed : all) {
        while (bridge != bridges.bridges.end() && bridge->name < policed.name)
            ++bridge;
        visit(policed, bridge != bridges.bridges.end() && bridge->name == policed.name ? &*bridge : nullptr);
    }
}

void plan_bridge(const PolicedBridge& policed, const kernel::Bridge* bridge, const kernel::Bridges& bridges,
                 BridgePlan& plan) {
    if (bridge == nullptr && is_other_interface(policed.name, bridges))
        plan.warnings.push_back(fmt::format("{}: its policy is not enforced: {}", policed.name, no_bridge));
    else if (bridge == nullptr && policed.icc == model::Icc::deny)
        plan.warnings.push_back(
            fmt::format("bridge {} does not exist: its policy is not enforced until it does and this is run again "
                        "(nftlinkd sees to that)",
                        policed.name));
    if (bridge == nullptr)
        return;
    for (const Opening& opening : policed.open)
        if (!opening.chosen)
            plan.warnings.push_back(
                fmt::format("bridge {}: its policy is not enforced: {}", policed.name, opening.why));
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

BridgeState state_of(const PolicedBridge& policed, const kernel::Bridge* bridge, const kernel::Bridges& bridges) {
    BridgeState state{policed.name, policed.icc, policed.routed, false, true};
    state.present = bridge != nullptr || is_other_interface(policed.name, bridges);
    if (bridge == nullptr) {
        state.not_enforced(state.present ? std::string(no_bridge) : "the bridge does not exist");
        return state;
    }
    state.open = policed.open;
    for (const Opening& opening : state.open)
        if (!opening.chosen) {
            state.enforced = false;
            state.reason = opening.why;
        }
    const kernel::BridgeNetfilter missing = unseen(policed, *bridge, bridges);
    if (missing == kernel::BridgeNetfilter{})
        return state;
    state.enforced = false;
    state.reason = bridges.module_loaded
                       ? "the bridge's own netfilter hooks are off: run " + Switch{policed.name, missing}.to_string()
                       : "the br_netfilter module is not loaded: run modprobe br_netfilter";
    if (missing.ipv4)
        state.open.push_back({Aspect::ipv4, state.reason, false});
    if (missing.ipv6)
        state.open.push_back({Aspect::ipv6, state.reason, false});
    return state;
}

// Docker's base rules accept what comes from their own bridge and leaves it: bridges, or patterns, that have them. None
// in the bridge family, where they stand where nothing leaves a bridge. The policy must outlive it.
class BaseRules {
public:
    explicit BaseRules(const model::FirewallPolicy& policy) {
        if (policy.family == model::Family::bridge)
            return;
        for (const auto& [name, bridge] : policy.bridges)
            if (bridge.base_rules && names_.size() < 2)
                names_.push_back(name);
        for (const model::BridgePattern& pattern : policy.bridge_patterns)
            if (pattern.policy.base_rules)
                names_.push_back(pattern.pattern);
    }
    // Some other than that one; empty when there is none.
    std::string_view other_than(std::string_view bridge) const {
        const auto found = std::ranges::find_if(names_, [&](std::string_view name) { return name != bridge; });
        return found == names_.end() ? std::string_view() : *found;
    }

private:
    std::vector<std::string_view> names_;  // two are as good as all
};

constexpr std::array closable{Aspect::ipv4, Aspect::ipv6, Aspect::between_bridges, Aspect::other_frames};

bool is_open(const std::vector<Opening>& open, Aspect aspect) {
    return std::ranges::find(open, aspect, &Opening::aspect) != open.end();
}

std::vector<Opening> left_open(const model::FirewallPolicy& policy, std::string_view name,
                               const BaseRules& base_rules) {
    const model::BridgePolicy bridge = policy.bridge(name);
    std::vector<Opening> open;
    const bool is_attached = !policy.attach.empty(), is_icc = bridge.icc == model::Icc::allow;
    const auto add = [&](Aspect aspect, std::string_view why) { open.push_back({aspect, std::string(why), true}); };
    if (is_icc || !policy.covers(model::Ip::v4))
        add(Aspect::ipv4, is_icc ? "icc: allow" : "attach names no chain for IPv4");
    if (is_icc || !policy.covers(model::Ip::v6))
        add(Aspect::ipv6, is_icc ? "icc: allow" : is_attached ? "attach names no chain for IPv6" : "family: ip");
    if (is_attached)
        add(Aspect::between_bridges, "attach leaves it to the other chain");
    else if (bridge.base_rules && policy.family != model::Family::bridge)
        add(Aspect::between_bridges, "base_rules: true");
    else if (const auto other = base_rules.other_than(name); !other.empty())
        add(Aspect::between_bridges, fmt::format("base_rules: true of {}", other));
    else if (bridge.routed != model::Routed::deny)
        add(Aspect::between_bridges, bridge.routed == model::Routed::allow ? "routed: allow" : "routed: published");
    else if (!policy.covers(model::Ip::v6))
        add(Aspect::between_bridges, "family: ip");
    if (!policy.closes_other_frames(bridge))
        add(Aspect::other_frames, is_icc                ? "icc: allow"
                                  : bridge.other_frames ? "other_frames: allow"
                                                        : "attach, without other_frames: deny");
    if (bridge.base_rules || is_attached)
        add(Aspect::ended_links, bridge.base_rules ? "base_rules: true" : "attach, between bridges");
    return open;
}

PolicedBridge policed_bridge(std::string name, const model::FirewallPolicy& policy, firewall::Frames frames,
                             const BaseRules& base_rules) {
    const model::BridgePolicy bridge = policy.bridge(name);
    // The bridge family sees a bridge's packets without any switch.
    const bool needs_switches = policy.family != model::Family::bridge && bridge.icc == model::Icc::deny;
    auto open = left_open(policy, name, base_rules);
    if (frames == firewall::Frames::none && policy.closes_other_frames(bridge))
        open.push_back(
            {Aspect::other_frames,
             "this kernel has no nftables for frames (nf_tables_bridge, nft_meta_bridge): say other_frames: allow",
             false});
    return {std::move(name),
            {needs_switches && policy.covers(model::Ip::v4), needs_switches && policy.covers(model::Ip::v6)},
            bridge.icc,
            bridge.routed,
            std::move(open)};
}

}  // namespace

std::vector<std::string> bridges_by_pattern(const kernel::Bridges& bridges, const model::FirewallPolicy& policy) {
    std::vector<std::string> names;
    for (const kernel::Bridge& bridge : bridges.bridges)
        if (!policy.bridges.contains(bridge.name) && policy.polices(bridge.name))
            names.push_back(bridge.name);
    return names;
}

std::vector<std::string> closed_ports(const kernel::Bridges& bridges, const model::FirewallPolicy& policy,
                                      const std::function<bool(const std::string&)>& is_policed) {
    std::vector<std::string> ports;
    for (const kernel::Bridge& bridge : bridges.bridges)
        if (!bridge.ports.empty() && is_policed(bridge.name) && policy.closes_other_frames(policy.bridge(bridge.name)))
            ports.insert(ports.end(), bridge.ports.begin(), bridge.ports.end());
    std::ranges::sort(ports);
    return ports;
}

std::string_view to_string(Aspect aspect) {
    switch (aspect) {
        case Aspect::ipv4:
            return "ipv4";
        case Aspect::ipv6:
            return "ipv6";
        case Aspect::between_bridges:
            return "between_bridges";
        case Aspect::other_frames:
            return "other_frames";
        case Aspect::ended_links:
            return "ended_links";
    }
    return "";
}

std::vector<Opening> left_open(const model::FirewallPolicy& policy, std::string_view bridge) {
    return left_open(policy, bridge, BaseRules(policy));
}

PolicedBridge policed_bridge(std::string name, const model::FirewallPolicy& policy, firewall::Frames frames) {
    return policed_bridge(std::move(name), policy, frames, BaseRules(policy));
}

std::vector<PolicedBridge> policed_bridges(const model::Topology& topology, const model::FirewallPolicy& policy,
                                           const firewall::HostFacts& host) {
    std::set<std::string> names(host.bridges.begin(), host.bridges.end());
    for (const auto& [name, bridge] : policy.bridges)
        names.insert(name);
    for (const auto& [name, container] : topology.containers)
        for (const model::Network& network : container.networks)
            names.insert(network.bridge);
    const BaseRules base_rules(policy);
    std::vector<PolicedBridge> bridges;
    for (const std::string& name : names)
        bridges.push_back(policed_bridge(name, policy, host.frames, base_rules));
    return bridges;
}

std::vector<Aspect> BridgeState::closed() const {
    std::vector<Aspect> aspects;
    if (present)
        std::ranges::copy_if(closable, std::back_inserter(aspects),
                             [this](Aspect aspect) { return !is_open(open, aspect); });
    return aspects;
}

void BridgeState::not_enforced(const std::string& why) {
    enforced = false;
    if (reason.empty())
        reason = why;
    if (present)
        for (const Aspect aspect : closable)
            if (!is_open(open, aspect))
                open.push_back({aspect, why, false});
}

std::vector<BridgeState> bridge_states(const std::vector<PolicedBridge>& policed, const kernel::Bridges& bridges) {
    std::vector<BridgeState> states;
    states.reserve(policed.size());
    for_each_policed(policed, bridges, [&](const PolicedBridge& each, const kernel::Bridge* bridge) {
        states.push_back(state_of(each, bridge, bridges));
    });
    return states;
}

BridgePlan plan_bridges(const std::vector<PolicedBridge>& policed, const kernel::Bridges& bridges) {
    BridgePlan plan;
    for_each_policed(policed, bridges, [&](const PolicedBridge& each, const kernel::Bridge* bridge) {
        plan_bridge(each, bridge, bridges, plan);
    });
    return plan;
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

std::string Switch::to_string() const {
    return fmt::format("ip link set {} type bridge{}{}", bridge, on.ipv4 ? " nf_call_iptables 1" : "",
                       on.ipv6 ? " nf_call_ip6tables 1" : "");
}

}  // namespace nftlink::enforce
