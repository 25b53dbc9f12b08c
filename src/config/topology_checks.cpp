#include "topology_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "sentences.hpp"
#include "words.hpp"

namespace nftlink::config {

namespace {

// Looking for a close name among all containers costs; past this many unknown children messages do without.
constexpr int max_suggestions = 100;
// Links of too many permissions that are named.
constexpr std::size_t max_too_large = 100;

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

class LinkChecker {
public:
    LinkChecker(const std::vector<StatedContainer>& containers, const model::FirewallPolicy& policy,
                const model::Limits& limits, bool whole, Report& report)
        : containers_(containers), policy_(policy), host_(policy, limits), whole_(whole), report_(report) {
        by_name_.reserve(containers.size());
        for (const StatedContainer& container : containers)
            by_name_.emplace(container.value.name, &container);
    }

    void check(const StatedContainer& parent) {
        for (std::size_t i = 0; i < parent.links.size(); ++i) {
            const auto child = by_name_.find(parent.value.links[i].child);
            if (child == by_name_.end())
                unknown_child(parent.links[i], parent.value.links[i].child);
            else if (parent.placed && child->second->placed) {
                check(parent.links[i], parent, *child->second);
                check_limits(parent.links[i], parent.value, *child->second);
            }
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
        report_.error(place, no_container(name, suggestion));
    }

    void check(Place place, const StatedContainer& stated_parent, const StatedContainer& stated_child) {
        const model::Container& parent = stated_parent.value;
        const model::Container& child = stated_child.value;
        bool share_family = false;
        model::for_each_way(parent, child, [&](const model::Network& from, const model::Network& to) {
            for (const model::Ip ip : model::both_ips)
                share_family |= policy_.covers(ip) && has_family(from, ip) && has_family(to, ip);
        });
        if (!stated_child.sound)
            return;  // its ports may be what is missing
        else if (child.expose.empty())
            report_.warning(place, fmt::format("{} exposes no port: this link permits nothing", quote(child.name)));
        else if (!share_family)
            report_.warning(place,
                            fmt::format("{} and {} have no addresses of the same family where they meet: this link "
                                        "permits nothing",
                                        quote(parent.name), quote(child.name)));
    }

    // The link that goes over the host's limit is named, and none after it.
    void check_limits(Place place, const model::Container& parent, const StatedContainer& child) {
        if (!child.sound)
            return;  // more ports than it has may be written
        if (std::string fault = model::permissions_fault(parent, child.value, policy_); !fault.empty())
            too_large(place, std::move(fault));
        else if (fault = host_.add_or_fault(parent, child.value); !fault.empty() && !std::exchange(is_over_, true))
            report_.error(place, std::move(fault));
    }

    // One child that many have may be what is wrong with all of them.
    void too_large(Place place, std::string fault) {
        if (++too_large_ <= max_too_large)
            report_.error(place, std::move(fault));
        else if (too_large_ == max_too_large + 1)
            report_.error(place, fmt::format("{}; so it is with more links, of which the first {} are named", fault,
                                             max_too_large));
    }

    const std::vector<StatedContainer>& containers_;
    const model::FirewallPolicy& policy_;
    model::PermissionSum host_;
    bool is_over_ = false;
    std::size_t too_large_ = 0;
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
        report.error(uses[i].place,
                     fmt::format("{}, at {}", taken(*uses[i].address, *uses[i].bridge, uses[first].user->value.name),
                                 report.at(uses[first].place)));
    }
    for (const StatedContainer& container : containers)
        if (container.placed && !container.addresses.empty() && !is_covered(container.value, policy))
            report.error(container.addresses.front(), not_covered(container.value, policy));
}

void check_links(const std::vector<StatedContainer>& containers, const model::FirewallPolicy& policy,
                 const model::Limits& limits, bool whole, Report& report) {
    LinkChecker checker(containers, policy, limits, whole, report);
    for (const StatedContainer& container : containers)
        checker.check(container);
}

}  // namespace nftlink::config
