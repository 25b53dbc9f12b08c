#include "permissions.hpp"

#include <algorithm>
#include <array>

#include "nftlink/nft/key_order.hpp"

namespace nftlink::firewall {

nft::Key make_key(const model::Address& parent, const model::Address& child, const model::Port& port) {
    nft::Key key;
    key.append(parent.bytes());
    key.append(child.bytes());
    key.append(std::array{static_cast<std::uint8_t>(port.protocol)});
    key.append(std::array{static_cast<std::uint8_t>(port.number >> 8), static_cast<std::uint8_t>(port.number)});
    return key;
}

namespace {

// Sorts, and makes one of what is the same; the users keep their order.
void merge(std::vector<Permission>& permissions) {
    nft::sort_by_key(permissions);
    auto last = permissions.begin();
    for (auto next = permissions.begin(); next != permissions.end(); ++next) {
        if (next == last)
            continue;
        if (next->key == last->key)
            last->comment.append(" ").append(next->comment);
        else if (++last != next)
            *last = std::move(*next);
    }
    if (!permissions.empty())
        permissions.erase(std::next(last), permissions.end());
    for (Permission& permission : permissions)
        permission.comment = comment_of(std::move(permission.comment));
}

}  // namespace

Permissions permissions(const model::Topology& topology, const model::FirewallPolicy& policy) {
    Permissions bridges;
    for (const auto& [name, bridge] : policy.bridges)
        bridges[name];
    std::size_t link_count = 0;
    for (const auto& [name, parent] : topology.containers) {
        link_count += parent.links.size();
        for (const model::Network& network : parent.networks)
            bridges[network.bridge];
    }
    // On a host with one bridge, which is most of them, the number is known beforehand.
    if (bridges.size() == 1)
        bridges.begin()->second.ipv4.reserve(link_count);
    const ContainerIndex containers(topology);
    for (const auto& [name, parent] : topology.containers)
        for (const model::Link& link : parent.links)
            if (const model::Container* child = containers.find(link.child))
                for_each_permission(policy, parent, *child,
                                    [&](const std::string& bridge, bool is_ipv4, const nft::Key& key) {
                                        auto& permissions = bridges.find(bridge)->second;
                                        (is_ipv4 ? permissions.ipv4 : permissions.ipv6)
                                            .push_back({key, model::link_name(name, link.alias), {}, {}});
                                    });
    for (auto& [name, bridge] : bridges) {
        merge(bridge.ipv4);
        merge(bridge.ipv6);
    }
    return bridges;
}

std::string comment_of(std::string users) {
    if (users.size() > nft::max_comment_length)
        users.resize(nft::max_comment_length);
    return users;
}

std::uint32_t set_size(std::size_t element_count) {
    constexpr std::size_t smallest = 192;
    std::size_t size = smallest;
    while (size < element_count + element_count / 4)
        size *= 2;
    return static_cast<std::uint32_t>(size);
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
