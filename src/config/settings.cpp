#include "settings.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "priority.hpp"
#include "reader.hpp"
#include "table_name.hpp"
#include "words.hpp"

namespace nftlink::config {

namespace {

constexpr std::string_view firewall_keys[] = {"family",      "table",    "priority",  "layout",
                                              "replies",     "counters", "log_drops", "table_owner",
                                              "accept_mark", "attach",   "cut_flows", "on_exit"};
constexpr std::string_view bridge_keys[] = {"icc", "routed", "other_frames", "base_rules"};
constexpr std::string_view env_keys[] = {"dialect", "child_environment", "directory", "cdi_directory"};
constexpr std::string_view control_keys[] = {"socket", "group", "readers"};
constexpr std::string_view state_keys[] = {"directory"};
constexpr std::string_view source_keys[] = {"docker"};
constexpr std::string_view docker_keys[] = {"socket"};
constexpr std::string_view limit_keys[] = {"permissions"};
constexpr std::string_view log_keys[] = {"level", "format"};

constexpr Choice<model::Family> families[] = {
    {"inet", model::Family::inet}, {"ip", model::Family::ip}, {"bridge", model::Family::bridge}};
constexpr std::string_view attach_keys[] = {"family", "table", "chain"};
constexpr Choice<model::AttachPoint::Family> attach_families[] = {{"ip", model::AttachPoint::Family::ip},
                                                                  {"ip6", model::AttachPoint::Family::ip6},
                                                                  {"inet", model::AttachPoint::Family::inet}};
constexpr Choice<model::Layout> layouts[] = {{"sets", model::Layout::sets}, {"rules", model::Layout::rules}};
constexpr Choice<model::Replies> replies[] = {{"established", model::Replies::established},
                                              {"source-port", model::Replies::source_port}};
constexpr Choice<model::Counters> counter_choices[] = {
    {"links", model::Counters::links}, {"bridges", model::Counters::bridges}, {"none", model::Counters::none}};
constexpr Choice<model::Icc> iccs[] = {{"deny", model::Icc::deny}, {"allow", model::Icc::allow}};
constexpr Choice<model::Routed> routeds[] = {
    {"deny", model::Routed::deny}, {"published", model::Routed::published}, {"allow", model::Routed::allow}};
constexpr Choice<model::OtherFrames> other_frames[] = {{"deny", model::OtherFrames::deny},
                                                       {"allow", model::OtherFrames::allow}};
constexpr Choice<OnExit> exits[] = {{"keep", OnExit::keep}, {"remove", OnExit::remove}};
constexpr Choice<model::Dialect> dialects[] = {{"docker-0.10", model::Dialect::docker_0_10},
                                               {"docker-27", model::Dialect::docker_27},
                                               {"docker-28", model::Dialect::docker_28}};
constexpr Choice<LogLevel> levels[] = {
    {"debug", LogLevel::debug}, {"info", LogLevel::info}, {"warning", LogLevel::warning}, {"error", LogLevel::error}};
constexpr Choice<Readers> readers[] = {{"group", Readers::group}, {"all", Readers::all}};
constexpr Choice<LogFormat> formats[] = {{"text", LogFormat::text}, {"json", LogFormat::json}};

constexpr std::size_t longest_socket_path = 107;    // sockaddr_un's, less its NUL
constexpr std::size_t longest_interface_name = 15;  // IFNAMSIZ, less its NUL

// The name of a table or chain; both are nft's identifiers.
void read_identifier(MapReader& map, std::string_view key, std::string_view expected, std::string& name,
                     Report& report) {
    const Node* node = map.get_text(key, expected);
    if (node == nullptr)
        return;
    if (const std::string fault = table_name_fault(node->text); !fault.empty())
        report.error(node->place, fmt::format("'{}' {}", key, fault));
    else
        name = node->text;
}

void read_priority(MapReader& map, model::FirewallPolicy& firewall, Report& report) {
    const Node* node = map.get_text("priority", "a number or a name such as filter");
    if (node == nullptr)
        return;
    if (node->text == "filter")
        return;  // the default, whatever the family
    if (const auto parsed = parse_priority(node->text, firewall.family == model::Family::bridge))
        firewall.priority = *parsed;
    else
        report.error(node->place, "'priority' " + parsed.error());
}

// Also as 0.1 had it: true or false.
void read_counters(MapReader& map, model::Counters& counters, Report& report) {
    const Node* node = map.get("counters");
    if (node == nullptr)
        return;
    std::vector<std::string_view> words;
    std::ranges::transform(counter_choices, std::back_inserter(words), &Choice<model::Counters>::word);
    const auto boolean = to_boolean(*node);
    const auto* choice = std::ranges::find(counter_choices, node->text, &Choice<model::Counters>::word);
    if (boolean)
        counters = *boolean ? model::Counters::links : model::Counters::none;
    else if (node->kind == Kind::scalar && choice != std::end(counter_choices))
        counters = choice->value;
    else
        refuse(report, *node, "counters", "links, bridges or none, or true or false",
               std::string(boolean_advice(*node)) + (node->kind == Kind::scalar ? suggest(node->text, words) : ""));
}

// A setting of 0.1 that can't be chosen any more.
void read_cut_flows(MapReader& map, Report& report) {
    bool cut_flows = true;
    map.read_boolean("cut_flows", cut_flows);
    const Node* node = map.get("cut_flows");
    if (node == nullptr)
        return;
    if (!cut_flows)
        report.error(node->place,
                     "'cut_flows: false' is no longer possible: a packet of an open connection passes only while its "
                     "link stands; leave the key out");
    else if (to_boolean(*node))
        report.warning(node->place, "'cut_flows: true' says what is always so by now; leave the key out");
}

void read_accept_mark(MapReader& map, std::optional<std::uint32_t>& mark, Report& report) {
    const Node* node = map.get("accept_mark");
    if (node == nullptr || node->kind == Kind::null)
        return;
    const auto number = node->kind == Kind::scalar ? to_number(node->text) : std::nullopt;
    const bool in_range = number && *number >= 1 && *number <= 0xffffffff;
    if (in_range && node->plain)
        mark = static_cast<std::uint32_t>(*number);
    else
        refuse(report, *node, "accept_mark", "a number from 1 to 0xffffffff",
               in_range       ? "; write it without quotes"
               : number == 0U ? "; leave it empty to set no mark"
                              : "");
}

// One item of attach.
std::optional<model::AttachPoint> read_attach_point(const Node& item, Report& report) {
    if (item.kind != Kind::map) {
        refuse_item(report, item, "attach", "a map such as {family: ip, table: filter, chain: FORWARD}");
        return {};
    }
    const std::size_t errors = report.error_count();
    MapReader map(item, "attach", attach_keys, report);
    model::AttachPoint point;
    for (const std::string_view key : attach_keys)
        if (map.get(key) == nullptr)
            report.error(item.place, fmt::format("each of 'attach' needs '{}': {{family: ip, table: filter, chain: "
                                                 "FORWARD}}",
                                                 key));
    map.read_choice("family", attach_families, point.family);
    read_identifier(map, "table", "a table's name", point.table, report);
    read_identifier(map, "chain", "a chain's name", point.chain, report);
    return report.error_count() == errors ? std::optional(point) : std::nullopt;
}

void read_attach(MapReader& map, model::FirewallPolicy& firewall, Report& report) {
    const Node* list = map.get_list("attach", "a list of chains");
    if (list == nullptr)
        return;
    for (const Node* item : list->children) {
        const auto point = read_attach_point(*item, report);
        if (!point)
            continue;
        if (std::ranges::find(firewall.attach, *point) != firewall.attach.end())
            report.error(item->place, "this chain is in 'attach' already");
        else if (point->table == firewall.table)
            report.error(item->place, fmt::format("'attach' is for other programs' chains, and table {} is nftlink's "
                                                  "own: name another one with firewall.table",
                                                  quote(point->table)));
        else
            firewall.attach.push_back(*point);
    }
    if (list->children.empty())
        return;
    if (firewall.layout != model::Layout::rules)
        report.error(list->place,
                     "'attach' needs 'layout: rules': a set stands in its own table only, and iptables "
                     "would read a rule with one as 'accept everything'");
    if (firewall.family == model::Family::bridge)
        report.error(list->place,
                     "'attach' and 'family: bridge' exclude each other: what is attached goes by the "
                     "families of the chains");
}

// The fault of a path, for "'directory' …"; empty when there is none.
std::string path_fault(std::string_view path) {
    if (!path.starts_with('/'))
        return fmt::format("must be an absolute path, not {}", path.empty() ? "empty" : quote(path));
    if (path.find_first_of(std::string_view("\0\n", 2)) != std::string_view::npos)
        return fmt::format("cannot have a line break or a NUL byte in it: {}", quote(path));
    return "";
}

void read_path(MapReader& map, std::string_view key, std::string& path, Report& report,
               std::size_t longest = std::string_view::npos) {
    const Node* node = map.get_text(key, "an absolute path");
    if (node == nullptr)
        return;
    if (const std::string fault = path_fault(node->text); !fault.empty())
        report.error(node->place, fmt::format("'{}' {}", key, fault));
    else if (node->text.size() > longest)
        report.error(node->place, fmt::format("'{}' has at most {} bytes, not {}; name a shorter path", key, longest,
                                              node->text.size()));
    else
        path = node->text;
}

// A path that may be left empty, for none.
void read_optional_path(MapReader& map, std::string_view key, std::string& path, Report& report) {
    if (const Node* node = map.get(key); node != nullptr && node->kind != Kind::null)
        read_path(map, key, path, report);
}

void read_group(MapReader& map, std::string& group, Report& report) {
    constexpr std::string_view expected = "a group's name or number";
    const Node* node = map.get_text("group", expected);
    if (node == nullptr)
        return;
    if (node->text.empty() || node->text.find_first_of(std::string_view(":, \t\n\0", 6)) != std::string_view::npos)
        refuse(report, *node, "group", expected);
    else
        group = node->text;
}

bool is_pattern(std::string_view bridge) {
    return bridge.find('*') != std::string_view::npos;
}

// The part that no interface's name has in it, as a sentence; empty when there is nothing of the kind.
std::string character_fault(std::string_view name) {
    const auto bad = std::ranges::find_if(name, [](char c) { return c != '.' && !model::is_interface_name({&c, 1}); });
    if (bad == name.end())
        return "";
    if (*bad == ' ' || *bad == '\t')
        return "an interface's name has no blanks";
    if (static_cast<unsigned char>(*bad) >= 0x80)
        return "an interface's name can have ASCII characters only";
    return fmt::format("an interface's name cannot have {} in it", quote(std::string_view(&*bad, 1)));
}

std::string pattern_fault(std::string_view pattern) {
    std::string rest(pattern);
    std::erase(rest, '*');
    if (rest.size() > longest_interface_name)
        return fmt::format("an interface's name has at most {} characters, and this pattern asks for {}",
                           longest_interface_name, rest.size());
    if (pattern.find("**") != std::string_view::npos)
        return "one '*' stands for any run of characters; write it once";
    return character_fault(rest);
}

model::BridgePolicy read_bridge(const Node& key, const Node& value, Report& report) {
    if (const std::string fault = is_pattern(key.text) ? pattern_fault(key.text) : bridge_name_fault(key.text);
        !fault.empty())
        report.error(key.place, fmt::format("bridge {}: {}", quote(key.text), fault));
    model::BridgePolicy policy;
    MapReader map(value, key.text, bridge_keys, report);
    map.read_choice("icc", iccs, policy.icc);
    map.read_choice("routed", routeds, policy.routed);
    if (const Node* node = map.get("other_frames")) {
        map.read_choice("other_frames", other_frames, policy.other_frames.emplace());
        if (policy.icc == model::Icc::allow && policy.other_frames == model::OtherFrames::deny)
            report.warning(
                node->place,
                "'other_frames: deny' does nothing beside 'icc: allow', under which everything passes on the "
                "bridge; leave the key out, or say icc: deny");
    }
    map.read_boolean("base_rules", policy.base_rules);
    return policy;
}

void read_docker(const Node& section, std::optional<DockerSource>& docker, Report& report) {
    if (section.kind == Kind::null)
        return;
    docker.emplace();
    MapReader map(section, "docker", docker_keys, report);
    read_path(map, "socket", docker->socket, report, longest_socket_path);
}

}  // namespace

std::string bridge_name_fault(std::string_view name) {
    if (is_pattern(name))
        return "a pattern says which bridges are policed, under 'bridges'; name the one that the container is on";
    if (model::is_interface_name(name))
        return "";
    if (name.empty())
        return "an interface's name cannot be empty";
    if (name.size() > longest_interface_name)
        return fmt::format("an interface's name has at most {} characters, not {}", longest_interface_name,
                           name.size());
    if (name == "." || name == "..")
        return "an interface cannot have this name";
    return character_fault(name);
}

void read_firewall(const Node& section, Config& config, Report& report) {
    model::FirewallPolicy& firewall = config.firewall;
    MapReader map(section, "firewall", firewall_keys, report);
    map.read_choice("family", families, firewall.family);
    read_identifier(map, "table", "a table's name", firewall.table, report);
    if (const Node* table = map.get("table"); table != nullptr && firewall.table.ends_with(model::frames_ending))
        report.error(table->place, fmt::format("'table' cannot end in '{0}': table NAME{0} stands beside table NAME",
                                               model::frames_ending));
    read_priority(map, firewall, report);
    map.read_choice("layout", layouts, firewall.layout);
    map.read_choice("replies", replies, firewall.replies);
    read_counters(map, firewall.counters, report);
    map.read_boolean("log_drops", firewall.log_drops);
    read_accept_mark(map, firewall.accept_mark, report);
    map.only_false("table_owner");
    read_cut_flows(map, report);
    read_attach(map, firewall, report);
    map.read_choice("on_exit", exits, config.on_exit);
}

void read_bridges(const Node& section, Config& config, Report& report) {
    if (section.kind != Kind::map && section.kind != Kind::null)
        return refuse(report, section, "bridges", "a map of bridges");
    for_each_entry(section, [&](const Node& key, const Node& value) {
        model::BridgePolicy policy = read_bridge(key, value, report);
        if (is_pattern(key.text))
            config.firewall.bridge_patterns.push_back({std::string(key.text), policy});
        else
            config.firewall.bridges[std::string(key.text)] = policy;
    });
}

void check_bridges(const Node& bridges, const Config& config, Report& report) {
    if (bridges.kind != Kind::map)
        return;
    for_each_entry(bridges, [&](const Node&, const Node& bridge) {
        if (bridge.kind != Kind::map)
            return;
        const Node* base_rules = find(bridge, "base_rules");
        if (config.firewall.layout != model::Layout::rules && base_rules != nullptr &&
            to_boolean(*base_rules).value_or(false))
            report.error(
                base_rules->place,
                "'base_rules: true' needs 'firewall: {layout: rules}': they are Docker's, for chains that drop "
                "what no rule accepts, and nftlink's own table with 'layout: sets' needs none");
        if (const Node* routed = find(bridge, "routed"); routed != nullptr && !config.firewall.attach.empty())
            report.warning(routed->place,
                           "'routed' does nothing with 'attach': what is routed between bridges is the business of the "
                           "chain that the rules are put on top of; leave the key out");
    });
}

void read_env(const Node& section, Config& config, Report& report) {
    MapReader map(section, "env", env_keys, report);
    map.read_choice("dialect", dialects, config.env.dialect);
    map.read_boolean("child_environment", config.env.child_environment);
    read_optional_path(map, "directory", config.env_directory, report);
    read_optional_path(map, "cdi_directory", config.cdi_directory, report);
}

void read_control(const Node& section, Config& config, Report& report) {
    MapReader map(section, "control", control_keys, report);
    read_path(map, "socket", config.control.socket, report, longest_socket_path);
    read_group(map, config.control.group, report);
    map.read_choice("readers", readers, config.control.readers);
}

void read_state(const Node& section, Config& config, Report& report) {
    MapReader map(section, "state", state_keys, report);
    read_path(map, "directory", config.state.directory, report);
}

void read_sources(const Node& section, Config& config, Report& report) {
    if (section.kind != Kind::map && section.kind != Kind::null)
        return refuse(report, section, "sources", "a map");
    for_each_entry(section, [&](const Node& key, const Node& value) {
        if (key.text == "docker")
            read_docker(value, config.sources.docker, report);
        else if (key.text == "podman")
            report.error(key.place,
                         "unknown key 'podman'; Podman speaks Docker's API: sources: {docker: {socket: "
                         "/run/podman/podman.sock}}");
        else
            refuse_unknown_key(report, key, source_keys);
    });
}

void read_limits(const Node& section, Config& config, Report& report) {
    MapReader map(section, "limits", limit_keys, report);
    const Node* node = map.get("permissions");
    if (node == nullptr)
        return;
    const auto number = node->kind == Kind::scalar ? to_number(node->text) : std::nullopt;
    const bool in_range = number && *number >= 1 && *number <= model::most_permissions;
    if (in_range && node->plain)
        config.limits.permissions = *number;
    else
        refuse(report, *node, "permissions", fmt::format("a number from 1 to {}", model::most_permissions),
               in_range ? "; write it without quotes" : "");
}

void read_log(const Node& section, Config& config, Report& report) {
    MapReader map(section, "log", log_keys, report);
    map.read_choice("level", levels, config.log.level);
    map.read_choice("format", formats, config.log.format);
}

}  // namespace nftlink::config
