#include "join.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "nftlink/base/suggestion.hpp"

namespace nftlink::desired {

using base::quote;
using model::Misfit;
using model::Unplaced;

namespace {

class Joiner {
public:
    Joiner(model::Topology& topology, const model::FirewallPolicy& policy, Unplaced unplaced)
        : topology_(topology), policy_(policy), unplaced_(unplaced) {}

    void add(const std::string& name, model::Container container) {
        names_.push_back(name);
        topology_.containers.emplace(name, std::move(container));
    }

    void refuse(const std::string& name, std::string message, bool is_of_limits = false) {
        joined.conflicts.push_back({name, std::move(message), is_of_limits});
    }

    // Until all fits: who leaves may be another's child.
    void settle() {
        while (!names_.empty()) {
            std::set<std::string> leaving;
            std::set<std::pair<std::string, std::string>> ending;
            for (const Misfit& misfit : model::check_fit(topology_, policy_, names_, unplaced_))
                judge(misfit, leaving, ending);
            if (leaving.empty() && ending.empty())
                return;
            for (const auto& [parent, alias] : ending)
                end(topology_.containers.find(parent)->second, alias);
            for (const std::string& name : leaving)
                topology_.containers.erase(name);
        }
    }

    // The host's limit is about all of them.
    void check_permissions(const model::Limits& limits) {
        const std::uint64_t total = model::sum_permissions(topology_, policy_);
        if (std::string fault = model::host_fault("what came through the API", total, limits);
            !names_.empty() && !fault.empty())
            joined.conflicts.push_back({names_.back(), std::move(fault), true});
    }

    Joined joined;

private:
    void judge(const Misfit& misfit, std::set<std::string>& leaving,
               std::set<std::pair<std::string, std::string>>& ending) {
        // The one that stood there before is right.
        if (!is_new(misfit.container)) {
            if (misfit.kind == Misfit::Kind::link_permissions && leaving.insert(misfit.other).second)
                refuse(misfit.other, misfit.message, true);
            return;
        }
        if (misfit.kind == Misfit::Kind::child)
            ending.emplace(misfit.container, topology_.find(misfit.container)->links[misfit.index].alias);
        else if (!leaving.contains(misfit.other) && leaving.insert(misfit.container).second)
            refuse(misfit.container, misfit.message,
                   misfit.kind == Misfit::Kind::links || misfit.kind == Misfit::Kind::link_permissions);
    }

    bool is_new(const std::string& name) const { return std::ranges::binary_search(names_, name); }

    void end(model::Container& parent, const std::string& alias) {
        const auto link = std::ranges::find(parent.links, alias, &model::Link::alias);
        joined.ended.emplace_back(parent.name, *link);
        parent.links.erase(link);
    }

    model::Topology& topology_;
    const model::FirewallPolicy& policy_;
    Unplaced unplaced_;
    std::vector<std::string> names_;  // of those that were added; sorted
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
    joiner.check_permissions(limits);
    return std::move(joiner.joined);
}

}  // namespace nftlink::desired
