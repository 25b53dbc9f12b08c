#include "nftlink/engine/inventory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>
#include <iterator>
#include <set>

#include "fields.hpp"
#include "nftlink/base/clock.hpp"
#include "nftlink/base/suggestion.hpp"
#include "nftlink/model/topology.hpp"

namespace nftlink::engine {

namespace json = boost::json;

namespace {

// Docker's prefix of bridges that have no name of their own, and how much of the network's id follows it.
constexpr std::string_view bridge_prefix = "br-";
constexpr std::size_t id_digits = 12;

constexpr std::string_view links_label = "nftlink.links", expose_label = "nftlink.expose";

bool starts_and_has_more(std::string_view text, char first) {
    return text.size() > 1 && text.front() == first;
}

std::string_view without_slash(std::string_view name) {
    return starts_and_has_more(name, '/') ? name.substr(1) : name;
}

// Unix time; 0 for a text that isn't a time.
std::int64_t nanoseconds_of(std::string_view text) {
    const auto time = base::parse_timestamp(text);
    return time ? time->time_since_epoch().count() : 0;
}

// The words between commas or blanks.
std::vector<std::string_view> words(std::string_view text) {
    constexpr std::string_view separators = ", \t\r\n";
    std::vector<std::string_view> found;
    for (std::size_t begin = text.find_first_not_of(separators); begin != std::string_view::npos;) {
        const std::size_t end = std::min(text.find_first_of(separators, begin), text.size());
        found.push_back(text.substr(begin, end - begin));
        begin = text.find_first_not_of(separators, end);
    }
    return found;
}

class ContainerReader {
public:
    explicit ContainerReader(const json::object& answer) : answer_(answer) {}

    std::optional<Container> read() {
        container_.id = text(answer_, "Id");
        container_.name = without_slash(text(answer_, "Name"));
        if (container_.id.empty() || container_.name.empty())
            return {};
        const json::object& state = object(answer_, "State");
        container_.running = flag(state, "Running");
        container_.started = nanoseconds_of(text(state, "StartedAt"));
        read_endpoints();
        const json::object& config = object(answer_, "Config");
        read_labels(object(config, "Labels"));
        read_expose(config);
        read_environment(config);
        read_links();
        return std::move(container_);
    }

private:
    void complain(std::string message) { container_.complaints.push_back(std::move(message)); }

    // Another container's network namespace has that one's addresses. Podman says them here, too; Docker doesn't.
    bool has_own_network() const {
        return !text(object(answer_, "HostConfig"), "NetworkMode").starts_with("container:");
    }

    void read_endpoints() {
        if (!has_own_network())
            return;
        for (const auto& [name, value] : object(object(answer_, "NetworkSettings"), "Networks")) {
            const json::object* settings = value.if_object();
            if (settings == nullptr)
                continue;
            Endpoint endpoint;
            endpoint.network = text(*settings, "NetworkID");
            if (endpoint.network.empty())
                endpoint.network = name;
            for (const char* key : {"IPAddress", "GlobalIPv6Address"})
                if (const auto address = model::Address::parse(text(*settings, key)); address && container_.running)
                    endpoint.addresses.push_back(*address);
            container_.endpoints.push_back(std::move(endpoint));
            for (const json::value& link : array(*settings, "Links"))
                if (link.is_string())
                    network_links_.emplace_back(link.get_string());
        }
    }

    // Podman adds some of its own, and gives all in another order each time.
    void read_environment(const json::object& config) {
        std::vector<std::string>& entries = container_.environment;
        for (const json::value& entry : array(config, "Env"))
            if (entry.is_string())
                entries.emplace_back(entry.get_string());
        if (std::erase(entries, "container=podman") == 0)
            return;
        std::erase_if(entries,
                      [](const std::string& entry) { return entry == "TERM=xterm" || entry.starts_with("HOSTNAME="); });
        std::ranges::sort(entries);
    }

    void read_labels(const json::object& labels) {
        links_ = text(labels, links_label);
        expose_ = text(labels, expose_label);
        if (text(labels, "com.docker.compose.oneoff") == "True")
            return;  // of `compose run`: none of the service's own
        container_.project = text(labels, "com.docker.compose.project");
        container_.service = text(labels, "com.docker.compose.service");
        const std::string number = text(labels, "com.docker.compose.container-number");
        std::from_chars(number.data(), number.data() + number.size(), container_.number);
    }

    // The image's, --expose and -p: always the container's own ports.
    void read_expose(const json::object& config) {
        std::set<model::Port> ports;
        const auto add = [&](std::string_view text, std::string_view where) {
            const auto parsed = model::parse_ports(text);
            if (parsed)
                ports.insert(parsed->begin(), parsed->end());
            else
                complain(fmt::format("{}: {}", where, parsed.error()));
        };
        for (const json::object* section :
             {&object(config, "ExposedPorts"), &object(object(answer_, "HostConfig"), "PortBindings")})
            for (const auto& [port, nothing] : *section)
                add(port, "an exposed port");
        for (const std::string_view word : words(expose_))
            add(word, fmt::format("label {}", expose_label));
        container_.expose.assign(ports.begin(), ports.end());
        if (ports.size() > model::max_exposed_ports) {
            container_.expose.resize(model::max_exposed_ports);
            complain(fmt::format("it exposes {} ports, of which the first {} are used", ports.size(),
                                 model::max_exposed_ports));
        }
    }

    void read_links() {
        std::vector<Wish> links;
        for (const json::value& entry : array(object(answer_, "HostConfig"), "Links"))
            if (entry.is_string())
                links.push_back(read_link(std::string_view(entry.get_string())));
        std::ranges::sort(links, {}, &Wish::alias);
        std::ranges::transform(network_links_, std::back_inserter(links), read_link);
        for (Wish& wish : links)
            add_link(std::move(wish), "--link");
        for (const std::string_view word : words(links_))
            add_link(read_link(word), fmt::format("label {}", links_label));
    }

    // `/redis:/web/db`, `redis:db` or `redis`.
    static Wish read_link(std::string_view text) {
        auto [child, alias] = model::parse_link(text);
        if (alias.starts_with('/'))
            alias.remove_prefix(alias.rfind('/') + 1);
        return {std::string(without_slash(child)), std::string(alias)};
    }

    void add_link(Wish wish, std::string_view where) {
        for (const std::string& name : {wish.child, wish.alias})
            if (!model::is_name(name))
                return complain(fmt::format("{}: {} is no container's name", where, base::quote(name)));
        if (wish.child == container_.name)
            return complain(fmt::format("{}: a link to itself", where));
        const auto same = std::ranges::find(container_.links, wish.alias, &Wish::alias);
        if (same == container_.links.end())
            container_.links.push_back(std::move(wish));
        else if (same->child != wish.child)
            complain(fmt::format("{}: the alias {} is {} already, so that {} is left out", where, wish.alias,
                                 same->child, wish.child));
    }

    const json::object& answer_;
    Container container_;
    std::vector<std::string> network_links_;
    std::string links_, expose_;  // the labels
};

std::vector<Network> read_networks(const json::value& answer, auto read) {
    std::vector<Network> networks;
    if (const json::array* list = answer.if_array())
        for (const json::value& each : *list)
            if (const json::object* record = each.if_object())
                networks.push_back(read(*record));
    return networks;
}

std::vector<std::string> linked_names(const json::object& listed) {
    std::vector<std::string> links;
    for (const json::value& name : array(listed, "Names"))
        if (const json::string* word = name.if_string(); word != nullptr && word->find('/', 1) != json::string::npos)
            links.emplace_back(*word);
    std::ranges::sort(links);
    return links;
}

std::optional<std::vector<std::string>> listed_addresses(const json::object& listed) {
    const json::object& settings = object(listed, "NetworkSettings");
    if (!settings.contains("Networks"))
        return {};
    std::vector<std::string> addresses;
    for (const auto& [name, network] : object(settings, "Networks"))
        if (network.is_object())
            for (const std::string_view field : {"IPAddress", "GlobalIPv6Address"})
                if (const auto address = model::Address::parse(text(network.get_object(), field)))
                    addresses.push_back(address->to_string());
    std::ranges::sort(addresses);
    return addresses;
}

// Major and minor number; nothing when it is none.
std::optional<std::pair<unsigned, unsigned>> parse_api(std::string_view text) {
    std::pair<unsigned, unsigned> number;
    const char* const end = text.data() + text.size();
    const auto major = std::from_chars(text.data(), end, number.first);
    if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.')
        return {};
    const auto minor = std::from_chars(major.ptr + 1, end, number.second);
    return minor.ec == std::errc() && minor.ptr == end ? std::optional(number) : std::nullopt;
}

bool is_podman(const json::object& version) {
    return std::ranges::any_of(array(version, "Components"), [](const json::value& component) {
        return component.is_object() && text(component.get_object(), "Name") == "Podman Engine";
    });
}

Event::Kind kind_of_container_event(std::string_view action) {
    using enum Event::Kind;
    static constexpr std::pair<std::string_view, Event::Kind> kinds[] = {
        {"create", changed}, {"start", changed}, {"restart", changed}, {"rename", renamed}, {"update", changed},
        {"die", ended},      {"died", ended},    {"destroy", removed}, {"remove", removed}, {"init", changed},
    };
    const auto found = std::ranges::find(kinds, action, &std::pair<std::string_view, Event::Kind>::first);
    return found == std::end(kinds) ? other : found->second;
}

Event::Kind kind_of_network_event(std::string_view action) {
    using enum Event::Kind;
    if (action == "connect")
        return changed;
    if (action == "disconnect")
        return disconnected;
    return action == "create" || action == "destroy" || action == "remove" ? networks : other;
}

}  // namespace

std::string_view Inventory::bridge_of(const Endpoint& endpoint) const {
    const auto found = networks.find(endpoint.network);
    return found == networks.end() ? std::string_view() : found->second.bridge;
}

std::optional<Container> read_container(const json::value& answer) {
    const json::object* record = answer.if_object();
    return record == nullptr ? std::nullopt : ContainerReader(*record).read();
}

std::vector<Network> read_networks(const json::value& answer) {
    return read_networks(answer, [](const json::object& record) {
        Network network{text(record, "Id"), text(record, "Name"), ""};
        if (text(record, "Driver") != "bridge")
            return network;
        network.bridge = text(object(record, "Options"), "com.docker.network.bridge.name");
        if (network.bridge.empty())
            network.bridge = std::string(bridge_prefix) + network.id.substr(0, id_digits);
        return network;
    });
}

std::vector<Network> read_podman_networks(const json::value& answer) {
    return read_networks(answer, [](const json::object& record) {
        const bool is_bridge = text(record, "driver") == "bridge";
        return Network{text(record, "id"), text(record, "name"), is_bridge ? text(record, "network_interface") : ""};
    });
}

std::vector<Listed> read_list(const json::value& answer) {
    std::vector<Listed> containers;
    if (const json::array* list = answer.if_array())
        for (const json::value& each : *list)
            if (const json::object* record = each.if_object(); record != nullptr && !text(*record, "Id").empty()) {
                const std::string state = text(*record, "State");
                containers.push_back({text(*record, "Id"), state == "running" || state == "paused",
                                      linked_names(*record), listed_addresses(*record)});
            }
    return containers;
}

std::expected<Version, std::string> negotiate(const json::value& answer) {
    // The fields that are read here have been there since 1.21, and are in 1.52.
    constexpr std::pair<unsigned, unsigned> oldest{1, 21}, newest{1, 52};
    static const json::object nothing;
    const json::object& record = answer.is_object() ? answer.get_object() : nothing;
    const auto offered = parse_api(text(record, "ApiVersion"));
    if (!offered)
        return std::unexpected("what answers there is no container engine: its answer names no API version");
    const auto least = parse_api(text(record, "MinAPIVersion")).value_or(oldest);
    if (*offered < oldest || least > newest)
        return std::unexpected(fmt::format("the engine speaks API versions {}.{} to {}.{}, and nftlink {}.{} to {}.{}",
                                           least.first, least.second, offered->first, offered->second, oldest.first,
                                           oldest.second, newest.first, newest.second));
    const auto spoken = std::min(*offered, newest);
    Version version{
        .engine = "", .api = fmt::format("{}.{}", spoken.first, spoken.second), .is_podman = is_podman(record)};
    version.engine = fmt::format("{} {}", version.is_podman ? "Podman" : "Docker", text(record, "Version"));
    return version;
}

Event read_event(const json::value& line) {
    Event event;
    const json::object* record = line.if_object();
    if (record == nullptr)
        return event;
    event.time = number(*record, "timeNano");
    const std::string type = text(*record, "Type"), action = text(*record, "Action");
    const json::object& actor = object(*record, "Actor");
    if (type == "container") {
        event.kind = kind_of_container_event(action);
        event.container = text(actor, "ID");
    } else if (type == "network") {
        event.kind = kind_of_network_event(action);
        event.network = text(actor, "ID");
        event.container = text(object(actor, "Attributes"), "container");
        // Podman names the container in the network's place, and the network not at all.
        if (event.container.empty() && event.kind != Event::Kind::networks)
            std::swap(event.container, event.network);
    }
    return event;
}

}  // namespace nftlink::engine
