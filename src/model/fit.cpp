#include "nftlink/model/fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <compare>
#include <unordered_set>
#include <utility>

#include "nftlink/base/suggestion.hpp"

namespace nftlink::model {

namespace {

using base::quote;
using base::Suggestion;

// A child's ports may make as many links too large as a host has; more than these are of no use to anybody.
constexpr std::size_t max_too_large = 1000;

// A container's address on a bridge.
struct Use {
    const std::string* bridge;
    const Address* address;
    const Container* container;
    std::size_t order;  // among all that are asked about

    // Which one of the container's addresses it is, counted over all networks.
    std::size_t index() const {
        std::size_t before = 0;
        for (const Network& network : container->networks)
            for (const Address& each : network.addresses)
                if (&each == address)
                    return before;
                else
                    ++before;
        return before;
    }
};

std::strong_ordering compare_places(const Use& a, const Use& b) {
    if (const auto order = *a.address <=> *b.address; order != 0)
        return order;
    return *a.bridge <=> *b.bridge;
}

bool precedes(const Use& a, const Use& b) {
    const auto order = compare_places(a, b);
    return order != 0 ? order < 0 : a.order < b.order;
}

bool is_covered(const Container& container, const FirewallPolicy& policy) {
    const auto has_v4 = [](const Network& network) {
        return std::ranges::find(network.addresses, Ip::v4, &Address::ip) != network.addresses.end();
    };
    return policy.covers(Ip::v6) || std::ranges::any_of(container.networks, has_v4);
}

std::string not_covered(const Container& container, const FirewallPolicy& policy) {
    return fmt::format("{} has only IPv6 addresses, and {}", quote(container.name),
                       policy.attach.empty() ? "'family: ip' is about IPv4 only; use 'family: inet'"
                                             : "'attach' names no chain for IPv6; add one of family ip6 or inet");
}

class FitChecker {
public:
    FitChecker(const ContainerView& containers, const FirewallPolicy& policy, Unplaced unplaced, PermissionSum* host,
               CanCount can_count = nullptr)
        : containers_(containers),
          policy_(policy),
          unplaced_(unplaced),
          host_(host),
          can_count_(std::move(can_count)) {}

    std::vector<Misfit> check(const std::vector<std::string>& names) {
        std::vector<const Container*> asked;
        for (const std::string& name : names)
            if (const Container* container = containers_.find(name); asked_.insert(name).second && container != nullptr)
                asked.push_back(container);
        check_alone(asked);
        containers_.for_each([this](const Container& container) {
            const bool all = is_asked(container.name);
            if (!all)
                check_addresses(container);
            check_links(container, all);
        });
        return std::move(misfits_);
    }

    std::vector<Misfit> check_all() {
        std::vector<const Container*> asked;
        containers_.for_each([&](const Container& container) { asked.push_back(&container); });
        check_alone(asked);
        for (const Container* container : asked)
            check_links(*container, true);
        return std::move(misfits_);
    }

    std::vector<Misfit> check_own_links(const std::vector<std::string>& names) {
        for (const std::string& name : names)
            if (const Container* container = containers_.find(name))
                check_links(*container, true);
        return std::move(misfits_);
    }

private:
    bool is_asked(const std::string& name) const { return asked_.contains(name); }

    // The engine may know what isn't said.
    bool may_wait(const Container& container) const {
        return unplaced_ == Unplaced::allowed && container.networks.empty();
    }

    // The containers that are asked about, each by itself and beside one another.
    void check_alone(const std::vector<const Container*>& asked) {
        for (const Container* container : asked)
            for (const Network& network : container->networks)
                for (const Address& address : network.addresses)
                    uses_.push_back({&network.bridge, &address, container, uses_.size()});
        std::ranges::sort(uses_, precedes);
        const std::vector<std::pair<const Use*, const Use*>> twice = used_twice();
        auto next = twice.begin();
        for (const Container* container : asked) {
            if (!may_wait(*container) && !is_covered(*container, policy_))
                add(Misfit::Kind::family, *container, 0, not_covered(*container, policy_), "");
            for (; next != twice.end() && next->first->container == container; ++next)
                add_taken(*next->first, *next->second);
        }
    }

    // Each use of an address that has been used before, with the first one; in the order asked.
    std::vector<std::pair<const Use*, const Use*>> used_twice() const {
        std::vector<std::pair<const Use*, const Use*>> twice;
        for (std::size_t i = 1, first = 0; i < uses_.size(); ++i)
            if (compare_places(uses_[first], uses_[i]) == 0)
                twice.emplace_back(&uses_[i], &uses_[first]);
            else
                first = i;
        std::ranges::sort(twice, {}, [](const auto& each) { return each.first->order; });
        return twice;
    }

    // A container that isn't asked about may have an address of one that is.
    void check_addresses(const Container& container) {
        for (const Network& network : container.networks)
            for (const Address& address : network.addresses) {
                const Use other{&network.bridge, &address, &container, 0};
                const auto use = std::ranges::lower_bound(uses_, other, precedes);
                if (use != uses_.end() && compare_places(*use, other) == 0)
                    add_taken(*use, other);
            }
    }

    // All of them, or those to containers that are asked about.
    void check_links(const Container& parent, bool all) {
        for (std::size_t index = 0; index < parent.links.size(); ++index) {
            const std::string& name = parent.links[index].child;
            if (!all && !is_asked(name))
                continue;
            const Container* child = containers_.find(name);
            if (child == nullptr && unplaced_ == Unplaced::allowed)
                continue;
            if (child == nullptr)
                add(Misfit::Kind::child, parent, index,
                    fmt::format("there is no container {}{}", quote(name), all ? suggestion(name) : ""), name);
            else if (can_count_ == nullptr || can_count_(parent, *child))
                check_permissions(parent, index, *child);
        }
        if (std::string fault = links_fault(parent.name, parent.links.size()); all && !fault.empty())
            add(Misfit::Kind::links, parent, max_links, std::move(fault), "");
    }

    void check_permissions(const Container& parent, std::size_t index, const Container& child) {
        const std::uint64_t permissions = count_permissions(parent, child, policy_);
        if (permissions > max_permissions && too_large_++ < max_too_large)
            add(Misfit::Kind::link_permissions, parent, index, permissions_fault(parent, child, policy_), child.name);
        if (permissions > max_permissions || host_ == nullptr)
            return;
        if (std::string fault = host_->add_or_fault(parent, child, permissions);
            !fault.empty() && !std::exchange(is_over_, true))
            add(Misfit::Kind::host_permissions, parent, index, std::move(fault), child.name);
    }

    // For the name of a child that its parent, which is asked about, has got wrong.
    std::string suggestion(std::string_view name) {
        Suggestion suggestion(name);
        if (suggestions_++ < max_suggestions)
            containers_.for_each([&](const Container& known) { suggestion.offer(known.name); });
        return suggestion.to_string();
    }

    void add(Misfit::Kind kind, const Container& container, std::size_t index, std::string message,
             const std::string& other, std::size_t other_index = 0) {
        misfits_.push_back({kind, container.name, index, std::move(message), other, other_index});
    }

    void add_taken(const Use& use, const Use& other) {
        add(Misfit::Kind::address, *use.container, use.index(),
            fmt::format("the address {} is used twice on bridge {}: {} has it already", use.address->to_string(),
                        quote(*use.bridge), quote(other.container->name)),
            other.container->name, other.index());
    }

    const ContainerView& containers_;
    const FirewallPolicy& policy_;
    Unplaced unplaced_;
    PermissionSum* host_;
    CanCount can_count_;
    std::unordered_set<std::string_view> asked_;
    std::vector<Use> uses_;  // of the containers that are asked about, sorted
    std::vector<Misfit> misfits_;
    bool is_over_ = false;
    std::size_t too_large_ = 0;
    std::size_t suggestions_ = 0;
};

}  // namespace

std::vector<Misfit> check_fit(const ContainerView& containers, const FirewallPolicy& policy,
                              const std::vector<std::string>& names, Unplaced unplaced, PermissionSum* host) {
    return FitChecker(containers, policy, unplaced, host).check(names);
}

std::vector<Misfit> check_links_fit(const ContainerView& containers, const FirewallPolicy& policy,
                                    const std::vector<std::string>& names, Unplaced unplaced, PermissionSum* host) {
    return FitChecker(containers, policy, unplaced, host).check_own_links(names);
}

std::vector<Misfit> check_all_fit(const ContainerView& containers, const FirewallPolicy& policy, Unplaced unplaced,
                                  PermissionSum& host, CanCount can_count) {
    return FitChecker(containers, policy, unplaced, &host, std::move(can_count)).check_all();
}

}  // namespace nftlink::model
