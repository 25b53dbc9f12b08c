#include "nftlink/firewall/link_sets.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "names.hpp"
#include "nftlink/nft/build.hpp"
#include "permissions.hpp"

namespace nftlink::firewall {

namespace {

struct Grant {
    std::set<nft::Key> replies;  // of several children with one address, on several bridges
    std::string users;
};
// The permissions of some containers' links, and the links that give them; by protocol version and key.
using Granted = std::map<std::pair<model::Ip, nft::Key>, Grant>;

// The containers that the change is about: they themselves, and the parents of those that are somewhere else now or
// expose other ports.
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

// An address is one container's on a bridge, so that a permission is of links of one parent.
template <typename Find>
Granted granted(const Affected& affected, const model::FirewallPolicy& policy, Find find) {
    Granted all;
    for (const std::string_view name : affected.names())
        if (const model::Container* parent = find(name))
            for (const model::Link& link : parent->links)
                if (const model::Container* child = find(link.child))
                    for_each_permission(
                        policy, *parent, *child, [&](model::Ip ip, const nft::Key& key, const nft::Key& reply) {
                            Grant& grant = all[{ip, key}];
                            grant.replies.insert(reply);
                            grant.users += (grant.users.empty() ? "" : " ") + model::link_name(name, link.alias);
                        });
    return all;
}

// Calls visit(ip, reply) for what the permissions have of replies that they haven't in the others.
template <typename Visit>
void for_each_other_reply(const Granted& all, const Granted& others, Visit visit) {
    for (const auto& [permission, grant] : all) {
        const auto other = others.find(permission);
        for (const nft::Key& reply : grant.replies)
            if (other == others.end() || !other->second.replies.contains(reply))
                visit(permission.first, reply);
    }
}

bool any_crosses_bridges(const Granted& all) {
    return std::ranges::any_of(all, [](const auto& entry) {
        return std::ranges::any_of(entry.second.replies,
                                   [&](const nft::Key& reply) { return crosses_bridges(entry.first.second, reply); });
    });
}

nft::Element element_of(const nft::Key& key) {
    return {key, {}, {}, {}};
}

}  // namespace

// The elements of a set that go and come.
struct LinkSets::Exchange {
    std::vector<nft::Element> gone, come;
};

LinkSets::LinkSets(const Wanted& want, const OtherNames& others, const model::Topology& topology,
                   const model::FirewallPolicy& policy, const HostFacts& host)
    : of_host_(host.bridges),
      frames_(host.frames),
      ports_(host.ports),
      usable_(policy.layout == model::Layout::sets && policy.attach.empty()) {
    for (const nft::Table& table : want.tables)
        for (const nft::Set& set : table.sets)
            sets_[set.name].push_back({table.family, table.name,
                                       others.contains({table.family, set.name}) ? other_name(set.name) : set.name,
                                       set.size, set.elements.size()});
    for (const auto& [name, bridge] : policy.bridges)
        stated_.insert(name);
    stated_.insert(of_host_.begin(), of_host_.end());
    for (const auto& [name, container] : topology.containers)
        for (const model::Network& network : container.networks)
            ++users_[network.bridge];
    if (!want.cross_bridges)
        return;
    model::FirewallPolicy in_pairs = policy;
    in_pairs.layout = model::Layout::rules;
    const Permissions all = permissions(topology, in_pairs);
    reply_users_.emplace();
    for (const model::Ip ip : model::both_ips)
        for (const RulePair& pair : all.rules[ip])
            ++(*reply_users_)[pair.reply];
}

// Counts the set's elements. False when it can't hold them.
bool LinkSets::put(std::string_view name, std::vector<nft::DataType> key, Exchange exchange, Update& update,
                   nft::Batch& added) {
    if (exchange.gone.empty() && exchange.come.empty())
        return true;
    const auto found = sets_.find(name);
    if (found == sets_.end())
        return false;
    for (Set& set : found->second) {
        set.count = set.count + exchange.come.size() - exchange.gone.size();
        if (set.size != 0 && set_size(set.count) > set.size)
            return false;
        if (!exchange.gone.empty())
            update.batch.push_back({set.family, set.table, nft::DeleteElements{set.name, key, exchange.gone}});
        if (!exchange.come.empty())
            added.push_back({set.family, set.table, nft::AddElements{set.name, key, exchange.come}});
    }
    return true;
}

// Counts who is on which bridge, and tells which bridges are no longer policed for that, or are now.
void LinkSets::follow_users(const model::Topology& now, const Before& before, Update& update) {
    std::map<std::string, std::ptrdiff_t> change;
    const auto count = [&](const model::Container* container, std::ptrdiff_t step) {
        if (container != nullptr)
            for (const model::Network& network : container->networks)
                change[network.bridge] += step;
    };
    for (const auto& [name, was] : before) {
        count(was, -1);
        count(now.find(name), 1);
    }
    for (const auto& [bridge, step] : change) {
        const bool was_policed = polices(bridge);
        auto& users = users_[bridge];
        users += static_cast<std::size_t>(step);
        if (users == 0)
            users_.erase(bridge);
        if (was_policed != polices(bridge))
            (was_policed ? update.bridges_gone : update.bridges_come).push_back(bridge);
    }
}

void LinkSets::exchange_bridges(const model::FirewallPolicy& policy, Update& update, nft::Batch& added) {
    for (const std::string& bridge : update.bridges_gone)
        for (const BridgeElement& element : bridge_elements(policy, frames_, bridge))
            put(element.set, element.type, {{element_of(element.key)}, {}}, update, added);
    for (const std::string& bridge : update.bridges_come)
        for (const BridgeElement& element : bridge_elements(policy, frames_, bridge))
            put(element.set, element.type, {{}, {element_of(element.key)}}, update, added);
}

void LinkSets::update_ports(const std::vector<std::string>& ports, Update& update) {
    std::vector<std::string> names;
    const auto elements = [&](const std::vector<std::string>& all, const std::vector<std::string>& others) {
        names.clear();
        std::ranges::set_difference(all, others, std::back_inserter(names));
        std::vector<nft::Element> result;
        std::ranges::transform(names, std::back_inserter(result),
                               [](const std::string& port) { return element_of(nft::interface_key(port)); });
        return result;
    };
    Exchange exchange{elements(ports_, ports), elements(ports, ports_)};
    nft::Batch added;
    put(ports_set, nft::interface_key(), std::move(exchange), update, added);
    std::ranges::move(added, std::back_inserter(update.batch));
    ports_ = ports;
}

std::optional<LinkSets::Update> LinkSets::update(const model::Topology& now, const Before& before,
                                                 const model::FirewallPolicy& policy) {
    if (!usable_)
        return {};
    const Affected affected(now, before);
    const Granted was = granted(affected, policy, [&](std::string_view name) { return affected.was(name); });
    const Granted is = granted(affected, policy, [&](std::string_view name) { return affected.is(name); });
    if (!reply_users_ && any_crosses_bridges(is))
        return {};
    Update update;
    model::PerIp<Exchange> links, replies;
    for (const auto& [permission, grant] : was) {
        const auto& [ip, key] = permission;
        const auto stays = is.find(permission);
        if (stays != is.end() && stays->second.users == grant.users)
            continue;
        links[ip].gone.push_back(element_of(key));
        update.renames |= stays != is.end();
    }
    for (const auto& [permission, grant] : is) {
        const auto& [ip, key] = permission;
        const auto stayed = was.find(permission);
        if (stayed != was.end() && stayed->second.users == grant.users)
            continue;
        links[ip].come.push_back({key, comment_of(grant.users), {}, {}});
    }
    for_each_other_reply(is, was, [&](model::Ip ip, const nft::Key& reply) {
        if (!reply_users_ || (*reply_users_)[reply]++ == 0)
            replies[ip].come.push_back(element_of(reply));
    });
    for_each_other_reply(was, is, [&](model::Ip ip, const nft::Key& reply) {
        if (reply_users_ && --(*reply_users_)[reply] != 0)
            return;
        replies[ip].gone.push_back(element_of(reply));
        if (reply_users_)
            reply_users_->erase(reply);
    });
    follow_users(now, before, update);
    nft::Batch added;
    exchange_bridges(policy, update, added);
    for (const model::Ip ip : model::both_ips)
        if (!put(links_set(ip), permission_key(ip), std::move(links[ip]), update, added) ||
            !put(replies_set(ip), permission_key(ip), std::move(replies[ip]), update, added))
            return {};
    std::ranges::move(added, std::back_inserter(update.batch));
    std::size_t count = 0;
    for (const nft::Operation& operation : update.batch)
        count += nft::element_count(operation);
    if (count > Room{}.elements)
        return {};
    return update;
}

std::optional<LinkSets::Update> LinkSets::update(const std::vector<std::string>& bridges,
                                                 const model::FirewallPolicy& policy) {
    if (!usable_ && bridges != of_host_)
        return {};
    Update update;
    std::vector<std::string> gone, come;
    std::ranges::set_difference(of_host_, bridges, std::back_inserter(gone));
    std::ranges::set_difference(bridges, of_host_, std::back_inserter(come));
    for (const std::string& bridge : come)
        if (!polices(bridge))
            update.bridges_come.push_back(bridge);
    for (const std::string& bridge : gone)
        if (!users_.contains(bridge))
            update.bridges_gone.push_back(bridge);
    for (const std::string& bridge : gone)
        stated_.erase(bridge);
    stated_.insert(come.begin(), come.end());
    of_host_ = bridges;
    nft::Batch added;
    exchange_bridges(policy, update, added);
    std::ranges::move(added, std::back_inserter(update.batch));
    return update;
}

}  // namespace nftlink::firewall
