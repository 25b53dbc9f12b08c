#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "nftlink/config/fragment.hpp"
#include "words.hpp"

namespace nftlink::config {

namespace {

class Joiner {
public:
    Joiner(model::Topology& topology, const model::FirewallPolicy& policy, Unplaced unplaced)
        : topology_(topology), policy_(policy), unplaced_(unplaced) {}

    void add(const std::string& name, model::Container container) {
        names_.push_back(name);
        topology_.containers.emplace(name, std::move(container));
    }

    void refuse(const std::string& name, std::string message) {
        joined.conflicts.push_back({name, std::move(message)});
    }

    // Until all fits: who leaves may be another's child.
    void settle() {
        while (!names_.empty()) {
            std::set<std::string> leaving;
            std::set<std::pair<std::string, std::string>> ending;
            for (const Misfit& misfit : check_fit(topology_, policy_, names_, unplaced_))
                judge(misfit, leaving, ending);
            if (leaving.empty() && ending.empty())
                return;
            for (const auto& [parent, alias] : ending)
                end(topology_.containers.find(parent)->second, alias);
            for (const std::string& name : leaving)
                topology_.containers.erase(name);
        }
    }

    // A container that is left out leaves its room to those after it.
    void settle_permissions(const model::Limits& limits) {
        std::map<std::string_view, std::uint64_t> shares = permissions_by_container();
        std::uint64_t total = shares[""];
        for (const std::string& name : names_) {
            const std::uint64_t with_it = total + shares[name];
            if (std::string fault = model::host_fault("container " + quote(name), with_it, limits); fault.empty()) {
                total = with_it;
            } else {
                refuse(name, std::move(fault));
                topology_.containers.erase(name);
            }
        }
        settle();
    }

    Joined joined;

private:
    void judge(const Misfit& misfit, std::set<std::string>& leaving,
               std::set<std::pair<std::string, std::string>>& ending) {
        // What stood there before is right.
        if (!is_new(misfit.container)) {
            if (misfit.kind == Misfit::Kind::link_permissions && leaving.insert(misfit.other).second)
                refuse(misfit.other, misfit.message);
            return;
        }
        if (misfit.kind == Misfit::Kind::child || misfit.kind == Misfit::Kind::no_bridge)
            ending.emplace(misfit.container, topology_.find(misfit.container)->links[misfit.index].alias);
        else if (!leaving.contains(misfit.other) && leaving.insert(misfit.container).second)
            refuse(misfit.container, misfit.message);
    }

    // What its links ask for, and those to it from containers that were there before; these among themselves: "".
    std::map<std::string_view, std::uint64_t> permissions_by_container() const {
        const std::set<std::string_view> added(names_.begin(), names_.end());
        std::map<std::string_view, std::uint64_t> shares;
        model::PermissionSum sum(policy_, model::no_limits);
        for (const auto& [name, parent] : topology_.containers)
            for (const model::Link& link : parent.links)
                if (const model::Container* child = topology_.find(link.child)) {
                    const std::uint64_t before = sum.total();
                    sum.add_or_fault(parent, *child);
                    const auto owner = added.contains(name) ? added.find(name) : added.find(link.child);
                    shares[owner == added.end() ? "" : *owner] += sum.total() - before;
                }
        return shares;
    }

    bool is_new(const std::string& name) const { return std::ranges::find(names_, name) != names_.end(); }

    void end(model::Container& parent, const std::string& alias) {
        const auto link = std::ranges::find(parent.links, alias, &model::Link::alias);
        joined.ended.emplace_back(parent.name, *link);
        parent.links.erase(link);
    }

    model::Topology& topology_;
    const model::FirewallPolicy& policy_;
    Unplaced unplaced_;
    std::vector<std::string> names_;  // of those that were added
};

}  // namespace

Joined join(model::Topology& topology, const model::FirewallPolicy& policy,
            const std::map<std::string, base::Position, std::less<>>& places,
            std::map<std::string, model::Container, std::less<>> more, Unplaced unplaced, const model::Limits& limits) {
    Joiner joiner(topology, policy, unplaced);
    for (auto& [name, container] : more)
        if (const auto place = places.find(name); place != places.end())
            joiner.refuse(name, fmt::format("container {} is given twice: it came through the API, and it stands at {}",
                                            quote(name), place->second.to_string()));
        else if (container.networks.empty() && unplaced == Unplaced::refused)
            joiner.refuse(name,
                          fmt::format("container {} is on no bridge, and without sources.docker nobody says where "
                                      "it is",
                                      quote(name)));
        else
            joiner.add(name, std::move(container));
    joiner.settle();
    joiner.settle_permissions(limits);
    return std::move(joiner.joined);
}

}  // namespace nftlink::config
