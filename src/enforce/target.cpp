#include "nftlink/enforce/target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace nftlink::enforce {

namespace {

// Why `family: bridge` can't be; empty when it can.
std::string bridge_family_fault(const std::optional<kernel::BridgeFamily>& can, const model::FirewallPolicy& policy) {
    if (!can)
        return "only root can find out what this kernel supports in the bridge family: CAP_NET_ADMIN is needed "
               "(try sudo)";
    if (!can->names)
        return "family: bridge needs the names of bridges in rules (meta ibrname: nft_meta_bridge, "
               "CONFIG_NFT_BRIDGE_META), which this kernel doesn't have: say family: inet";
    const auto needs_conntrack = [](const auto& policed) { return policed.second.base_rules; };
    if (!can->conntrack &&
        (policy.replies == model::Replies::established || std::ranges::any_of(policy.bridges, needs_conntrack) ||
         std::ranges::any_of(policy.bridge_patterns, &model::BridgePolicy::base_rules, &model::BridgePattern::policy)))
        return "family: bridge with replies: established or base_rules: true needs connection tracking of bridges "
               "(nf_conntrack_bridge), which this kernel doesn't have: say replies: source-port and no base_rules, or "
               "family: inet";
    return "";
}

}  // namespace

std::expected<firewall::HostFacts, std::string> host_facts(kernel::Kernel& kernel, const model::Topology& topology,
                                                           const model::FirewallPolicy& policy,
                                                           const kernel::Bridges& bridges) {
    using firewall::Frames;
    firewall::HostFacts facts;
    const bool is_bridge = policy.family == model::Family::bridge && policy.attach.empty();
    const bool closes = policy.may_close_other_frames();
    const auto can = is_bridge || closes ? kernel.bridge_family() : std::nullopt;
    if (is_bridge) {
        if (std::string fault = bridge_family_fault(can, policy); !fault.empty())
            return std::unexpected(std::move(fault));
        facts.bridge_conntrack = can->conntrack;
    }
    facts.bridges = bridges_by_pattern(bridges, policy);
    if (closes && can)
        facts.frames = !can->tables ? Frames::none : can->names ? Frames::by_name : Frames::by_port;
    if (facts.frames != Frames::by_port)
        return facts;
    const auto policed = policed_bridges(topology, policy, facts);
    facts.ports = closed_ports(bridges, policy, [&](const std::string& bridge) {
        return std::ranges::binary_search(policed, bridge, {}, &PolicedBridge::name);
    });
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
        firewall::HostFacts without_frames = host;  // of those the policy itself says enough
        without_frames.frames = firewall::Frames::none;
        target.meanwhile = firewall::compile(topology, own, without_frames);
    }
    target.bridges = policed_bridges(topology, policy, host);
    return target;
}

}  // namespace nftlink::enforce
