#include <map>
#include <unordered_set>
#include <utility>

#include "nftlink/config/fragment.hpp"
#include "sentences.hpp"
#include "words.hpp"

namespace nftlink::config {

namespace {

// Looking for a close name among all containers costs; past this many unknown children messages do without.
constexpr int max_suggestions = 10;
// A child's ports may make as many links too large as a host has; a request has fewer faults, and join() asks again.
constexpr std::size_t max_too_large = 1000;

class FitChecker {
public:
    FitChecker(const model::ContainerView& containers, const model::FirewallPolicy& policy,
               const std::vector<std::string>& names, Unplaced unplaced, model::PermissionSum* host)
        : containers_(containers), policy_(policy), names_(names), unplaced_(unplaced), host_(host) {}

    // Of two that are asked about and have the same address, it is the later one that doesn't fit.
    std::vector<Misfit> check() {
        for (const std::string_view name : names_)
            if (const model::Container* container = containers_.find(name);
                asked_.insert(name).second && container != nullptr)
                check_alone(*container);
        containers_.for_each([this](const model::Container& container) {
            check_addresses(container);
            check_links(container);
        });
        return std::move(misfits_);
    }

    std::vector<Misfit> check_own_links() {
        asked_.insert(names_.begin(), names_.end());
        for (const std::string& name : names_)
            if (const model::Container* container = containers_.find(name))
                check_links(*container);
        return std::move(misfits_);
    }

private:
    using Place = std::pair<std::string_view, model::Address>;  // a bridge, and an address there
    struct Use {
        const model::Container* container;
        std::size_t index;
    };

    bool is_asked(const std::string& name) const { return asked_.contains(name); }

    // The engine may know what isn't said.
    bool may_wait(const model::Container& container) const {
        return unplaced_ == Unplaced::allowed && container.networks.empty();
    }

    void check_alone(const model::Container& container) {
        if (!may_wait(container) && !is_covered(container, policy_))
            add(Misfit::Kind::family, container, 0, not_covered(container, policy_), "");
        std::size_t index = 0;
        for (const model::Network& network : container.networks)
            for (const model::Address& address : network.addresses)
                if (const auto [use, added] = uses_.emplace(Place{network.bridge, address}, Use{&container, index++});
                    !added)
                    add(Misfit::Kind::address, container, index - 1,
                        taken(address, network.bridge, use->second.container->name), use->second.container->name);
    }

    // Whether a container that isn't asked about has an address of one that is.
    void check_addresses(const model::Container& container) {
        if (is_asked(container.name))
            return;
        for (const model::Network& network : container.networks)
            for (const model::Address& address : network.addresses)
                if (const auto use = uses_.find(Place{network.bridge, address}); use != uses_.end())
                    add(Misfit::Kind::address, *use->second.container, use->second.index,
                        taken(address, network.bridge, container.name), container.name);
    }

    void check_links(const model::Container& parent) {
        const bool all = is_asked(parent.name);
        for (std::size_t index = 0; index < parent.links.size(); ++index) {
            const std::string& name = parent.links[index].child;
            if (!all && !is_asked(name))
                continue;
            const model::Container* child = containers_.find(name);
            if (child == nullptr && unplaced_ == Unplaced::allowed)
                continue;
            if (child == nullptr)
                add(Misfit::Kind::child, parent, index, no_container(name, all ? similar(name) : Suggestion(name)),
                    name);
            else
                check_permissions(parent, index, *child);
        }
        if (std::string fault = model::links_fault(parent.name, parent.links.size()); all && !fault.empty())
            add(Misfit::Kind::links, parent, model::max_links, std::move(fault), "");
    }

    void check_permissions(const model::Container& parent, std::size_t index, const model::Container& child) {
        if (std::string fault = model::permissions_fault(parent, child, policy_); !fault.empty()) {
            if (too_large_++ < max_too_large)
                add(Misfit::Kind::link_permissions, parent, index, std::move(fault), child.name);
        } else if (host_ == nullptr) {
            return;
        } else if (fault = host_->add_or_fault(parent, child); !fault.empty() && !std::exchange(is_over_, true)) {
            add(Misfit::Kind::host_permissions, parent, index, std::move(fault), child.name);
        }
    }

    // What may have been meant by the name of a child that its parent, which is asked about, has got wrong.
    Suggestion similar(std::string_view name) {
        Suggestion suggestion(name);
        if (suggestions_++ < max_suggestions)
            containers_.for_each([&](const model::Container& known) { suggestion.offer(known.name); });
        return suggestion;
    }

    void add(Misfit::Kind kind, const model::Container& container, std::size_t index, std::string message,
             const std::string& other) {
        misfits_.push_back({kind, container.name, index, std::move(message), other});
    }

    const model::ContainerView& containers_;
    const model::FirewallPolicy& policy_;
    const std::vector<std::string>& names_;
    Unplaced unplaced_;
    model::PermissionSum* host_;
    bool is_over_ = false;
    std::size_t too_large_ = 0;
    std::unordered_set<std::string_view> asked_;
    std::map<Place, Use> uses_;  // of the containers that are asked about
    std::vector<Misfit> misfits_;
    int suggestions_ = 0;
};

}  // namespace

std::vector<Misfit> check_fit(const model::ContainerView& containers, const model::FirewallPolicy& policy,
                              const std::vector<std::string>& names, Unplaced unplaced, model::PermissionSum* host) {
    return FitChecker(containers, policy, names, unplaced, host).check();
}

std::vector<Misfit> check_links_fit(const model::ContainerView& containers, const model::FirewallPolicy& policy,
                                    const std::vector<std::string>& names, Unplaced unplaced,
                                    model::PermissionSum* host) {
    return FitChecker(containers, policy, names, unplaced, host).check_own_links();
}

}  // namespace nftlink::config
