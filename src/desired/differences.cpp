#include "nftlink/desired/differences.hpp"

#include <algorithm>

namespace nftlink::desired {

namespace {

void add_new_links(const model::Topology& from, const model::Topology& to, bool added,
                   std::vector<LinkChange>& changes) {
    for (const auto& [name, container] : to.containers) {
        const model::Container* other = from.find(name);
        for (const model::Link& link : container.links)
            if (other == nullptr || std::ranges::find(other->links, link) == other->links.end())
                changes.push_back({name, link, added});
    }
}

}  // namespace

std::vector<LinkChange> link_changes(const model::Topology& before, const model::Topology& after) {
    std::vector<LinkChange> changes;
    add_new_links(after, before, false, changes);
    add_new_links(before, after, true, changes);
    return changes;
}

void add_changed(const model::Topology& before, const model::Topology& after, std::set<std::string>& names) {
    for (const auto& [name, container] : before.containers)
        if (const model::Container* now = after.find(name); now == nullptr || *now != container)
            names.insert(name);
    for (const auto& [name, container] : after.containers)
        if (before.find(name) == nullptr)
            names.insert(name);
}

Before those_before(const model::Topology& before, const std::set<std::string>& names) {
    Before those;
    for (const std::string& name : names)
        those.emplace(name, before.find(name));
    return those;
}

}  // namespace nftlink::desired
