// Seeing to it that the bridges' packets come to the rules.
#include <fmt/format.h>

#include <string>

#include "nftlink/reconcile/reconcile.hpp"

namespace nftlink::reconcile {

namespace {

// What of a bridge's packets should meet our rules and doesn't.
kernel::BridgeNetfilter unseen(const PolicedBridge& policed, const kernel::Bridge& bridge,
                               const kernel::Bridges& bridges) {
    const kernel::BridgeNetfilter effective = bridges.effective(bridge);
    return {policed.needed.ipv4 && !effective.ipv4, policed.needed.ipv6 && !effective.ipv6};
}

void plan_bridge(const PolicedBridge& policed, const kernel::Bridges& bridges, BridgePlan& plan) {
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

}  // namespace

std::vector<std::string> bridges_by_pattern(const kernel::Bridges& bridges, const model::FirewallPolicy& policy) {
    std::vector<std::string> names;
    for (const kernel::Bridge& bridge : bridges.bridges)
        if (!policy.bridges.contains(bridge.name) && policy.polices(bridge.name))
            names.push_back(bridge.name);
    return names;
}

PolicedBridge policed_bridge(std::string name, const model::FirewallPolicy& policy) {
    const model::Icc icc = policy.bridge(name).icc;
    // The bridge family sees a bridge's packets without any switch.
    const bool needs_switches = policy.family != model::Family::bridge && icc == model::Icc::deny;
    return {std::move(name), {needs_switches && policy.covers_ipv4(), needs_switches && policy.covers_ipv6()}, icc};
}

std::vector<BridgeState> bridge_states(const Target& target, const kernel::Bridges& bridges) {
    std::vector<BridgeState> states;
    for (const PolicedBridge& policed : target.bridges)
        states.push_back(state_of(policed, bridges));
    return states;
}

BridgePlan plan_bridges(const std::vector<PolicedBridge>& policed, const kernel::Bridges& bridges) {
    BridgePlan plan;
    for (const PolicedBridge& bridge : policed)
        plan_bridge(bridge, bridges, plan);
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

}  // namespace nftlink::reconcile
