// What the links of a topology permit, per bridge.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "nftlink/model/policy.hpp"
#include "nftlink/model/topology.hpp"
#include "nftlink/nft/flow.hpp"
#include "nftlink/nft/ruleset.hpp"

namespace nftlink::firewall {

// Packets from one address to another's port. Several links may ask for the same permission: it is one.
struct Permission {
    nft::Key key;       // from . to . protocol . port, as nft::link_key says
    std::string users;  // the names of the links that ask for it, one blank between two
};

struct BridgePermissions {
    std::vector<Permission> ipv4;  // sorted by key, each once
    std::vector<Permission> ipv6;

    const std::vector<Permission>& of(bool is_ipv4) const { return is_ipv4 ? ipv4 : ipv6; }
};

// By bridge: every one that the policy or a container names.
using Permissions = std::map<std::string, BridgePermissions, std::less<>>;

Permissions permissions(const model::Topology& topology, const model::FirewallPolicy& policy);

// Calls visit(bridge, is_ipv4, key) once for each permission that the parent's link asks for.
using PermissionVisit = std::function<void(const std::string&, bool, const nft::Key&)>;
void for_each_permission(const model::Topology& topology, const model::FirewallPolicy& policy,
                         const model::Container& parent, const model::Link& link, const PermissionVisit& visit);

// What the key says.
nft::Flow flow_of(const nft::Key& key);

}  // namespace nftlink::firewall
