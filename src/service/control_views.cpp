#include "control_views.hpp"

#include <unistd.h>

#include <algorithm>

#include "nftlink/base/clock.hpp"
#include "nftlink/base/utf8.hpp"
#include "nftlink/nft/text.hpp"

namespace nftlink::service {

using base::utf8;

namespace {

std::vector<std::string> to_texts(const auto& items, auto to_text) {
    std::vector<std::string> texts;
    texts.reserve(items.size());
    std::ranges::transform(items, std::back_inserter(texts), to_text);
    return texts;
}

api::LastHeal heal_record(const Heal& heal) {
    return {.time = base::timestamp(heal.time),
            .program = heal.cause.program,
            .pid = heal.cause.process,
            .operations = heal.enforced.operation_count,
            .seconds = std::chrono::duration<double>(heal.enforced.took).count(),
            .reason = heal.cause.reason};
}

std::vector<api::Opening> opening_records(const std::vector<enforce::Opening>& open) {
    std::vector<api::Opening> records;
    for (const enforce::Opening& opening : open)
        records.push_back(
            {.what = std::string(to_string(opening.aspect)), .why = opening.why, .chosen = opening.chosen});
    return records;
}

std::vector<api::BridgeState> bridge_records(const std::vector<enforce::BridgeState>& states) {
    std::vector<api::BridgeState> records;
    for (const enforce::BridgeState& state : states)
        records.push_back(
            {.bridge = state.bridge,
             .icc = std::string(model::to_string(state.icc)),
             .routed = std::string(model::to_string(state.routed)),
             .present = state.present,
             .enforced = state.enforced,
             .reason = state.reason,
             .closed = to_texts(state.closed(), [](auto aspect) { return std::string(to_string(aspect)); }),
             .open = opening_records(state.open)});
    return records;
}

api::Configuration configuration_record(const ControlParts& parts) {
    api::Configuration record{.file = parts.changes.file(),
                              .hash = parts.state().files().hash,
                              .loaded = base::timestamp(parts.changes.loaded_at()),
                              .refused = {}};
    if (const auto& refused = parts.reporter.refused_configuration())
        record.refused = api::RefusedConfiguration{base::timestamp(refused->time), refused->messages};
    return record;
}

std::vector<api::Source> source_records(const ControlParts& parts) {
    const desired::State& state = parts.state();
    const engine::Contact* contact = parts.engine.contact();
    if (contact == nullptr)
        return {};
    const auto containers = std::ranges::count_if(
        state.topology().containers, [&](const auto& entry) { return state.source(entry.first) == "docker"; });
    api::Source record{.source = "docker",
                       .socket = state.config().sources.docker->socket,
                       .connected = contact->connected,
                       .engine = contact->engine,
                       .api = contact->api,
                       .since = base::timestamp(contact->since),
                       .error = contact->error,
                       .containers = static_cast<std::uint64_t>(containers),
                       .conflicts = {}};
    for (const desired::Complaint& complaint : state.complaints())
        record.conflicts.push_back({complaint.container, complaint.message});
    return {std::move(record)};
}

// The bridges that the link holds on; where it goes by routing, from which to which.
void add_ways(api::Link& record, const model::Container& parent, const model::Container& child) {
    std::vector<api::Route> routes;
    model::for_each_way(parent, child, [&](const model::Network& from, const model::Network& to) {
        if (from.bridge == to.bridge)
            record.bridges.push_back(from.bridge);
        else
            routes.push_back({.from = from.bridge, .to = to.bridge});
    });
    if (!routes.empty())
        record.routes = std::move(routes);
}

api::Link link_record(const std::string& parent, const model::Link& link, const desired::State& state) {
    api::Link record;
    record.name = model::link_name(parent, link.alias);
    record.parent = parent;
    record.child = link.child;
    record.alias = link.alias;
    record.source = state.source(parent, link);
    return record;
}

void count(api::Link& record, std::uint64_t packets, std::uint64_t bytes) {
    record.packets = packets;
    record.bytes = bytes;
}

}  // namespace

api::Status status_record(const ControlParts& parts, LinkReader& reader) {
    const LinkReader::Totals links = reader.count(parts.state());
    const enforce::Enforcer& enforcer = parts.enforcer;
    api::Status record;
    record.version = NFTLINK_VERSION;
    record.pid = getpid();
    record.configuration = configuration_record(parts);
    record.containers = parts.state().topology().containers.size();
    record.containers_api = parts.state().stored_count();
    record.links = {.desired = links.desired, .installed = links.installed};
    record.links_waiting = parts.state().waiting().size();
    record.sources = source_records(parts);
    record.in_force = enforcer.in_force();
    record.bridges = bridge_records(enforcer.bridges());
    record.warnings = enforcer.warnings();
    record.generation = enforcer.generation();
    record.heals = parts.reporter.counts().heals;
    record.refused_changes = parts.reporter.counts().refused_changes;
    if (const auto& heal = parts.reporter.last_heal())
        record.last_heal = heal_record(*heal);
    if (const auto& errors = parts.reporter.last_error())
        record.last_error = api::LastError{base::timestamp(errors->time), errors->messages.back()};
    record.events = parts.reporter.events().last_number();
    return record;
}

api::Links links_record(const ControlParts& parts, LinkReader& links) {
    const desired::State& state = parts.state();
    const auto& counts = links.read(state);
    api::Links record{.links = {},
                      .counters = state.config().firewall.counters == model::Counters::links,
                      .generation = parts.enforcer.generation()};
    record.links.reserve(counts.size() + state.waiting().size());
    for (const firewall::LinkCount& counted : counts) {
        const model::Container* parent = state.topology().find(counted.parent);
        const model::Container* child = state.topology().find(counted.link.child);
        if (parent == nullptr || child == nullptr)
            continue;
        api::Link& link = record.links.emplace_back(link_record(counted.parent, counted.link, state));
        link.ports = to_texts(child->expose, [](const model::Port& port) { return port.to_string(); });
        link.installed = counted.installed;
        if (record.counters)
            count(link, counted.packets, counted.bytes);
        add_ways(link, *parent, *child);
    }
    for (const desired::Waiting& waiting : state.waiting()) {
        api::Link& link = record.links.emplace_back(link_record(waiting.parent, waiting.link, state));
        link.waiting = waiting.reason;
        if (record.counters)
            count(link, 0, 0);
    }
    return record;
}

api::Containers containers_record(const desired::State& state) {
    api::Containers record;
    for (const auto& [name, container] : state.topology().containers) {
        const base::Position* place = state.place(name);
        record.containers.emplace_back(name, api::to_record(container));
        record.sources.emplace_back(name, place != nullptr ? place->to_string() : std::string(state.source(name)));
    }
    return record;
}

api::Environment environment_record(const linkenv::Environment& environment) {
    api::Environment record;
    for (const linkenv::Variable& variable : environment.variables)
        record.variables[utf8(variable.name)] = utf8(variable.value);
    record.warnings =
        to_texts(environment.warnings, [](const linkenv::Warning& warning) { return warning.to_string(); });
    return record;
}

api::Plan plan_record(const enforce::Plan& plan, const std::vector<enforce::PolicedBridge>& bridges) {
    api::Plan record;
    for (const nft::Batch& batch : plan.transactions)
        for (const nft::Operation& operation : batch)
            record.changes.push_back(nft::to_text(operation));
    record.bridge_netfilter = to_texts(plan.switches, [](const auto& wanted) { return wanted.to_string(); });
    for (const enforce::PolicedBridge& bridge : bridges)
        if (!bridge.open.empty())
            record.left_open.push_back({.bridge = bridge.name, .open = opening_records(bridge.open)});
    record.warnings = plan.warnings;
    record.warnings.insert(record.warnings.end(), plan.bridge_warnings.begin(), plan.bridge_warnings.end());
    record.generation = plan.generation;
    return record;
}

}  // namespace nftlink::service
