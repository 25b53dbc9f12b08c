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
            const std::string user = model::link_name(name, link.alias);
            for_each_permission(topology, policy, parent, link,
                                [&](const std::string& bridge, bool is_ipv4, const nft::Key& key) {
                                    auto& permissions = bridges[bridge];
                                    (is_ipv4 ? permissions.ipv4 : permissions.ipv6).push_back({key, user});
                                });
        }
    }
    for (auto& [name, bridge] : bridges) {
        merge(bridge.ipv4);
        merge(bridge.ipv6);
    }
    return bridges;
}

// On every bridge that both are on: every pair of addresses of one kind, every port.
void for_each_permission(const model::Topology& topology, const model::FirewallPolicy& policy,
                         const model::Container& parent, const model::Link& link, const PermissionVisit& visit) {
    const model::Container* child = topology.find(link.child);
    if (child == nullptr)
        return;
    const bool covers_ipv4 = policy.covers_ipv4(), covers_ipv6 = policy.covers_ipv6();
    for (const model::Network& network : parent.networks) {
        const model::Network* shared = child->on(network.bridge);
        if (shared == nullptr)
            continue;
        for (const model::Address& from : network.addresses)
            for (const model::Address& to : shared->addresses)
                if (from.is_v4() == to.is_v4() && (from.is_v4() ? covers_ipv4 : covers_ipv6))
                    for (const model::Port& port : child->expose)
                        visit(network.bridge, from.is_v4(), make_key(from, to, port));
    }
}

nft::Flow flow_of(const nft::Key& key) {
    const auto bytes = key.bytes();
    constexpr std::size_t protocol_and_port = 8;  // each padded to 4
    const std::size_t size = (bytes.size() - protocol_and_port) / 2;
    const auto source = bytes.first(size), destination = bytes.subspan(size, size), rest = bytes.subspan(2 * size);
    return {{source.begin(), source.end()},
            {destination.begin(), destination.end()},
            rest[0],
            static_cast<std::uint16_t>(rest[4] << 8 | rest[5])};
}

}  // namespace nftlink::firewall
