// Changes that only take elements: nothing is read for them, and others' commits meanwhile don't matter.
#include <algorithm>
#include <chrono>
#include <set>
#include <system_error>
#include <tuple>
#include <utility>

#include "enforcer.hpp"

namespace nftlink::service {

using std::chrono::steady_clock;

namespace {

// What the batch does to sets of bridges, so that the target's frame isn't left behind.
void follow_bridges(firewall::Wanted& want, const nft::Batch& batch) {
    for (const nft::Operation& operation : batch)
        for (nft::Table& table : want.tables)
            for (nft::Set& set : table.sets) {
                if (table.family != operation.family || table.name != operation.table || set.size != 0)
                    continue;
                const auto place = [&](const nft::Element& element) {
                    return std::ranges::lower_bound(set.elements, element.key, {}, &nft::Element::key);
                };
                if (const auto* add = std::get_if<nft::AddElements>(&operation.action); add && add->set == set.name)
                    for (const nft::Element& element : add->elements)
                        set.elements.insert(place(element), element);
                if (const auto* gone = std::get_if<nft::DeleteElements>(&operation.action);
                    gone && gone->set == set.name)
                    for (const nft::Element& element : gone->elements)
                        if (const auto at = place(element); at != set.elements.end() && at->key == element.key)
                            set.elements.erase(at);
            }
}

}  // namespace

std::optional<Enforced> Enforcer::change_sets(const firewall::Before& before) try {
    const auto begin = steady_clock::now();
    if (!in_force() || !sets_)
        return {};
    auto update = sets_->update(desired_.topology(), before, desired_.config().firewall);
    if (!update)
        return {};
    const bool is_of_bridges = !update->bridges_come.empty() || !update->bridges_gone.empty();
    const kernel::Bridges* bridges = is_of_bridges ? &kernel_.bridges() : nullptr;
    auto ports = bridges != nullptr ? update_ports(*bridges, *update) : facts_.ports;
    if (!commit(*update))
        return {};
    facts_.ports = std::move(ports);
    is_current_ = false;
    Enforced enforced{update->batch.size(), steady_clock::now() - begin};
    if (bridges == nullptr)
        return enforced;
    const bool others_may_have_changed = bridges->revision != looked_revision_;
    enforced.switches = see_to_bridges(*update, *bridges);
    if (others_may_have_changed)
        look_at_bridges_soon();
    return enforced;
} catch (const std::system_error&) {
    return {};
}

// Those that are policed may have become others, and bridges that fit a pattern may have come or gone.
std::optional<Enforced> Enforcer::change_bridges() try {
    const auto begin = steady_clock::now();
    if (!in_force() || !sets_)
        return {};
    const model::FirewallPolicy& policy = desired_.config().firewall;
    const kernel::Bridges& bridges = kernel_.bridges();
    auto fitting = reconcile::bridges_by_pattern(bridges, policy);
    auto update = sets_->update(fitting, policy);
    auto ports = update ? update_ports(bridges, *update) : facts_.ports;
    if (!update || !commit(*update)) {
        sets_.reset();
        return {};
    }
    facts_.bridges = std::move(fitting);
    facts_.ports = std::move(ports);
    is_current_ &= update->batch.empty();
    const bool is_of_ports = update->bridges_come.empty() && update->bridges_gone.empty();
    auto switches = see_to_bridges(*update, bridges);
    looked_revision_ = bridges.revision;
    return Enforced{update->batch.size(), steady_clock::now() - begin, std::move(switches), is_of_ports};
} catch (const std::system_error&) {
    sets_.reset();
    return {};
}

// The ports that the rules name then.
std::vector<std::string> Enforcer::update_ports(const kernel::Bridges& bridges, firewall::LinkSets::Update& update) {
    if (facts_.frames != firewall::Frames::by_port)
        return {};
    auto ports = reconcile::closed_ports(bridges, desired_.config().firewall,
                                         [this](const std::string& bridge) { return sets_->polices(bridge); });
    sets_->update_ports(ports, update);
    return ports;
}

// False when others have changed what it builds on.
bool Enforcer::commit(firewall::LinkSets::Update& update) {
    if (update.renames && desired_.config().firewall.counters == model::Counters::links)
        keep_counts(update.batch);
    if (update.batch.empty())
        return true;
    const auto committed = kernel_.apply(update.batch, {});
    if (committed)
        made_commit(committed->generation);
    return committed.has_value();
}

// Follows the bridges that are policed now, and has their packets come to the rules.
std::vector<reconcile::Switch> Enforcer::see_to_bridges(const firewall::LinkSets::Update& update,
                                                        const kernel::Bridges& bridges) {
    exchange_policed(update.bridges_gone, update.bridges_come);
    auto bridges_before = std::exchange(bridges_, {});
    bridges_ = relevant(bridges);
    auto plan = reconcile::plan_bridges(target_.bridges, bridges_);
    if (const auto done = reconcile::turn_on(kernel_, plan.switches); !done) {
        exchange_policed(update.bridges_come, update.bridges_gone);
        bridges_ = std::move(bridges_before);
        throw std::system_error(EPERM, std::generic_category(), done.error());
    }
    follow_bridges(target_.want, update.batch);
    switched_on(plan.switches);
    bridge_warnings_ = std::move(plan.warnings);
    return std::move(plan.switches);
}

void Enforcer::exchange_policed(const std::vector<std::string>& gone, const std::vector<std::string>& come) {
    const auto place = [&](const std::string& name) {
        return std::ranges::lower_bound(target_.bridges, name, {}, &reconcile::PolicedBridge::name);
    };
    for (const std::string& name : gone)
        if (const auto found = place(name); found != target_.bridges.end() && found->name == name)
            target_.bridges.erase(found);
    for (const std::string& name : come)
        target_.bridges.insert(place(name), reconcile::policed_bridge(name, desired_.config().firewall, facts_.frames));
}

// What goes and comes in the same batch takes its counts along; what is counted between this and the commit is lost.
void Enforcer::keep_counts(nft::Batch& batch) {
    std::set<std::tuple<std::string_view, std::string_view, nft::Key>> gone;
    for (const nft::Operation& operation : batch)
        if (const auto* remove = std::get_if<nft::DeleteElements>(&operation.action))
            for (const nft::Element& element : remove->elements)
                gone.emplace(operation.table, remove->set, element.key);
    for (nft::Operation& operation : batch)
        if (auto* add = std::get_if<nft::AddElements>(&operation.action))
            for (nft::Element& element : add->elements)
                if (gone.contains({operation.table, add->set, element.key}))
                    if (const auto have = kernel_.element(operation.family, operation.table, add->set, element.key))
                        element.counters = have->counters;
}

}  // namespace nftlink::service
