#include "event_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "fields.hpp"
#include "nftlink/api/records.hpp"
#include "nftlink/base/suggestion.hpp"
#include "words.hpp"

namespace nftlink::cli {

namespace {

std::string link_words(const Fields& event) {
    return fmt::format("link {} to {}", event.text("link"), event.text("child"));
}

std::string link_added(const Fields& event) {
    const std::string by = event.text("by");
    return fmt::format("{} added{}", link_words(event),
                       by == "api"      ? ", through the API"
                       : by == "reload" ? ", from the configuration"
                       : by == "docker" ? ", from the engine"
                                        : "");
}

std::string link_removed(const Fields& event) {
    const std::string reason = event.text("reason");
    return fmt::format("{} removed{}{}", link_words(event), reason.empty() ? "" : ": ", reason);
}

std::string healed(const Fields& event) {
    const std::string program = event.text("program", "another program");
    return fmt::format("repaired after a change by {}{}: {} in {}", program,
                       event.has("pid") ? fmt::format(" (pid {})", event.number_text("pid")) : "",
                       count(event.number("operations").value_or(0), "operation"),
                       span_words(event.real("seconds").value_or(0)));
}

std::string refused(const Fields& event) {
    return "a change was refused: " + event.text("message");
}

std::string bridge(const Fields& event) {
    const std::string name = event.text("bridge"), reason = event.text("reason");
    if (event.flag("enforced"))
        return fmt::format("bridge {}: the policy is enforced", name);
    return fmt::format("bridge {}: the policy is NOT enforced{}{}", name, reason.empty() ? "" : ": ", reason);
}

std::string reloaded(const Fields& event) {
    return fmt::format("the configuration was read again: {}, hash {}",
                       event.flag("changed") ? "changed" : "nothing changed", event.text("hash", "?"));
}

std::string reload_refused(const Fields& event) {
    return "the configuration was refused, the one before it stays in force: " + join(event.texts("errors"), "; ");
}

std::string source(const Fields& event) {
    const std::string engine = fmt::format("the engine at {}", event.text("socket", "?"));
    return event.flag("connected") ? fmt::format("following {}, {}", engine, event.text("engine", "?"))
                                   : fmt::format("{} is NOT there: {}", engine, event.text("reason", "?"));
}

std::string conflict(const Fields& event) {
    return event.text("message");
}

std::string stopping(const Fields&) {
    return "nftlinkd is stopping";
}

std::string dropped(const Fields& event) {
    return event.text("message", "events were lost");
}

struct Kind {
    std::string_view event;
    std::string (*words)(const Fields&);
};

constexpr Kind kinds[] = {{"link_added", link_added}, {"link_removed", link_removed},
                          {"healed", healed},         {"refused", refused},
                          {"bridge", bridge},         {"reloaded", reloaded},
                          {"source", source},         {"conflict", conflict},
                          {"stopping", stopping},     {"reload_refused", reload_refused},
                          {"dropped", dropped}};

}  // namespace

std::string event_text(std::string_view line) {
    const auto parsed = api::parse(line);
    if (!parsed || !parsed->is_object())
        return base::escape(line);
    const Fields event(*parsed);
    const auto* kind = std::ranges::find(kinds, event.text("event"), &Kind::event);
    return kind == std::end(kinds) ? base::escape(line)
                                   : fmt::format("{}  {}", time_words(event.text("time", "?")), kind->words(event));
}

}  // namespace nftlink::cli
