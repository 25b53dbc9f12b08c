// Links as nftables rules: topology, policy and facts of the host → Wanted. Pure.
#pragma once

#include <string>
#include <vector>

#include "nftlink/firewall/wanted.hpp"
#include "nftlink/model/policy.hpp"
#include "nftlink/model/topology.hpp"

namespace nftlink::firewall {

// The sign by which frames that no rule about IP sees are known to be a bridge's: its name; its port's name, where
// the kernel has no `meta ibrname`; none, where it has no tables of the bridge family.
enum class Frames { by_name, by_port, none };

// The facts of a host that the rules depend on.
struct HostFacts {
    // For `family: bridge`: `ct state` works there (nf_conntrack_bridge).
    bool bridge_conntrack = true;
    // The bridges there are that fit a pattern of the policy and aren't named in it; sorted.
    std::vector<std::string> bridges = {};
    Frames frames = Frames::by_name;
    // Frames::by_port: the ports of the bridges whose other frames are dropped; sorted.
    std::vector<std::string> ports = {};

    bool operator==(const HostFacts&) const = default;
};

// Compiles the topology and the policy. Elements and rules have no counts yet.
// With `layout: sets` rules, chains and sets are the same whatever bridges and links there are.
Wanted compile(const model::Topology& topology, const model::FirewallPolicy& policy, const HostFacts& host = {});

}  // namespace nftlink::firewall
