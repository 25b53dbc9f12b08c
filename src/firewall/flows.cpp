// What ends with a change.
#include <algorithm>
#include <iterator>

#include "nftlink/firewall/firewall.hpp"
#include "permissions.hpp"

namespace nftlink::firewall {

namespace {

// What is permitted on some bridge; sorted, each once.
std::vector<nft::Key> all_keys(const model::Topology& topology, const model::FirewallPolicy& policy) {
    std::vector<nft::Key> keys;
    for (const auto& [bridge, granted] : permissions(topology, policy))
        for (const bool ipv4 : {true, false})
            std::ranges::transform(granted.of(ipv4), std::back_inserter(keys), &Permission::key);
    std::ranges::sort(keys);
    keys.erase(std::ranges::unique(keys).begin(), keys.end());
    return keys;
}

}  // namespace

std::vector<nft::Flow> removed_flows(const model::Topology& old_topology, const model::FirewallPolicy& old_policy,
                                     const model::Topology& new_topology, const model::FirewallPolicy& new_policy) {
    std::vector<nft::Key> gone;
    std::ranges::set_difference(all_keys(old_topology, old_policy), all_keys(new_topology, new_policy),
                                std::back_inserter(gone));
    std::vector<nft::Flow> flows;
    std::ranges::transform(gone, std::back_inserter(flows), flow_of);
    return flows;
}

}  // namespace nftlink::firewall
