// The answers of the control API: each record as it stands in the description, /v1/openapi.json.
#pragma once

#include <boost/describe/class.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nftlink/api/json.hpp"
#include "nftlink/base/error.hpp"
#include "nftlink/model/topology.hpp"

namespace nftlink::api {

// --- GET /v1/status --------------------------------------------------------------------------------------------------

struct RefusedConfiguration {
    std::string time;
    std::vector<std::string> errors;
};
BOOST_DESCRIBE_STRUCT(RefusedConfiguration, (), (time, errors))

struct Configuration {
    std::string file, hash, loaded;
    Nullable<RefusedConfiguration> refused;
};
BOOST_DESCRIBE_STRUCT(Configuration, (), (file, hash, loaded, refused))

struct LinkTotals {
    std::uint64_t desired = 0, installed = 0;
};
BOOST_DESCRIBE_STRUCT(LinkTotals, (), (desired, installed))

// A part of an engine's data that is left out, and the reason.
struct Conflict {
    std::string container, message;
};
BOOST_DESCRIBE_STRUCT(Conflict, (), (container, message))

struct Source {
    std::string source, socket;
    bool connected = false;
    std::string engine, api, since, error;
    std::uint64_t containers = 0;
    std::vector<Conflict> conflicts;
};
BOOST_DESCRIBE_STRUCT(Source, (), (source, socket, connected, engine, api, since, error, containers, conflicts))

struct Opening {
    std::string what, why;
    bool chosen = false;
};
BOOST_DESCRIBE_STRUCT(Opening, (), (what, why, chosen))

struct BridgeState {
    std::string bridge, icc, routed;
    bool present = false, enforced = false;
    std::string reason;
    std::vector<std::string> closed;
    std::vector<Opening> open;
};
BOOST_DESCRIBE_STRUCT(BridgeState, (), (bridge, icc, routed, present, enforced, reason, closed, open))

struct LastHeal {
    std::string time, program;
    std::uint32_t pid = 0;
    std::uint64_t operations = 0;
    double seconds = 0;
    std::string reason;
};
BOOST_DESCRIBE_STRUCT(LastHeal, (), (time, program, pid, operations, seconds, reason))

struct LastError {
    std::string time, message;
};
BOOST_DESCRIBE_STRUCT(LastError, (), (time, message))

struct Status {
    int schema = 1;  // the version of this record's form
    std::string version;
    int pid = 0;
    Configuration configuration;
    std::uint64_t containers = 0, containers_api = 0;
    LinkTotals links;
    std::uint64_t links_waiting = 0;
    std::vector<Source> sources;
    bool in_force = false;
    std::vector<BridgeState> bridges;
    std::vector<std::string> warnings;
    std::uint32_t generation = 0;
    std::uint64_t heals = 0, refused_changes = 0;
    Nullable<LastHeal> last_heal;
    Nullable<LastError> last_error;
    std::uint64_t events = 0;
    std::string started;
    double uptime_seconds = 0;
    std::uint64_t clients = 0;
};
BOOST_DESCRIBE_STRUCT(Status, (),
                      (schema, version, pid, configuration, containers, containers_api, links, links_waiting, sources,
                       in_force, bridges, warnings, generation, heals, refused_changes, last_heal, last_error, events,
                       started, uptime_seconds, clients))

// --- GET /v1/links ---------------------------------------------------------------------------------------------------

struct Route {
    std::string from, to;
};
BOOST_DESCRIBE_STRUCT(Route, (), (from, to))

struct Link {
    std::string name, parent, child, alias;
    std::vector<std::string> bridges, ports;
    Nullable<std::uint64_t> packets, bytes;
    bool installed = false;
    std::optional<std::string> waiting;
    std::string source;
    std::optional<std::vector<Route>> routes;
};
BOOST_DESCRIBE_STRUCT(Link, (),
                      (name, parent, child, alias, bridges, ports, packets, bytes, installed, waiting, source, routes))

struct Links {
    std::vector<Link> links;
    bool counters = true;
    std::uint32_t generation = 0;
};
BOOST_DESCRIBE_STRUCT(Links, (), (links, counters, generation))

// --- Containers ------------------------------------------------------------------------------------------------------

// The configuration's record of a container: bridge and addresses, or networks. What is empty is left out.
struct Container {
    using Texts = std::vector<std::string>;
    std::optional<std::string> bridge;
    std::optional<Texts> addresses;
    std::optional<Named<Texts>> networks;
    std::optional<Texts> expose, environment, links;
};
BOOST_DESCRIBE_STRUCT(Container, (), (bridge, addresses, networks, expose, environment, links))

Container to_record(const model::Container& container);

struct Containers {
    Named<Container> containers;
    Named<std::string> sources;
};
BOOST_DESCRIBE_STRUCT(Containers, (), (containers, sources))

struct Environment {
    boost::json::object variables;
    std::vector<std::string> warnings;
};
BOOST_DESCRIBE_STRUCT(Environment, (), (variables, warnings))

struct Hosts {
    std::string hosts;
};
BOOST_DESCRIBE_STRUCT(Hosts, (), (hosts))

// --- GET /v1/plan ----------------------------------------------------------------------------------------------------

struct LeftOpen {
    std::string bridge;
    std::vector<Opening> open;
};
BOOST_DESCRIBE_STRUCT(LeftOpen, (), (bridge, open))

struct Plan {
    std::vector<std::string> changes, bridge_netfilter;
    std::vector<LeftOpen> left_open;
    std::vector<std::string> warnings;
    std::uint32_t generation = 0;
};
BOOST_DESCRIBE_STRUCT(Plan, (), (changes, bridge_netfilter, left_open, warnings, generation))

// --- Changes ---------------------------------------------------------------------------------------------------------

struct Changed {
    bool changed = false;
    std::vector<std::string> ended_links;
    std::uint32_t generation = 0;
};
BOOST_DESCRIBE_STRUCT(Changed, (), (changed, ended_links, generation))

struct LinkChanged {
    std::string link;
    bool changed = false;
    std::vector<std::string> ended_links;
    std::uint32_t generation = 0;
};
BOOST_DESCRIBE_STRUCT(LinkChanged, (), (link, changed, ended_links, generation))

struct ContainerChanged {
    std::string container;
    bool changed = false;
    std::vector<std::string> ended_links;
    std::uint32_t generation = 0;
};
BOOST_DESCRIBE_STRUCT(ContainerChanged, (), (container, changed, ended_links, generation))

// A warning with its place in a file, if it has one, beside the message.
struct Warning {
    std::string message;
    std::optional<std::string> file = {};
    std::optional<std::size_t> line = {}, column = {};
};
BOOST_DESCRIBE_STRUCT(Warning, (), (message, file, line, column))

Warning to_record(const base::Error& warning);
base::Error to_error(const Warning& warning);

struct Reloaded {
    std::string hash;
    std::vector<std::string> warnings;
    std::vector<Warning> placed_warnings;  // the same
    bool changed = false;
    std::vector<std::string> ended_links;
    std::uint32_t generation = 0;
};
BOOST_DESCRIBE_STRUCT(Reloaded, (), (hash, warnings, placed_warnings, changed, ended_links, generation))

}  // namespace nftlink::api
