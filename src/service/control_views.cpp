#include "control_views.hpp"

#include <unistd.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "nftlink/base/clock.hpp"
#include "nftlink/base/utf8.hpp"
#include "nftlink/nft/text.hpp"

namespace nftlink::service {

namespace json = boost::json;

namespace {

constexpr int schema_version = 1;

json::array to_json(const std::vector<std::string>& lines) {
    json::array array;
    for (const std::string& line : lines)
        array.emplace_back(base::utf8(line));
    return array;
}

json::value heal_record(const std::optional<Heal>& heal) {
    if (!heal)
        return nullptr;
    return {{"time", base::timestamp(heal->time)},
            {"program", heal->cause.program},
            {"pid", heal->cause.process},
            {"operations", heal->enforced.operation_count},
            {"seconds", std::chrono::duration<double>(heal->enforced.took).count()},
            {"reason", heal->cause.reason}};
}

json::array opening_records(const std::vector<reconcile::Opening>& open) {
    json::array array;
    for (const reconcile::Opening& opening : open)
        array.push_back(
            {{"what", to_string(opening.aspect)}, {"why", base::utf8(opening.why)}, {"chosen", opening.chosen}});
    return array;
}

json::array bridge_records(const std::vector<reconcile::BridgeState>& states) {
    json::array array;
    for (const reconcile::BridgeState& state : states) {
        json::array closed;
        for (const reconcile::Aspect aspect : state.closed())
            closed.emplace_back(to_string(aspect));
        array.push_back({{"bridge", state.bridge},
                         {"icc", model::to_string(state.icc)},
                         {"routed", model::to_string(state.routed)},
                         {"present", state.present},
                         {"enforced", state.enforced},
                         {"reason", state.reason},
                         {"closed", std::move(closed)},
                         {"open", opening_records(state.open)}});
    }
    return array;
}

json::object configuration_record(const Keeper& keeper) {
    json::object record{{"file", base::utf8(keeper.file())},
                        {"hash", keeper.desired().files().hash},
                        {"loaded", base::timestamp(keeper.loaded_at())},
                        {"refused", nullptr}};
    if (const auto& refused = keeper.refused_configuration())
        record["refused"] =
            json::object{{"time", base::timestamp(refused->time)}, {"errors", to_json(refused->messages)}};
    return record;
}

json::array complaint_records(const Desired& desired) {
    json::array array;
    for (const engine::Complaint& complaint : desired.complaints())
        array.push_back({{"container", base::utf8(complaint.container)}, {"message", base::utf8(complaint.message)}});
    return array;
}

json::array source_records(const Keeper& keeper) {
    const Desired& desired = keeper.desired();
    const engine::Contact* contact = keeper.engine();
    if (contact == nullptr)
        return {};
    const auto containers = std::ranges::count_if(
        desired.topology().containers, [&](const auto& entry) { return desired.source(entry.first) == "docker"; });
    json::array array;
    array.push_back({{"source", "docker"},
                     {"socket", base::utf8(desired.config().sources.docker->socket)},
                     {"connected", contact->connected},
                     {"engine", base::utf8(contact->engine)},
                     {"api", contact->api},
                     {"since", base::timestamp(contact->since)},
                     {"error", base::utf8(contact->error)},
                     {"containers", containers},
                     {"conflicts", complaint_records(desired)}});
    return array;
}

json::array port_records(const model::Container& child) {
    json::array array;
    for (const model::Port& port : child.expose)
        array.emplace_back(port.to_string());
    return array;
}

// The bridges that the link holds on; where it goes by routing, from which to which.
void add_ways(json::object& record, const model::Container& parent, const model::Container& child) {
    json::array shared, routes;
    model::for_each_way(parent, child, [&](const model::Network& from, const model::Network& to) {
        if (from.bridge == to.bridge)
            shared.emplace_back(from.bridge);
        else
            routes.push_back({{"from", from.bridge}, {"to", to.bridge}});
    });
    record["bridges"] = std::move(shared);
    if (!routes.empty())
        record["routes"] = std::move(routes);
}

}  // namespace

json::object status_record(Keeper& keeper) {
    const Keeper::LinkTotals links = keeper.link_totals();
    const Enforcer& enforcer = keeper.enforcer();
    json::object record{{"schema", schema_version},
                        {"version", NFTLINK_VERSION},
                        {"pid", getpid()},
                        {"configuration", configuration_record(keeper)},
                        {"containers", keeper.desired().topology().containers.size()},
                        {"containers_api", keeper.desired().stored_count()},
                        {"links", {{"desired", links.desired}, {"installed", links.installed}}},
                        {"links_waiting", keeper.desired().waiting().size()},
                        {"sources", source_records(keeper)},
                        {"in_force", enforcer.in_force()},
                        {"bridges", bridge_records(enforcer.bridges())},
                        {"warnings", to_json(enforcer.warnings())},
                        {"generation", enforcer.generation()},
                        {"heals", keeper.counts().heals},
                        {"refused_changes", keeper.counts().refused_changes},
                        {"last_heal", heal_record(keeper.last_heal())},
                        {"last_error", nullptr},
                        {"events", keeper.events().last_number()}};
    if (const auto& trouble = keeper.last_error())
        record["last_error"] =
            json::object{{"time", base::timestamp(trouble->time)}, {"message", base::utf8(trouble->messages.back())}};
    return record;
}

json::object links_record(Keeper& keeper) {
    const Desired& desired = keeper.desired();
    const bool counted = desired.config().firewall.counters == model::Counters::links;
    json::array array;
    for (const firewall::LinkCount& count : keeper.links()) {
        const model::Container* parent = desired.topology().find(count.parent);
        const model::Container* child = desired.topology().find(count.link.child);
        if (parent == nullptr || child == nullptr)
            continue;
        json::object record{{"name", model::link_name(count.parent, count.link.alias)},
                            {"parent", count.parent},
                            {"child", count.link.child},
                            {"alias", count.link.alias},
                            {"bridges", json::array{}},
                            {"ports", port_records(*child)},
                            {"packets", counted ? json::value(count.packets) : json::value(nullptr)},
                            {"bytes", counted ? json::value(count.bytes) : json::value(nullptr)},
                            {"installed", count.installed},
                            {"source", desired.source(count.parent, count.link)}};
        add_ways(record, *parent, *child);
        array.push_back(std::move(record));
    }
    for (const engine::Waiting& waiting : desired.waiting())
        array.push_back({{"name", model::link_name(waiting.parent, waiting.link.alias)},
                         {"parent", waiting.parent},
                         {"child", waiting.link.child},
                         {"alias", waiting.link.alias},
                         {"bridges", json::array{}},
                         {"ports", json::array{}},
                         {"packets", counted ? json::value(0) : json::value(nullptr)},
                         {"bytes", counted ? json::value(0) : json::value(nullptr)},
                         {"installed", false},
                         {"waiting", waiting.reason},
                         {"source", desired.source(waiting.parent, waiting.link)}});
    return {{"links", std::move(array)}, {"counters", counted}, {"generation", keeper.enforcer().generation()}};
}

json::object containers_record(const Desired& desired) {
    json::object containers, sources;
    for (const auto& [name, container] : desired.topology().containers) {
        const base::Position* place = desired.place(name);
        containers[name] = api::to_json(container);
        sources[name] = place != nullptr ? base::utf8(place->to_string()) : std::string(desired.source(name));
    }
    return {{"containers", std::move(containers)}, {"sources", std::move(sources)}};
}

json::object environment_record(const linkenv::Environment& environment) {
    json::object variables;
    for (const linkenv::Variable& variable : environment.variables)
        variables[base::utf8(variable.name)] = base::utf8(variable.value);
    json::array warnings;
    for (const linkenv::Warning& warning : environment.warnings)
        warnings.emplace_back(base::utf8(warning.to_string()));
    return {{"variables", std::move(variables)}, {"warnings", std::move(warnings)}};
}

json::object plan_record(const reconcile::Plan& plan, const std::vector<reconcile::PolicedBridge>& bridges) {
    json::array changes, switches;
    for (const nft::Batch& batch : plan.transactions)
        for (const nft::Operation& operation : batch)
            changes.emplace_back(nft::to_text(operation));
    for (const reconcile::Switch& wanted : plan.switches)
        switches.emplace_back(wanted.to_string());
    json::array warnings = to_json(plan.warnings);
    warnings.insert(warnings.end(), plan.bridge_warnings.begin(), plan.bridge_warnings.end());
    json::array left_open;
    for (const reconcile::PolicedBridge& bridge : bridges)
        if (!bridge.open.empty())
            left_open.push_back({{"bridge", bridge.name}, {"open", opening_records(bridge.open)}});
    return {{"changes", std::move(changes)},
            {"bridge_netfilter", std::move(switches)},
            {"left_open", std::move(left_open)},
            {"warnings", std::move(warnings)},
            {"generation", plan.generation}};
}

}  // namespace nftlink::service
