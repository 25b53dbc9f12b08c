#include "permissions.hpp"

#include <algorithm>
#include <array>

namespace nftlink::firewall {

namespace {

nft::Key make_key(const model::Address& parent, const model::Address& child, const model::Port& port) {
    nft::Key key;
    key.append(parent.bytes());
    key.append(child.bytes());
    key.append(std::array{static_cast<std::uint8_t>(port.protocol)});
    key.append(std::array{static_cast<std::uint8_t>(port.number >> 8), static_cast<std::uint8_t>(port.number)});
    return key;
}

// One link on one bridge: every pair of addresses of one kind, every port.
void add_link(BridgePermissions& bridge, const model::Network& parent, const model::Network& child,
              const std::vector<model::Port>& ports, const std::string& user) {
    for (const model::Address& from : parent.addresses)
        for (const model::Address& to : child.addresses)
            if (from.is_v4() == to.is_v4())
                for (const model::Port& port : ports)
                    (from.is_v4() ? bridge.ipv4 : bridge.ipv6).push_back({make_key(from, to, port), user});
}

// Sorts, and makes one of what is the same; the users keep their order.
void merge(std::vector<Permission>& permissions) {
    std::ranges::stable_sort(permissions, {}, &Permission::key);
    auto last = permissions.begin();
    for (auto next = permissions.begin(); next != permissions.end(); ++next) {
        if (next == last)
            continue;
        if (next->key == last->key)
            last->users += " " + next->users;
        else if (++last != next)
            *last = std::move(*next);
    }
    if (!permissions.empty())
        permissions.erase(std::next(last), permissions.end());
}

}  // namespace

Permissions permissions(const model::Topology& topology, const model::FirewallPolicy& policy) {
    Permissions bridges;
    for (const auto& [name, bridge] : policy.bridges)
        bridges[name];
    for (const auto& [name, parent] : topology.containers) {
        for (const model::Network& network : parent.networks)
            bridges[network.bridge];
        for (const model::Link& link : parent.links) {
            const model::Container* child = topology.find(link.child);
            if (child == nullptr)
                continue;
            for (const model::Network& network : parent.networks)
                if (const model::Network* shared = child->on(network.bridge))
                    add_link(bridges[network.bridge], network, *shared, child->expose,
                             model::link_name(name, link.alias));
        }
    }
    for (auto& [name, bridge] : bridges) {
        if (!policy.covers_ipv4())
            bridge.ipv4.clear();
        if (!policy.covers_ipv6())
            bridge.ipv6.clear();
        merge(bridge.ipv4);
        merge(bridge.ipv6);
    }
    return bridges;
}

}  // namespace nftlink::firewall
