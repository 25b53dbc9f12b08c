#include "nftlink/model/limits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <span>

#include "nftlink/base/suggestion.hpp"

namespace nftlink::model {

namespace {

using base::quote;

// 3,686,400
std::string with_commas(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (std::size_t end = text.size(); end > 3;) {
        end -= 3;
        text.insert(end, 1, ',');
    }
    return text;
}

// Pairs of addresses that a link is about, and of how many on each side the last of them are.
struct Pairs {
    std::uint64_t count = 0;
    std::size_t kinds = 0, of_parent = 0, of_child = 0;

    void add(std::size_t parents, std::size_t children) {
        if (parents == 0 || children == 0)
            return;
        count += std::uint64_t{parents} * children;
        ++kinds;
        of_parent = parents;
        of_child = children;
    }

    std::string to_string() const {
        return kinds == 1 ? fmt::format("{} x {} addresses", with_commas(of_parent), with_commas(of_child))
                          : with_commas(count) + " pairs of addresses";
    }
};

using AddressCounts = PerIp<std::size_t>;

AddressCounts addresses_of(std::span<const Network> networks) {
    AddressCounts addresses;
    for (const Network& network : networks) {
        const auto v4 = static_cast<std::size_t>(std::ranges::count(network.addresses, Ip::v4, &Address::ip));
        addresses.v4 += v4;
        addresses.v6 += network.addresses.size() - v4;
    }
    return addresses;
}

void add_pairs(const AddressCounts& parent, const AddressCounts& child, const FirewallPolicy& policy, Pairs& pairs) {
    for (const Ip ip : both_ips)
        if (policy.covers(ip))
            pairs.add(parent[ip], child[ip]);
}

Pairs pairs_of(const Container& parent, const Container& child, const FirewallPolicy& policy) {
    Pairs pairs;
    if (child.expose.empty())
        return pairs;
    bool share_a_bridge = false;
    for (const Network& network : parent.networks)
        if (const Network* shared = child.on(network.bridge)) {
            share_a_bridge = true;
            add_pairs(addresses_of({&network, 1}), addresses_of({shared, 1}), policy, pairs);
        }
    if (!share_a_bridge)
        add_pairs(addresses_of(parent.networks), addresses_of(child.networks), policy, pairs);
    return pairs;
}

// Of the parent's links whose child is there, and that are `wanted`.
void add_links(const ContainerView& containers, const Container& parent, auto wanted, PermissionSum& sum) {
    for (const Link& link : parent.links)
        if (wanted(link))
            if (const Container* child = containers.find(link.child))
                sum.add_or_fault(parent, *child);
}

bool is_any(const Link&) {
    return true;
}

}  // namespace

std::string addresses_fault(std::string_view container, const Network& network) {
    if (network.addresses.size() <= max_addresses)
        return "";
    return fmt::format("{} has more than {} addresses on bridge {}", quote(container), max_addresses,
                       quote(network.bridge));
}

std::string links_fault(std::string_view parent, std::size_t count) {
    return count <= max_links ? "" : fmt::format("{} has more than {} links", quote(parent), with_commas(max_links));
}

std::uint64_t count_permissions(const Container& parent, const Container& child, const FirewallPolicy& policy) {
    return pairs_of(parent, child, policy).count * child.expose.size();
}

std::string permissions_fault(const Container& parent, const Container& child, const FirewallPolicy& policy) {
    const Pairs pairs = pairs_of(parent, child, policy);
    const std::size_t ports = child.expose.size();
    if (pairs.count * ports <= max_permissions)
        return "";
    return fmt::format("{} and {} port{} are {} permissions, and one link may have {}", pairs.to_string(),
                       with_commas(ports), ports == 1 ? "" : "s", with_commas(pairs.count * ports),
                       with_commas(max_permissions));
}

std::string host_fault(std::string_view what, std::uint64_t permissions, const Limits& limits) {
    if (permissions <= limits.permissions)
        return "";
    return fmt::format("{} takes this host to {} permissions, and 'limits.permissions' allows {}", what,
                       with_commas(permissions), with_commas(limits.permissions));
}

std::size_t PermissionSum::Hash::operator()(const Pair& pair) const {
    const std::hash<const Container*> hash;
    return hash(pair.first) * 31 + hash(pair.second);
}

std::string PermissionSum::add_or_fault(const Container& parent, const Container& child, std::uint64_t permissions) {
    if (permissions == 0 || permissions > max_permissions || counted_.contains({&parent, &child}))
        return "";
    if (total_ + permissions > limits_.permissions)
        return host_fault(fmt::format("the link from {} to {}", quote(parent.name), quote(child.name)),
                          total_ + permissions, limits_);
    counted_.emplace(&parent, &child);
    total_ += permissions;
    return "";
}

std::uint64_t sum_permissions(const ContainerView& containers, const FirewallPolicy& policy) {
    PermissionSum sum(policy, no_limits);
    containers.for_each([&](const Container& parent) { add_links(containers, parent, is_any, sum); });
    return sum.total();
}

std::uint64_t sum_permissions_from(const ContainerView& containers, const FirewallPolicy& policy,
                                   const std::vector<std::string>& names) {
    PermissionSum sum(policy, no_limits);
    for (const std::string& name : names)
        if (const Container* parent = containers.find(name))
            add_links(containers, *parent, is_any, sum);
    return sum.total();
}

std::uint64_t sum_permissions_of(const ContainerView& containers, const FirewallPolicy& policy,
                                 const std::vector<std::string>& names) {
    const std::unordered_set<std::string_view> asked(names.begin(), names.end());
    PermissionSum sum(policy, no_limits);
    containers.for_each([&](const Container& parent) {
        if (asked.contains(parent.name))
            add_links(containers, parent, is_any, sum);
        else
            add_links(containers, parent, [&](const Link& link) { return asked.contains(link.child); }, sum);
    });
    return sum.total();
}

}  // namespace nftlink::model
