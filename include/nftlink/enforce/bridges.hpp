// The bridges that the policy is about: what is closed on them, what is open, and the switches that bring their packets
// to the rules.
#pragma once

#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "nftlink/firewall/compile.hpp"
#include "nftlink/kernel/kernel.hpp"
#include "nftlink/model/policy.hpp"
#include "nftlink/model/topology.hpp"

namespace nftlink::enforce {

// The targets that a container may reach without a link where it is open: its neighbours by IPv4, by IPv6, containers
// on other policed bridges, its neighbours by any other frame; and what it could reach while a link stood that has
// ended.
enum class Aspect { ipv4, ipv6, between_bridges, other_frames, ended_links };

// `ipv4`, `between_bridges` …
std::string_view to_string(Aspect aspect);

struct Opening {
    Aspect aspect = Aspect::ipv4;
    std::string why;      // the setting, or what is missing on this host
    bool chosen = false;  // the configuration leaves it open

    bool operator==(const Opening&) const = default;
};

// The targets that the configuration leaves open on that bridge, or on those of a pattern of the policy.
std::vector<Opening> left_open(const model::FirewallPolicy& policy, std::string_view bridge);

// A bridge that the policy or a container names, or that is there and fits a pattern of the policy.
struct PolicedBridge {
    std::string name;
    // The kinds of packets that must meet our rules. None with icc: allow: nothing is dropped there, so that nothing
    // needs to be seen.
    kernel::BridgeNetfilter needed;
    model::Icc icc = model::Icc::deny;
    model::Routed routed = model::Routed::deny;
    std::vector<Opening> open = {};  // by the configuration; or since this kernel can't close it

    bool operator==(const PolicedBridge&) const = default;
};

PolicedBridge policed_bridge(std::string name, const model::FirewallPolicy& policy, firewall::Frames frames);

// All of them, by name.
std::vector<PolicedBridge> policed_bridges(const model::Topology& topology, const model::FirewallPolicy& policy,
                                           const firewall::HostFacts& host);

// The bridges there are that the policy polices by a pattern alone; sorted.
std::vector<std::string> bridges_by_pattern(const kernel::Bridges& bridges, const model::FirewallPolicy& policy);

// The ports of those bridges there are that are policed, and whose other frames are dropped; sorted.
std::vector<std::string> closed_ports(const kernel::Bridges& bridges, const model::FirewallPolicy& policy,
                                      const std::function<bool(const std::string&)>& is_policed);

// The state of one bridge's policy.
struct BridgeState {
    std::string bridge;
    model::Icc icc = model::Icc::deny;
    model::Routed routed = model::Routed::deny;
    bool present = false;
    // It is there, and nothing is open on it that the configuration doesn't leave open. Whether the rules are
    // installed, and whether a chain that they are attached to is there, is another matter: see Plan, and
    // not_enforced().
    bool enforced = false;
    std::string reason = {};         // why not, and what to do, as one sentence; empty when it is enforced
    std::vector<Opening> open = {};  // each aspect once

    // The closed ones of IPv4, IPv6, between bridges and other frames.
    std::vector<Aspect> closed() const;
    // For that reason nothing is closed; a reason that there is stays.
    void not_enforced(const std::string& why);
    bool operator==(const BridgeState&) const = default;
};

// Of each of them, in their order.
std::vector<BridgeState> bridge_states(const std::vector<PolicedBridge>& policed, const kernel::Bridges& bridges);

// One bridge's switch that is to be turned on.
struct Switch {
    std::string bridge;
    kernel::BridgeNetfilter on;

    // As a command of ip(8): `ip link set docker0 type bridge nf_call_iptables 1 nf_call_ip6tables 1`
    std::string to_string() const;
    bool operator==(const Switch&) const = default;
};

// The steps that bring the bridges' packets to the rules, and the reasons why some won't come: a bridge that isn't
// there, a missing module. Those that are policed by name, as in a Target.
struct BridgePlan {
    std::vector<Switch> switches;
    std::vector<std::string> warnings;
};
BridgePlan plan_bridges(const std::vector<PolicedBridge>& policed, const kernel::Bridges& bridges);

// The error says which can't be turned on, and why.
std::expected<void, std::string> turn_on(kernel::Kernel& kernel, const std::vector<Switch>& switches);

}  // namespace nftlink::enforce
