// The events of GET /v1/events: each with its name and what there is to say of it.
#pragma once

#include <boost/describe/class.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace nftlink::api {

struct LinkEvent {
    std::string link, parent, child, alias;
    std::string by;  // api, reload or docker
    std::optional<std::string> reason;
};
BOOST_DESCRIBE_STRUCT(LinkEvent, (), (link, parent, child, alias, by, reason))

struct LinkAdded : LinkEvent {
    static constexpr std::string_view name = "link_added";
};
BOOST_DESCRIBE_STRUCT(LinkAdded, (LinkEvent), ())

struct LinkRemoved : LinkEvent {
    static constexpr std::string_view name = "link_removed";
};
BOOST_DESCRIBE_STRUCT(LinkRemoved, (LinkEvent), ())

// Somebody changed our rules, and that was repaired.
struct Healed {
    static constexpr std::string_view name = "healed";
    std::string program;
    std::uint32_t pid = 0;
    std::uint64_t operations = 0;
    double seconds = 0;
    std::string reason;
};
BOOST_DESCRIBE_STRUCT(Healed, (), (program, pid, operations, seconds, reason))

struct Refused {
    static constexpr std::string_view name = "refused";
    std::string message;
};
BOOST_DESCRIBE_STRUCT(Refused, (), (message))

struct BridgeChanged {
    static constexpr std::string_view name = "bridge";
    std::string bridge;
    bool enforced = false;
    std::string reason;
};
BOOST_DESCRIBE_STRUCT(BridgeChanged, (), (bridge, enforced, reason))

struct ConfigurationReloaded {
    static constexpr std::string_view name = "reloaded";
    std::string hash;
    bool changed = false;
};
BOOST_DESCRIBE_STRUCT(ConfigurationReloaded, (), (hash, changed))

struct ReloadRefused {
    static constexpr std::string_view name = "reload_refused";
    std::vector<std::string> errors;
};
BOOST_DESCRIBE_STRUCT(ReloadRefused, (), (errors))

// A container engine is being followed, or no longer.
struct SourceChanged {
    static constexpr std::string_view name = "source";
    std::string source, socket;
    bool connected = false;
    std::string engine, reason;
};
BOOST_DESCRIBE_STRUCT(SourceChanged, (), (source, socket, connected, engine, reason))

// Something that an engine says is left out.
struct ConflictFound {
    static constexpr std::string_view name = "conflict";
    std::string container, message;
};
BOOST_DESCRIBE_STRUCT(ConflictFound, (), (container, message))

struct Stopping {
    static constexpr std::string_view name = "stopping";
};
BOOST_DESCRIBE_STRUCT(Stopping, (), ())

// The last record of a reader that was too slow.
struct Dropped {
    static constexpr std::string_view name = "dropped";
    std::string message;
    std::uint64_t lost = 0;
};
BOOST_DESCRIBE_STRUCT(Dropped, (), (message, lost))

using Event = std::variant<LinkAdded, LinkRemoved, Healed, Refused, BridgeChanged, ConfigurationReloaded, ReloadRefused,
                           SourceChanged, ConflictFound, Stopping, Dropped>;

// The event as one JSON object: {"seq", "time", "event", …}.
std::string to_text(std::uint64_t seq, std::string_view time, const Event& event);

struct Told {
    std::string time;
    Event event;
};

// The event that such an object is; nothing where its name is none of these.
std::optional<Told> read_event(const boost::json::value& record);

}  // namespace nftlink::api
