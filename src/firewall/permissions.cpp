#include "permissions.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <tuple>

#include "names.hpp"
#include "nftlink/base/key_order.hpp"
#include "nftlink/nft/build.hpp"

namespace nftlink::firewall {

namespace {

constexpr std::size_t name_size = 16;  // of a bridge's name in a key

// Makes one of what is the same, in a sorted list; the users keep their order.
template <typename T, typename Key>
void merge(std::vector<T>& permissions, Key key) {
    auto last = permissions.begin();
    for (auto next = permissions.begin(); next != permissions.end(); ++next) {
        if (next == last)
            continue;
        if (std::invoke(key, *next) != std::invoke(key, *last)) {
            if (++last != next)
                *last = std::move(*next);
        } else if (!next->comment.empty()) {
            last->comment.append(" ").append(next->comment);
        }
    }
    if (!permissions.empty())
        permissions.erase(std::next(last), permissions.end());
    for (T& permission : permissions)
        permission.comment = comment_of(std::move(permission.comment));
}

}  // namespace

std::vector<nft::DataType> permission_key(model::Ip ip) {
    auto key = nft::interface_key();
    std::ranges::copy(nft::link_key(nft_family(ip)), std::back_inserter(key));
    return key;
}

std::vector<nft::DataType> pair_key() {
    return {nft::DataType::ifname, nft::DataType::ifname};
}

std::vector<BridgeElement> bridge_elements(const model::FirewallPolicy& policy, Frames frames,
                                           std::string_view bridge) {
    const model::BridgePolicy bridge_policy = policy.bridge(bridge);
    const nft::Key name = nft::interface_key(bridge);
    nft::Key pair = name;
    pair.append(nft::interface_field(bridge));
    std::vector<BridgeElement> elements;
    if (bridge_policy.icc == model::Icc::allow)
        elements.push_back({open_set, pair_key(), pair});
    if (bridge_policy.routed != model::Routed::deny)
        elements.push_back({inside_set, pair_key(), pair});
    if (bridge_policy.routed == model::Routed::allow)
        elements.push_back({routed_set, nft::interface_key(), name});
    if (bridge_policy.routed == model::Routed::published)
        elements.push_back({published_set, nft::interface_key(), name});
    if (bridge_policy.icc == model::Icc::allow || bridge_policy.routed != model::Routed::deny)
        elements.push_back({lenient_set, nft::interface_key(), name});
    if (policy.counters != model::Counters::none)
        elements.push_back({denied_set, nft::interface_key(), name});
    elements.push_back({bridges_set, nft::interface_key(), name});
    if (frames == Frames::by_name && policy.closes_other_frames(bridge_policy))
        elements.push_back({closed_set, nft::interface_key(), name});
    return elements;
}

bool crosses_bridges(const nft::Key& link, const nft::Key& reply) {
    return !std::ranges::equal(link.bytes().first(name_size), reply.bytes().first(name_size));
}

nft::Key make_key(std::string_view bridge, const model::Address& from, const model::Address& to,
                  const model::Port& port) {
    nft::Key key;
    key.append(nft::interface_field(bridge));
    key.append(from.bytes());
    key.append(to.bytes());
    key.append(std::array{static_cast<std::uint8_t>(port.protocol)});
    key.append(std::array{static_cast<std::uint8_t>(port.number >> 8), static_cast<std::uint8_t>(port.number)});
    return key;
}

Permissions permissions(const model::Topology& topology, const model::FirewallPolicy& policy) {
    Permissions all;
    for (const auto& [name, bridge] : policy.bridges)
        all.bridges.insert(name);
    std::size_t link_count = 0;
    for (const auto& [name, parent] : topology.containers) {
        link_count += parent.links.size();
        for (const model::Network& network : parent.networks)
            all.bridges.insert(network.bridge);
    }
    // Nearly always a link is one permission.
    const bool is_by_rules = policy.layout == model::Layout::rules;
    all.links.v4.reserve(is_by_rules ? 0 : link_count);
    all.replies.v4.reserve(is_by_rules ? 0 : link_count);
    const ContainerIndex containers(topology);
    for (const auto& [name, parent] : topology.containers)
        for (const model::Link& link : parent.links)
            if (const model::Container* child = containers.find(link.child))
                for_each_permission(policy, parent, *child,
                                    [&](model::Ip ip, const nft::Key& key, const nft::Key& reply) {
                                        std::string user = model::link_name(name, link.alias);
                                        if (is_by_rules)
                                            return void(all.rules[ip].push_back({key, reply, std::move(user)}));
                                        all.cross_bridges |= crosses_bridges(key, reply);
                                        all.links[ip].push_back({key, std::move(user), {}, {}});
                                        all.replies[ip].push_back({reply, {}, {}, {}});
                                    });
    for (auto* list : {&all.links.v4, &all.links.v6, &all.replies.v4, &all.replies.v6}) {
        base::sort_by_key(*list);
        merge(*list, &nft::Element::key);
    }
    constexpr auto keys = [](const RulePair& pair) { return std::tie(pair.link, pair.reply); };
    for (auto* list : {&all.rules.v4, &all.rules.v6}) {
        std::ranges::stable_sort(*list, {}, keys);
        merge(*list, keys);
    }
    return all;
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

Flow flow_of(const nft::Key& key) {
    constexpr std::size_t protocol_and_port = 8;  // each padded to 4
    const auto name = key.bytes().first(name_size), bytes = key.bytes().subspan(name_size);
    const std::size_t size = (bytes.size() - protocol_and_port) / 2;
    const auto parent = bytes.first(size), child = bytes.subspan(size, size), rest = bytes.subspan(2 * size);
    return {{name.begin(), std::ranges::find(name, 0)},
            {parent.begin(), parent.end()},
            {child.begin(), child.end()},
            rest[0],
            static_cast<std::uint16_t>(rest[4] << 8 | rest[5])};
}

}  // namespace nftlink::firewall
