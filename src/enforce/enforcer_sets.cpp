// Changes that only take elements: nothing is read for them, and others' commits meanwhile don't matter.
#include <algorithm>
#include <set>
#include <system_error>
#include <tuple>
#include <utility>

#include "nftlink/enforce/enforcer.hpp"

namespace nftlink::enforce {

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
    const auto begin = clock_.now();
    if (!in_force() || !sets_)
        return {};
    auto update = sets_->update(*goal_.topology, before, *goal_.policy);
    if (!update)
        return {};
    const bool is_of_bridges = !update->bridges_come.empty() || !update->bridges_gone.empty();
    const kernel::Bridges* bridges = is_of_bridges ? &kernel_.bridges() : nullptr;
    auto ports = bridges != nullptr ? update_ports(*bridges, *update) : aim_.facts.ports;
    if (!commit(*update))
        return {};
    aim_.facts.ports = std::move(ports);
    aim_.is_current = false;
    Enforced enforced{update->batch.size(), clock_.now() - begin};
    if (bridges == nullptr)
        return enforced;
    const bool others_may_have_changed = bridges->revision != aim_.looked_revision;
    enforced.switches = see_to_bridges(*update, *bridges);
    if (others_may_have_changed)
        backoff_.look_at_bridges({.reason = "after a change of a bridge", .of = Cause::Of::bridges}, clock_.now());
    return enforced;
} catch (const std::exception&) {
    return {};  // a comparison will tell what is there
}

// Those that are policed may have become others, and bridges that fit a pattern may have come or gone.
std::optional<Enforced> Enforcer::change_bridges() try {
    const auto begin = clock_.now();
    if (!in_force() || !sets_)
        return {};
    const model::FirewallPolicy& policy = *goal_.policy;
    const kernel::Bridges& bridges = kernel_.bridges();
    auto fitting = bridges_by_pattern(bridges, policy);
    auto update = sets_->update(fitting, policy);
    auto ports = update ? update_ports(bridges, *update) : aim_.facts.ports;
    if (!update || !commit(*update)) {
        sets_.reset();
        return {};
    }
    aim_.facts.bridges = std::move(fitting);
    aim_.facts.ports = std::move(ports);
    aim_.is_current &= update->batch.empty();
    const bool is_of_ports = update->bridges_come.empty() && update->bridges_gone.empty();
    auto switches = see_to_bridges(*update, bridges);
    aim_.looked_revision = bridges.revision;
    return Enforced{update->batch.size(), clock_.now() - begin, std::move(switches), is_of_ports};
} catch (const std::exception&) {
    sets_.reset();
    return {};
}

// The ports that the rules name then.
std::vector<std::string> Enforcer::update_ports(const kernel::Bridges& bridges, firewall::LinkSets::Update& update) {
    if (aim_.facts.frames != firewall::Frames::by_port)
        return {};
    auto ports =
        closed_ports(bridges, *goal_.policy, [this](const std::string& bridge) { return sets_->polices(bridge); });
    sets_->update_ports(ports, update);
    return ports;
}

// False when others have changed what it builds on.
bool Enforcer::commit(firewall::LinkSets::Update& update) {
    if (update.renames && goal_.policy->counters == model::Counters::links)
        keep_counts(update.batch);
    if (update.batch.empty())
        return true;
    const auto committed = kernel_.apply(update.batch, {});
    if (committed)
        generations_.committed(committed->generation);
    return committed.has_value();
}

// Follows the bridges that are policed now, and has their packets come to the rules.
std::vector<Switch> Enforcer::see_to_bridges(const firewall::LinkSets::Update& update, const kernel::Bridges& bridges) {
    exchange_policed(update.bridges_gone, update.bridges_come);
    auto bridges_before = std::exchange(aim_.bridges, {});
    aim_.bridges = relevant(bridges);
    auto plan = plan_bridges(aim_.target.bridges, aim_.bridges);
    if (const auto done = turn_on(kernel_, plan.switches); !done) {
        exchange_policed(update.bridges_come, update.bridges_gone);
        aim_.bridges = std::move(bridges_before);
        throw std::system_error(EPERM, std::generic_category(), done.error());
    }
    follow_bridges(aim_.target.want, update.batch);
    switched_on(plan.switches);
    standing_.bridge_warnings = std::move(plan.warnings);
    return std::move(plan.switches);
}

void Enforcer::exchange_policed(const std::vector<std::string>& gone, const std::vector<std::string>& come) {
    const auto place = [&](const std::string& name) {
        return std::ranges::lower_bound(aim_.target.bridges, name, {}, &PolicedBridge::name);
    };
    for (const std::string& name : gone)
        if (const auto found = place(name); found != aim_.target.bridges.end() && found->name == name)
            aim_.target.bridges.erase(found);
    for (const std::string& name : come)
        aim_.target.bridges.insert(place(name), policed_bridge(name, *goal_.policy, aim_.facts.frames));
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

}  // namespace nftlink::enforce
