// Links, as the kernel has them. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nftlink/model/policy.hpp"
#include "nftlink/model/topology.hpp"
#include "nftlink/nft/ruleset.hpp"

namespace nftlink::firewall {

// The state of one link.
struct LinkCount {
    std::string parent;
    model::Link link;
    // Everything that it permits is in the kernel, where packets meet it; also when it permits nothing. Not looked at
    // is whether a rule of others, or a bridge's switch, keeps the packets away.
    bool installed = false;
    // From parent to child, over all that it permits. Links that share a permission all get its counts.
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;

    bool operator==(const LinkCount&) const = default;
};

// Of every link, in the topology's order. `have` holds the relevant tables.
std::vector<LinkCount> link_counts(const nft::Ruleset& have, const model::Topology& topology,
                                   const model::FirewallPolicy& policy);

}  // namespace nftlink::firewall
