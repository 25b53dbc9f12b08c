// What the links of a topology permit, per bridge.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "nftlink/model/policy.hpp"
#include "nftlink/model/topology.hpp"
#include "nftlink/nft/flow.hpp"
#include "nftlink/nft/ruleset.hpp"

namespace nftlink::firewall {

// Packets from one address to another's port, as the element of a set (nft::link_key). Several links may ask for the
// same permission: it is one, and its comment has their names, one blank between two, as far as there is room.
using Permission = nft::Element;

struct BridgePermissions {
    std::vector<Permission> ipv4;  // sorted by key, each once
    std::vector<Permission> ipv6;

    const std::vector<Permission>& of(bool is_ipv4) const { return is_ipv4 ? ipv4 : ipv6; }
};

// By bridge: every one that the policy or a container names.
using Permissions = std::map<std::string, BridgePermissions, std::less<>>;

Permissions permissions(const model::Topology& topology, const model::FirewallPolicy& policy);

// Containers by name: where every link is followed, quicker than the topology's own search. The topology must not
// change meanwhile.
class ContainerIndex {
public:
    explicit ContainerIndex(const model::Topology& topology) {
        containers_.reserve(topology.containers.size());
        for (const auto& [name, container] : topology.containers)
            containers_.emplace(name, &container);
    }

    // Null when there is none of that name.
    const model::Container* find(std::string_view name) const {
        const auto found = containers_.find(name);
        return found == containers_.end() ? nullptr : found->second;
    }

private:
    std::unordered_map<std::string_view, const model::Container*> containers_;
};

// The names as a comment.
std::string comment_of(std::string users);

nft::Key make_key(const model::Address& parent, const model::Address& child, const model::Port& port);

// Calls visit(bridge, is_ipv4, key) once for each permission that a link of the parent to the child asks for: on every
// bridge that both are on, every pair of addresses of one kind, every port.
template <typename Visit>
void for_each_permission(const model::FirewallPolicy& policy, const model::Container& parent,
                         const model::Container& child, Visit visit) {
    const bool covers_ipv4 = policy.covers_ipv4(), covers_ipv6 = policy.covers_ipv6();
    for (const model::Network& network : parent.networks) {
        const model::Network* shared = child.on(network.bridge);
        if (shared == nullptr)
            continue;
        for (const model::Address& from : network.addresses)
            for (const model::Address& to : shared->addresses)
                if (from.is_v4() == to.is_v4() && (from.is_v4() ? covers_ipv4 : covers_ipv6))
                    for (const model::Port& port : child.expose)
                        visit(network.bridge, from.is_v4(), make_key(from, to, port));
    }
}

// How many elements the set of so many permissions is made for. A set with a size gets the kernel's fixed hash, whose
// bucket array sizes of 3·2^k fit; a fifth of it is room to grow.
std::uint32_t set_size(std::size_t element_count);

// What the key says.
nft::Flow flow_of(const nft::Key& key);

}  // namespace nftlink::firewall
