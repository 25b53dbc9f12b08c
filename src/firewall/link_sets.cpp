#include "nftlink/firewall/link_sets.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>
#include <utility>

#include "names.hpp"
#include "nftlink/nft/build.hpp"
#include "permissions.hpp"
#include "policy_rules.hpp"

namespace nftlink::firewall {

namespace {

// What some containers' links permit, and by which links.
using Granted = std::map<std::tuple<std::string_view, bool, nft::Key>, std::string>;  // by bridge, IPv4 or not, key

// What the change is about: the containers themselves, and the parents of those that are somewhere else now or expose
// other ports.
class Affected {
public:
    Affected(const model::Topology& now, const Before& before) : now_(now), before_(before) {
        std::set<std::string_view> moved;
        for (const auto& [name, was] : before) {
            names_.insert(name);
            const model::Container* is = now.find(name);
            if (was == nullptr || is == nullptr || was->networks != is->networks || was->expose != is->expose)
                moved.insert(name);
        }
        if (moved.empty())
            return;
        const auto leads_there = [&](const model::Link& link) { return moved.contains(link.child); };
        for (const auto& [name, container] : now.containers)
            if (std::ranges::any_of(container.links, leads_there))
                names_.insert(name);
    }

    const model::Container* was(std::string_view name) const {
        const auto changed = before_.find(name);
        return changed == before_.end() ? now_.find(name) : changed->second;
    }
    const model::Container* is(std::string_view name) const { return now_.find(name); }
    const std::set<std::string_view>& names() const { return names_; }

private:
    const model::Topology& now_;
    const Before& before_;
    std::set<std::string_view> names_;
};

// An address is one container's on a bridge, so that a permission is of links of one parent to one child.
template <typename Find>
Granted granted(const Affected& affected, const model::FirewallPolicy& policy, Find find) {
    Granted all;
    for (const std::string_view name : affected.names())
        if (const model::Container* parent = find(name))
            for (const model::Link& link : parent->links)
                if (const model::Container* child = find(link.child))
                    for_each_permission(policy, *parent, *child,
                                        [&](const std::string& bridge, bool is_ipv4, const nft::Key& key) {
                                            std::string& users = all[{bridge, is_ipv4, key}];
                                            users += (users.empty() ? "" : " ") + model::link_name(name, link.alias);
                                        });
    return all;
}

// Whether all bridges of a container that moves have a policy of their own: others come and go with their containers.
bool are_stated(const model::Container* container, const model::FirewallPolicy& policy) {
    return container == nullptr || std::ranges::all_of(container->networks, [&](const model::Network& network) {
               return policy.bridges.contains(network.bridge);
           });
}

bool stays_on_stated_bridges(const model::Topology& now, const Before& before, const model::FirewallPolicy& policy) {
    return std::ranges::all_of(before, [&](const auto& entry) {
        const model::Container* is = now.find(entry.first);
        const bool stays = is != nullptr && entry.second != nullptr && is->networks == entry.second->networks;
        return stays || (are_stated(entry.second, policy) && are_stated(is, policy));
    });
}

// The elements of the sets of one bridge and family that go and come.
struct Exchange {
    std::vector<nft::Element> gone, come;
};
using Exchanges = std::map<std::pair<std::string_view, bool>, Exchange>;

Exchanges exchanges(const Granted& before, Granted now, LinkSets::Update& update) {
    Exchanges all;
    for (const auto& [permission, users] : before) {
        const auto& [bridge, is_ipv4, key] = permission;
        const auto stays = now.find(permission);
        if (stays != now.end() && stays->second == users) {
            now.erase(stays);
            continue;
        }
        all[{bridge, is_ipv4}].gone.push_back({key, {}, {}, {}});
        if (stays == now.end())
            update.removed.push_back(flow_of(key));
        else
            update.renames = true;
    }
    for (auto& [permission, users] : now) {
        const auto& [bridge, is_ipv4, key] = permission;
        all[{bridge, is_ipv4}].come.push_back({key, comment_of(std::move(users)), {}, {}});
    }
    return all;
}

}  // namespace

LinkSets::LinkSets(const Wanted& want, const std::vector<bool>& in_second_slot, const model::FirewallPolicy& policy)
    : usable_(policy.layout == model::Layout::sets && policy.attach.empty()) {
    for (std::size_t index = 0; usable_ && index < want.tables.size(); ++index) {
        const nft::Table& table = want.tables[index];
        for (const nft::Set& set : table.sets)
            sets_[set.name].push_back({table.family, table.name,
                                       in_second_slot.at(index) ? other_slot(set.name) : set.name, set.size,
                                       set.elements.size()});
    }
}

std::optional<LinkSets::Update> LinkSets::update(const model::Topology& now, const Before& before,
                                                 const model::FirewallPolicy& policy) {
    if (!usable_ || !stays_on_stated_bridges(now, before, policy))
        return {};
    Update update;
    const Affected affected(now, before);
    const auto all =
        exchanges(granted(affected, policy, [&](std::string_view name) { return affected.was(name); }),
                  granted(affected, policy, [&](std::string_view name) { return affected.is(name); }), update);
    nft::Batch added;
    for (const auto& [where, exchange] : all) {
        const auto& [bridge, is_ipv4] = where;
        std::vector<std::string> names{links_set(bridge, is_ipv4)};
        if (policy.replies == model::Replies::source_port)
            names.push_back(replies_set(bridge, is_ipv4));
        for (const std::string& name : names) {
            const auto found = sets_.find(name);
            if (found == sets_.end())
                return {};
            for (Set& set : found->second) {
                set.count = set.count + exchange.come.size() - exchange.gone.size();
                if (set.count == 0 || set_size(set.count) > set.size)
                    return {};
                const auto key = nft::link_key(is_ipv4);
                if (!exchange.gone.empty())
                    update.batch.push_back({set.family, set.table, nft::DeleteElements{set.name, key, exchange.gone}});
                if (!exchange.come.empty())
                    added.push_back({set.family, set.table, nft::AddElements{set.name, key, exchange.come}});
            }
        }
    }
    std::ranges::move(added, std::back_inserter(update.batch));
    return update;
}

}  // namespace nftlink::firewall
