#include "topology_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <unordered_map>

#include "words.hpp"

namespace nftlink::config {

namespace {

// Looking for a close name among all containers costs; past this many unknown children messages do without.
constexpr int max_suggestions = 100;

struct Use {
    const std::string* bridge;
    const model::Address* address;
    Place place;
    const StatedContainer* user;
};

bool same_address(const Use& a, const Use& b) {
    return *a.address == *b.address && *a.bridge == *b.bridge;
}

bool precedes(const Use& a, const Use& b) {
    if (const auto order = *a.address <=> *b.address; order != 0)
        return order < 0;
    if (const int order = a.bridge->compare(*b.bridge); order != 0)
        return order < 0;
    return std::pair(a.place, a.user) < std::pair(b.place, b.user);  // users are in the order given
}

std::vector<Use> uses_of_addresses(const std::vector<StatedContainer>& containers) {
    std::vector<Use> uses;
    for (const StatedContainer& container : containers) {
        auto place = container.addresses.begin();
        for (const model::Network& network : container.value.networks)
            for (const model::Address& address : network.addresses)
                uses.push_back({&network.bridge, &address, *place++, &container});
    }
    std::ranges::sort(uses, precedes);
    return uses;
}

bool has(const model::Network& network, bool v4) {
    return std::ranges::any_of(network.addresses,
                               [v4](const model::Address& address) { return address.is_v4() == v4; });
}

std::string bridges_of(const model::Container& container) {
    std::vector<std::string_view> names;
    std::ranges::transform(container.networks, std::back_inserter(names), &model::Network::bridge);
    return fmt::format("{}", fmt::join(names, ", "));
}

class LinkChecker {
public:
    LinkChecker(const std::vector<StatedContainer>& containers, const model::FirewallPolicy& policy, bool whole,
                Report& report)
        : containers_(containers), policy_(policy), whole_(whole), report_(report) {
        by_name_.reserve(containers.size());
        for (const StatedContainer& container : containers)
            by_name_.emplace(container.value.name, &container);
    }

    void check(const StatedContainer& parent) {
        for (std::size_t i = 0; i < parent.links.size(); ++i) {
            const auto child = by_name_.find(parent.value.links[i].child);
            if (child == by_name_.end())
                unknown_child(parent.links[i], parent.value.links[i].child);
            else if (parent.placed && child->second->placed)
                check(parent.links[i], parent, *child->second);
        }
    }

private:
    void unknown_child(Place place, std::string_view name) {
        if (!whole_)
            return;
        Suggestion suggestion(name);
        if (suggestions_++ < max_suggestions)
            for (const StatedContainer& container : containers_)
                suggestion.offer(container.value.name);
        report_.error(place, fmt::format("there is no container {}{}", quote(name), suggestion.to_string()));
    }

    void check(Place place, const StatedContainer& stated_parent, const StatedContainer& stated_child) {
        const model::Container& parent = stated_parent.value;
        const model::Container& child = stated_child.value;
        bool share_bridge = false;
        bool share_family = false;
        for (const model::Network& network : parent.networks)
            if (const model::Network* other = child.on(network.bridge)) {
                share_bridge = true;
                share_family |= policy_.covers_ipv4() && has(network, true) && has(*other, true);
                share_family |= policy_.covers_ipv6() && has(network, false) && has(*other, false);
            }
        const std::string names = fmt::format("{} and {}", quote(parent.name), quote(child.name));
        if (!share_bridge)
            report_.error(
                place, fmt::format("{} share no bridge: {} against {}", names, bridges_of(parent), bridges_of(child)));
        else if (!stated_child.sound)
            return;  // its ports may be what is missing
        else if (child.expose.empty())
            report_.warning(place, fmt::format("{} exposes no port: this link permits nothing", quote(child.name)));
        else if (!share_family)
            report_.warning(place,
                            fmt::format("{} have no addresses of the same family on a bridge they share: this link "
                                        "permits nothing",
                                        names));
    }

    const std::vector<StatedContainer>& containers_;
    const model::FirewallPolicy& policy_;
    bool whole_;
    Report& report_;
    std::unordered_map<std::string_view, const StatedContainer*> by_name_;
    int suggestions_ = 0;
};

}  // namespace

void check_addresses(const std::vector<StatedContainer>& containers, const model::FirewallPolicy& policy,
                     Report& report) {
    const std::vector<Use> uses = uses_of_addresses(containers);
    for (std::size_t i = 1, first = 0; i < uses.size(); ++i) {
        if (!same_address(uses[first], uses[i])) {
            first = i;
            continue;
        }
        report.error(uses[i].place, fmt::format("the address {} is used twice on bridge {}: {} has it already, at {}",
                                                uses[i].address->to_string(), quote(*uses[i].bridge),
                                                quote(uses[first].user->value.name), report.at(uses[first].place)));
    }
    if (policy.covers_ipv6())
        return;
    for (const StatedContainer& container : containers) {
        const auto& networks = container.value.networks;
        const auto has_v4 = [](const model::Network& network) { return has(network, true); };
        if (container.placed && !container.addresses.empty() && std::ranges::none_of(networks, has_v4))
            report.error(
                container.addresses.front(),
                fmt::format("{} has only IPv6 addresses, and {}", quote(container.value.name),
                            policy.attach.empty() ? "'family: ip' is about IPv4 only; use 'family: inet'"
                                                  : "'attach' names no chain for IPv6; add one of family ip6 or inet"));
    }
}

void check_links(const std::vector<StatedContainer>& containers, const model::FirewallPolicy& policy, bool whole,
                 Report& report) {
    LinkChecker checker(containers, policy, whole, report);
    for (const StatedContainer& container : containers)
        checker.check(container);
}

}  // namespace nftlink::config
