#include "status_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "table.hpp"
#include "words.hpp"

namespace nftlink::cli {

namespace {

using Time = std::chrono::system_clock::time_point;
using Rows = std::vector<std::vector<std::string>>;

// Name and fact, line by line.
class Facts {
public:
    explicit Facts(Time now) : now_(now) {}

    void add(const std::string& name, const std::string& fact) { rows_.push_back({name, fact}); }
    // Several lines under one name.
    void add_lines(const std::string& name, const std::string& lines) {
        for (std::size_t begin = 0, end = 0; (end = lines.find('\n', begin)) != std::string::npos; begin = end + 1)
            add(begin == 0 ? name : "", lines.substr(begin, end - begin));
    }
    std::string when(const std::string& time) const { return time_words(time, now_); }
    std::string text() const { return to_table({{""}, {""}}, rows_); }

private:
    Time now_;
    Rows rows_;
};

std::string first_line(const api::Status& status) {
    return fmt::format("nftlinkd {}, pid {}: running for {}, since {}\n", or_else(status.version, "?"),
                       status.pid > 0 ? std::to_string(status.pid) : "?", duration_words(status.uptime_seconds),
                       time_words(status.started));
}

// The promises that don't hold, so that nobody overlooks them.
std::string troubles(const api::Status& status, const Facts& facts) {
    std::string text;
    if (!status.in_force)
        text += "NOT IN FORCE: the kernel doesn't have all of what is configured\n";
    for (const api::BridgeState& bridge : status.bridges)
        if (!bridge.enforced)
            text +=
                fmt::format("NOT ENFORCED on {}: {}\n", bridge.bridge, or_else(bridge.reason, "no reason is given"));
    for (const api::Source& source : status.sources)
        if (!source.connected)
            text += fmt::format("NOT CONNECTED to the engine at {} since {}: {}\n", or_else(source.socket, "?"),
                                facts.when(source.since), or_else(source.error, "it has not answered yet"));
    const auto& refused = status.configuration.refused;
    if (!refused)
        return text;
    text += fmt::format("CONFIGURATION REFUSED at {}; the one before it stays in force:\n", facts.when(refused->time));
    for (const std::string& error : refused->errors)
        text += "  " + error + "\n";
    return text;
}

std::string enforced_words(const api::BridgeState& bridge) {
    if (!bridge.enforced)
        return "NOT enforced: " + bridge.reason;
    std::vector<std::string> open;
    for (const api::Opening& opening : bridge.open)
        open.push_back(opening_words(opening.what, opening.why));
    return open.empty() ? "enforced" : "enforced, but open: " + join(open, ", ");
}

std::string bridge_lines(const api::Status& status) {
    Rows rows;
    for (const api::BridgeState& bridge : status.bridges)
        rows.push_back({bridge.bridge, "icc " + or_else(bridge.icc, "?"), bridge.present ? "present" : "missing",
                        enforced_words(bridge)});
    return rows.empty() ? "none\n" : to_table({{""}, {""}, {""}, {""}}, rows);
}

// Rules in the kernel aren't in force where packets get around them.
std::string policy_words(const api::Status& status) {
    const auto open = std::ranges::count(status.bridges, false, &api::BridgeState::enforced);
    if (!status.in_force)
        return "NOT in force";
    return open == 0
               ? "in force"
               : fmt::format("installed, but NOT enforced on {} of {}", open, count(status.bridges.size(), "bridge"));
}

std::string link_words(const api::LinkTotals& links, std::uint64_t waiting) {
    const std::string words = links.desired == 0 ? "none"
                              : links.desired == links.installed
                                  ? fmt::format("{}, all installed", links.desired)
                                  : fmt::format("{} wanted, {} INSTALLED", links.desired, links.installed);
    return waiting == 0 ? words : fmt::format("{}; {} more waiting", words, waiting);
}

std::string source_lines(const api::Status& status) {
    std::string lines;
    for (const api::Source& source : status.sources) {
        lines += fmt::format("{} at {}{}\n", or_else(source.engine, source.source), or_else(source.socket, "?"),
                             source.connected ? ": " + count(source.containers, "container") : ", NOT connected");
        for (const api::Conflict& conflict : source.conflicts)
            lines += conflict.message + "\n";
    }
    return lines;
}

std::string heal_words(const api::LastHeal& heal, const Facts& facts) {
    return fmt::format("the last: {}, {}, {} in {}", facts.when(heal.time),
                       or_else(heal.reason, "after a change by " + or_else(heal.program, "somebody")),
                       count(heal.operations, "operation"), span_words(heal.seconds));
}

void add_history(Facts& facts, const api::Status& status) {
    facts.add("repairs", std::to_string(status.heals));
    if (status.last_heal)
        facts.add("", heal_words(*status.last_heal, facts));
    facts.add("refused changes", std::to_string(status.refused_changes));
    facts.add("last error", status.last_error
                                ? fmt::format("{}: {}", facts.when(status.last_error->time), status.last_error->message)
                                : "none");
}

std::vector<std::string> link_row(const api::Link& link) {
    const auto counter = [](const std::optional<std::uint64_t>& value) { return value ? std::to_string(*value) : "-"; };
    std::vector<std::string> ways = link.bridges;
    for (const api::Route& route : link.routes.value_or(std::vector<api::Route>()))
        ways.push_back(route.from + "->" + route.to);
    return {link.name,
            link.child,
            join(ways, ","),
            port_words(link.ports),
            counter(link.packets),
            counter(link.bytes),
            link.waiting     ? "waiting: " + *link.waiting
            : link.installed ? ""
                             : "NOT INSTALLED"};
}

}  // namespace

std::string status_text(const api::Status& status, Time now) {
    const api::Configuration& configuration = status.configuration;
    Facts facts(now);
    facts.add("policy", policy_words(status));
    facts.add("configuration", or_else(configuration.file, "?"));
    facts.add("", "read " + facts.when(configuration.loaded));
    facts.add("", "hash " + or_else(configuration.hash, "?"));
    facts.add("containers", fmt::format("{}, {} of them through the API", status.containers, status.containers_api));
    facts.add("links", link_words(status.links, status.links_waiting));
    facts.add_lines("bridges", bridge_lines(status));
    facts.add_lines("engine", source_lines(status));
    facts.add("ruleset", fmt::format("generation {}", status.generation));
    add_history(facts, status);
    facts.add("clients", std::to_string(status.clients));
    facts.add("events", std::to_string(status.events));
    return first_line(status) + troubles(status, facts) + facts.text();
}

std::string links_text(const std::vector<api::Link>& links) {
    constexpr auto right = Column::Align::right;
    Rows rows;
    for (const api::Link& link : links)
        rows.push_back(link_row(link));
    return to_table({{"LINK"}, {"CHILD"}, {"BRIDGE"}, {"PORTS"}, {"PACKETS", right}, {"BYTES", right}, {""}}, rows);
}

}  // namespace nftlink::cli
