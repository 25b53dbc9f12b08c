#include "status_text.hpp"

#include <fmt/format.h>

#include "fields.hpp"
#include "table.hpp"
#include "words.hpp"

namespace nftlink::cli {

namespace json = boost::json;

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
    std::string when(const Fields& record, std::string_view key) const { return time_words(record.text(key), now_); }
    std::string text() const { return to_table({{""}, {""}}, rows_); }

private:
    Time now_;
    Rows rows_;
};

std::string first_line(const Fields& status) {
    return fmt::format("nftlinkd {}, pid {}: running for {}, since {}\n", status.text("version", "?"),
                       status.number_text("pid"), duration_words(status.real("uptime_seconds").value_or(0)),
                       time_words(status.text("started")));
}

// What doesn't hold that should, so that nobody overlooks it.
std::string troubles(const Fields& status, const Facts& facts) {
    std::string text;
    if (!status.flag("in_force"))
        text += "NOT IN FORCE: the kernel doesn't have all of what is configured\n";
    for (const json::value& item : status.list("bridges"))
        if (const Fields bridge(item); !bridge.flag("enforced"))
            text += fmt::format("NOT ENFORCED on {}: {}\n", bridge.text("bridge"),
                                bridge.text("reason", "it isn't said why"));
    for (const json::value& item : status.list("sources"))
        if (const Fields source(item); !source.flag("connected"))
            text += fmt::format("NOT CONNECTED to the engine at {} since {}: {}\n", source.text("socket", "?"),
                                facts.when(source, "since"), source.text("error", "it has not answered yet"));
    const Fields configuration = status.record("configuration");
    if (!configuration.has("refused"))
        return text;
    const Fields refused = configuration.record("refused");
    text +=
        fmt::format("CONFIGURATION REFUSED at {}; the one before it stays in force:\n", facts.when(refused, "time"));
    for (const std::string& error : refused.texts("errors"))
        text += "  " + error + "\n";
    return text;
}

std::string bridge_lines(const Fields& status) {
    Rows rows;
    for (const json::value& item : status.list("bridges")) {
        const Fields bridge(item);
        std::vector<std::string> open;
        for (const json::value& opening : bridge.list("open"))
            open.push_back(opening_words(Fields(opening).text("what"), Fields(opening).text("why")));
        const std::string enforced = !bridge.flag("enforced") ? "NOT enforced: " + bridge.text("reason")
                                     : open.empty()           ? "enforced"
                                                              : "enforced, but open: " + join(open, ", ");
        rows.push_back({bridge.text("bridge"), "icc " + bridge.text("icc", "?"),
                        bridge.flag("present") ? "present" : "missing", enforced});
    }
    return rows.empty() ? "none\n" : to_table({{""}, {""}, {""}, {""}}, rows);
}

// What is in the kernel isn't in force where packets get around it.
std::string policy_words(const Fields& status) {
    std::size_t open = 0;
    for (const json::value& bridge : status.list("bridges"))
        open += Fields(bridge).flag("enforced") ? 0U : 1U;
    if (!status.flag("in_force"))
        return "NOT in force";
    return open == 0 ? "in force"
                     : fmt::format("installed, but NOT enforced on {} of {}", open,
                                   count(status.list("bridges").size(), "bridge"));
}

std::string link_words(const Fields& links, std::uint64_t waiting) {
    const auto desired = links.number("desired"), installed = links.number("installed");
    const std::string wanted = links.number_text("desired");
    const std::string words = desired == 0U ? "none"
                              : desired && desired == installed
                                  ? fmt::format("{}, all installed", wanted)
                                  : fmt::format("{} wanted, {} INSTALLED", wanted, links.number_text("installed"));
    return waiting == 0 ? words : fmt::format("{}; {} more waiting", words, waiting);
}

std::string source_lines(const Fields& status) {
    std::string lines;
    for (const json::value& item : status.list("sources")) {
        const Fields source(item);
        lines += fmt::format("{} at {}", source.text("engine", source.text("source")), source.text("socket", "?"));
        lines += source.flag("connected")
                     ? fmt::format(": {}\n", count(source.number("containers").value_or(0), "container"))
                     : fmt::format(", NOT connected\n");
        for (const json::value& conflict : source.list("conflicts"))
            lines += Fields(conflict).text("message") + "\n";
    }
    return lines;
}

std::string heal_words(const Fields& heal, const Facts& facts) {
    return fmt::format("the last: {}, {}, {} in {}", facts.when(heal, "time"),
                       heal.text("reason", "after a change by " + heal.text("program", "somebody")),
                       count(heal.number("operations").value_or(0), "operation"),
                       span_words(heal.real("seconds").value_or(0)));
}

void add_history(Facts& facts, const Fields& status) {
    facts.add("repairs", status.number_text("heals"));
    if (status.has("last_heal"))
        facts.add("", heal_words(status.record("last_heal"), facts));
    facts.add("refused changes", status.number_text("refused_changes"));
    const Fields error = status.record("last_error");
    facts.add("last error", status.has("last_error")
                                ? fmt::format("{}: {}", facts.when(error, "time"), error.text("message"))
                                : "none");
}

std::vector<std::string> link_row(const Fields& link) {
    const auto counter = [&](std::string_view key) { return link.has(key) ? link.number_text(key) : "-"; };
    std::vector<std::string> ways = link.texts("bridges");
    for (const json::value& route : link.list("routes"))
        ways.push_back(Fields(route).text("from") + "->" + Fields(route).text("to"));
    return {link.text("name"),
            link.text("child"),
            join(ways, ","),
            port_words(link.texts("ports")),
            counter("packets"),
            counter("bytes"),
            link.has("waiting")      ? "waiting: " + link.text("waiting")
            : link.flag("installed") ? ""
                                     : "NOT INSTALLED"};
}

}  // namespace

std::string status_text(const json::object& record, Time now) {
    const Fields status(record);
    const Fields configuration = status.record("configuration");
    Facts facts(now);
    facts.add("policy", policy_words(status));
    facts.add("configuration", configuration.text("file", "?"));
    facts.add("", "read " + facts.when(configuration, "loaded"));
    facts.add("", "hash " + configuration.text("hash", "?"));
    facts.add("containers", fmt::format("{}, {} of them through the API", status.number_text("containers"),
                                        status.number_text("containers_api")));
    facts.add("links", link_words(status.record("links"), status.number("links_waiting").value_or(0)));
    facts.add_lines("bridges", bridge_lines(status));
    facts.add_lines("engine", source_lines(status));
    facts.add("ruleset", "generation " + status.number_text("generation"));
    add_history(facts, status);
    facts.add("clients", status.number_text("clients"));
    facts.add("events", status.number_text("events"));
    return first_line(status) + troubles(status, facts) + facts.text();
}

std::string links_text(const json::array& links) {
    constexpr auto right = Column::Align::right;
    Rows rows;
    for (const json::value& link : links)
        rows.push_back(link_row(Fields(link)));
    return to_table({{"LINK"}, {"CHILD"}, {"BRIDGE"}, {"PORTS"}, {"PACKETS", right}, {"BYTES", right}, {""}}, rows);
}

}  // namespace nftlink::cli
