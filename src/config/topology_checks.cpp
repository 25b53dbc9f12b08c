#include "topology_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>

#include "words.hpp"

namespace nftlink::config {

namespace {

using model::Misfit;

// Links of too many permissions that are named.
constexpr std::size_t max_too_large = 100;

// The stated containers as the checker looks at them.
class Stated {
public:
    explicit Stated(const std::vector<StatedContainer>& containers) : containers_(containers) {
        by_name_.reserve(containers.size());
        for (const StatedContainer& container : containers)
            by_name_.emplace(container.value.name, &container);
    }

    const StatedContainer& at(std::string_view name) const { return *by_name_.find(name)->second; }
    const model::Container* find(std::string_view name) const {
        const auto found = by_name_.find(name);
        return found == by_name_.end() ? nullptr : &found->second->value;
    }
    template <typename Visit>
    void for_each(const Visit& visit) const {
        for (const StatedContainer& container : containers_)
            visit(container.value);
    }

    // None where all are sound: it costs with each link.
    model::CanCount can_count() const {
        if (std::ranges::all_of(containers_, &StatedContainer::sound))
            return nullptr;
        // More ports than it has may be written.
        return [this](const model::Container& parent, const model::Container& child) {
            return at(parent.name).placed && at(child.name).placed && at(child.name).sound;
        };
    }

private:
    const std::vector<StatedContainer>& containers_;
    std::unordered_map<std::string_view, const StatedContainer*> by_name_;
};

// Tells misfits at their places.
class MisfitReporter {
public:
    MisfitReporter(const Stated& stated, Report& report) : stated_(stated), report_(report) {}

    void tell(Misfit misfit) {
        const StatedContainer& container = stated_.at(misfit.container);
        if (misfit.kind == Misfit::Kind::address)
            taken(container, misfit);
        else if (misfit.kind == Misfit::Kind::link_permissions)
            too_large(container.links[misfit.index], std::move(misfit.message));
        else if (misfit.kind != Misfit::Kind::family)
            report_.error(container.links[misfit.index], std::move(misfit.message));
        else if (container.placed)
            report_.error(container.addresses.front(), std::move(misfit.message));
    }

private:
    // Of one container's networks, `bridge` is the first wherever it stands.
    void taken(const StatedContainer& container, const Misfit& misfit) {
        Place here = container.addresses[misfit.index];
        Place there = stated_.at(misfit.other).addresses[misfit.other_index];
        if (misfit.other == misfit.container && here < there)
            std::swap(here, there);
        report_.error(here, fmt::format("{}, at {}", misfit.message, report_.at(there)));
    }

    // One child that many have may be what is wrong with all of them.
    void too_large(Place place, std::string fault) {
        if (++too_large_ <= max_too_large)
            report_.error(place, std::move(fault));
        else if (too_large_ == max_too_large + 1)
            report_.error(place, fmt::format("{}; so it is with more links, of which the first {} are named", fault,
                                             max_too_large));
    }

    const Stated& stated_;
    Report& report_;
    std::size_t too_large_ = 0;
};

void check_use(Place place, const model::Container& parent, const model::Container& child,
               const model::FirewallPolicy& policy, Report& report) {
    if (child.expose.empty())
        report.warning(place, fmt::format("{} exposes no port: this link permits nothing", quote(child.name)));
    else if (model::count_permissions(parent, child, policy) == 0)
        report.warning(place, fmt::format("{} and {} have no addresses of the same family where they meet: this link "
                                          "permits nothing",
                                          quote(parent.name), quote(child.name)));
}

// A container without a place may get one from the engine.
void warn_of_links(const std::vector<StatedContainer>& containers, const Stated& stated,
                   const model::FirewallPolicy& policy, Report& report) {
    for (const StatedContainer& parent : containers)
        for (std::size_t i = 0; parent.placed && i < parent.links.size(); ++i)
            if (const model::Container* child = stated.find(parent.value.links[i].child);
                child != nullptr && !child->networks.empty())
                check_use(parent.links[i], parent.value, *child, policy, report);
}

}  // namespace

void check_topology(const std::vector<StatedContainer>& containers, const model::FirewallPolicy& policy,
                    const model::Limits& limits, model::Unplaced unplaced, Report& report) {
    const Stated stated(containers);
    model::PermissionSum host(policy, limits);
    MisfitReporter reporter(stated, report);
    for (Misfit& misfit : model::check_all_fit(stated, policy, unplaced, host, stated.can_count()))
        reporter.tell(std::move(misfit));
    // Nobody reads them otherwise.
    if (report.error_count() == 0)
        warn_of_links(containers, stated, policy, report);
}

}  // namespace nftlink::config
