#include "event_text.hpp"

#include <fmt/format.h>

#include "nftlink/api/events.hpp"
#include "nftlink/api/requests.hpp"
#include "nftlink/base/suggestion.hpp"
#include "printable.hpp"
#include "words.hpp"

namespace nftlink::cli {

namespace {

std::string link_words(const api::LinkEvent& event) {
    return fmt::format("link {} to {}", event.link, event.child);
}

std::string words(const api::LinkAdded& event) {
    return fmt::format("{} added{}", link_words(event),
                       event.by == "api"      ? ", through the API"
                       : event.by == "reload" ? ", from the configuration"
                       : event.by == "docker" ? ", from the engine"
                                              : "");
}

std::string words(const api::LinkRemoved& event) {
    const std::string reason = event.reason.value_or("");
    return fmt::format("{} removed{}{}", link_words(event), reason.empty() ? "" : ": ", reason);
}

std::string words(const api::Healed& event) {
    return fmt::format("repaired after a change by {}{}: {} in {}", or_else(event.program, "another program"),
                       event.pid != 0 ? fmt::format(" (pid {})", event.pid) : "", count(event.operations, "operation"),
                       span_words(event.seconds));
}

std::string words(const api::Refused& event) {
    return "a change was refused: " + event.message;
}

std::string words(const api::BridgeChanged& event) {
    if (event.enforced)
        return fmt::format("bridge {}: the policy is enforced", event.bridge);
    return fmt::format("bridge {}: the policy is NOT enforced{}{}", event.bridge, event.reason.empty() ? "" : ": ",
                       event.reason);
}

std::string words(const api::ConfigurationReloaded& event) {
    return fmt::format("the configuration was read again: {}, hash {}", event.changed ? "changed" : "nothing changed",
                       or_else(event.hash, "?"));
}

std::string words(const api::ReloadRefused& event) {
    return "the configuration was refused, the one before it stays in force: " + join(event.errors, "; ");
}

std::string words(const api::SourceChanged& event) {
    const std::string engine = fmt::format("the engine at {}", or_else(event.socket, "?"));
    return event.connected ? fmt::format("following {}, {}", engine, or_else(event.engine, "?"))
                           : fmt::format("{} is NOT connected: {}", engine, or_else(event.reason, "?"));
}

std::string words(const api::ConflictFound& event) {
    return event.message;
}

std::string words(const api::Stopping&) {
    return "nftlinkd is stopping";
}

std::string words(const api::Dropped& event) {
    return or_else(event.message, "events were lost");
}

}  // namespace

std::string event_text(std::string_view line) {
    const auto parsed = api::parse(line);
    auto told = parsed ? api::read_event(*parsed) : std::nullopt;
    if (!told)
        return base::escape(line);
    make_printable(told->time);
    return std::visit(
        [&](auto& event) {
            make_printable(event);
            return fmt::format("{}  {}", time_words(or_else(told->time, "?")), words(event));
        },
        told->event);
}

}  // namespace nftlink::cli
