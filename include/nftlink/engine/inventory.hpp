// A container engine's containers and networks as values, and the readers of its API's JSON. Pure.
//
// The API is Docker's Engine API (https://docs.docker.com/reference/api/engine/), which Podman speaks too
// (podman-system-service(1)). Fields that are missing or of another kind than they should be count as not there:
// engines differ, and what is there is still true.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nftlink/model/address.hpp"
#include "nftlink/model/port.hpp"

namespace nftlink::engine {

// A container's place on one of the engine's networks.
struct Endpoint {
    std::string network;                    // its id; its name where the engine gives no id
    std::vector<model::Address> addresses;  // IPv4 before IPv6; none while the container isn't running

    bool operator==(const Endpoint&) const = default;
};

// A link as it is asked for: the child by its name, a compose service's name, or an id.
struct Wish {
    std::string child;
    std::string alias;

    bool operator==(const Wish&) const = default;
};

struct Container {
    std::string id;
    std::string name;  // without Docker's slash
    bool running = false;
    std::int64_t started = 0;  // nanoseconds of Unix time; 0: never
    std::vector<Endpoint> endpoints;
    std::vector<model::Port> expose;  // sorted, each once
    std::vector<std::string> environment;
    // By `--link`, in the order of the aliases (Docker gives another one each time); then those of networks, then the
    // label's. Each alias once.
    std::vector<Wish> links;
    // Compose's labels; empty, 0: none.
    std::string project;
    std::string service;
    unsigned number = 0;
    std::vector<std::string> complaints;  // what of it can't be used, as sentences

    bool operator==(const Container&) const = default;
};

struct Network {
    std::string id;
    std::string name;
    std::string bridge;  // the interface; empty when it is no bridge network

    bool operator==(const Network&) const = default;
};

// By id; those that an endpoint may name otherwise, by name too.
using Networks = std::map<std::string, Network, std::less<>>;

// All of an engine's containers and networks.
struct Inventory {
    std::map<std::string, Container, std::less<>> containers;  // by id
    Networks networks;

    bool operator==(const Inventory&) const = default;
    // Empty when it isn't known, or no bridge.
    std::string_view bridge_of(const Endpoint& endpoint) const;
};

// The answer to GET /containers/{id}/json; nothing when it isn't about a container.
std::optional<Container> read_container(const boost::json::value& answer);

// The answer to GET /networks.
std::vector<Network> read_networks(const boost::json::value& answer);
// Podman's own API, GET /libpod/networks/json, adds the interfaces' names, which its Docker API keeps for itself.
std::vector<Network> read_podman_networks(const boost::json::value& answer);

// One container in the answer to GET /containers/json.
struct Listed {
    std::string id;
    bool running = false;
    // Of `--link`, as the engine calls its children beside their own names: `/web/db`. Sorted.
    std::vector<std::string> links = {};
    // Sorted; nothing where the engine doesn't say.
    std::optional<std::vector<std::string>> addresses = {};

    bool operator==(const Listed&) const = default;
};
std::vector<Listed> read_list(const boost::json::value& answer);

// An engine's answer to being asked for everything. A container that it gives no good answer about is left out of the
// inventory and named.
struct Everything {
    Inventory inventory;
    std::vector<Listed> list;
    std::vector<std::string> unread;  // ids
};

struct Version {
    std::string engine;  // `Docker 20.10.24`, `Podman 4.3.1`
    std::string api;     // to be asked for in paths: `1.41`
    bool is_podman = false;

    bool operator==(const Version&) const = default;
};
// The answer to GET /version, and what to speak with that engine: the newest that both know. The error is a sentence.
std::expected<Version, std::string> negotiate(const boost::json::value& answer);

// One line of GET /events, as far as it matters here.
struct Event {
    enum class Kind {
        changed,       // the container is to be looked at again: started, connected
        renamed,       // so are all that have links: theirs follow the name
        ended,         // it runs no more, and has no addresses
        removed,       // it isn't there any more
        disconnected,  // it has left the network
        networks,      // a network was made or removed
        other,
    };
    Kind kind = Kind::other;
    std::string container;  // its id
    std::string network;    // its id; empty: not said, and may be any that the container was on
    std::int64_t time = 0;  // nanoseconds of Unix time; 0: not said

    bool operator==(const Event&) const = default;
};
Event read_event(const boost::json::value& line);

}  // namespace nftlink::engine
