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

    Joined joined;

private:
    void judge(const Misfit& misfit, std::set<std::string>& leaving,
               std::set<std::pair<std::string, std::string>>& ending) {
        // What stood there before is right.
        if (std::ranges::find(names_, misfit.container) == names_.end())
            return;
        if (misfit.kind == Misfit::Kind::child || misfit.kind == Misfit::Kind::no_bridge)
            ending.emplace(misfit.container, topology_.find(misfit.container)->links[misfit.index].alias);
        else if (!leaving.contains(misfit.other) && leaving.insert(misfit.container).second)
            refuse(misfit.container, misfit.message);
    }

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
            std::map<std::string, model::Container, std::less<>> more, Unplaced unplaced) {
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
    return std::move(joiner.joined);
}

}  // namespace nftlink::config
