#include "options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "nftlink/base/suggestion.hpp"
#include "nftlink/model/topology.hpp"

namespace nftlink::cli {

namespace {

constexpr double shortest_interval = 0.1, longest_interval = 3600;

// An option that may be given several times, each time with one value.
void add_repeated(CLI::App& verb, const char* option, std::vector<std::string>& values, const char* kind,
                  const char* help) {
    verb.add_option(option, values, help)->allow_extra_args(false)->type_name(kind);
}

}  // namespace

void take_nothing(CLI::App&, Arguments&) {}

void take_force(CLI::App& verb, Arguments& arguments) {
    verb.add_flag("--force", arguments.request.force,
                  "Delete a table of nftlink's also when it holds what others have put into it");
}

void take_container(CLI::App& verb, Arguments& arguments) {
    verb.add_option("CONTAINER", arguments.request.container, "The parent's name")->required()->type_name("");
}

void take_name(CLI::App& verb, Arguments& arguments) {
    verb.add_option("NAME", arguments.request.container, "The container's name")->required()->type_name("");
}

void take_container_and_hosts_format(CLI::App& verb, Arguments& arguments) {
    take_container(verb, arguments);
    verb.add_option("--format", arguments.hosts_format, "hosts (default), or docker for words of docker run");
}

void take_container_and_dialect(CLI::App& verb, Arguments& arguments) {
    take_container(verb, arguments);
    verb.add_option("--dialect", arguments.dialect,
                    "docker-0.10, docker-27 or docker-28; default: the configuration's");
}

void take_container_and_format(CLI::App& verb, Arguments& arguments) {
    take_container_and_dialect(verb, arguments);
    verb.add_option("--format", arguments.format, "env (default), shell, json or null");
}

void take_link(CLI::App& verb, Arguments& arguments) {
    verb.add_option("PARENT", arguments.request.parent, "The container that may connect")->required()->type_name("");
    verb.add_option("CHILD", arguments.linked, "The container that it may reach; :ALIAS is the parent's name for it")
        ->required()
        ->type_name("");
}

void take_link_name(CLI::App& verb, Arguments& arguments) {
    verb.add_option("PARENT", arguments.request.parent, "The container that may connect")->required()->type_name("");
    verb.add_option("ALIAS", arguments.request.alias, "Its name for the container that it may reach")
        ->required()
        ->type_name("");
}

void take_new_container(CLI::App& verb, Arguments& arguments) {
    NewContainer& added = arguments.request.added;
    take_name(verb, arguments);
    verb.add_option("--bridge", added.bridge, "The bridge that it is on")->type_name("BRIDGE");
    add_repeated(verb, "--address", added.addresses, "ADDRESS", "Its addresses there, with commas or one at a time");
    add_repeated(verb, "--network", added.networks, "BRIDGE=ADDRESS", "A further bridge, and its addresses there");
    add_repeated(verb, "--expose", added.expose, "PORT", "Ports that it offers: 6379, 53/udp, 8000-8010/tcp");
    add_repeated(verb, "--env", added.environment, "KEY=VALUE", "One of its own variables");
    add_repeated(verb, "--link", added.links, "CHILD[:ALIAS]", "A link that it has as a parent");
}

void take_interval(CLI::App& verb, Arguments& arguments) {
    verb.add_option("--interval", arguments.interval, "Seconds between two readings; default 1")->type_name("SECONDS");
    verb.add_option("--count", arguments.request.count, "Tables to print; default: endless")->type_name("NUMBER");
}

std::optional<std::string> read_words(Arguments& arguments) {
    Request& request = arguments.request;
    if (arguments.format) {
        const auto format = linkenv::parse_format(*arguments.format);
        if (!format)
            return fmt::format("unknown format {}: use env, shell, json or null", base::quote(*arguments.format));
        request.format = *format;
    }
    if (arguments.hosts_format) {
        const auto format = linkenv::parse_hosts_format(*arguments.hosts_format);
        if (!format)
            return fmt::format("unknown format {}: use hosts or docker", base::quote(*arguments.hosts_format));
        request.hosts_format = *format;
    }
    if (arguments.dialect) {
        request.dialect = model::parse_dialect(*arguments.dialect);
        if (!request.dialect)
            return fmt::format("unknown dialect {}: use docker-0.10, docker-27 or docker-28",
                               base::quote(*arguments.dialect));
    }
    if (!arguments.linked.empty()) {
        const auto [child, alias] = model::parse_link(arguments.linked);
        request.child = child;
        request.alias = alias;
    }
    if (!(arguments.interval >= shortest_interval && arguments.interval <= longest_interval))
        return fmt::format("--interval must be {} to {} seconds", shortest_interval, longest_interval);
    request.interval = std::chrono::duration<double>(arguments.interval);
    if (request.count && (*request.count == 0 || request.json))
        return request.json ? "--count can't be used with --json, which prints one record"
                            : "--count must be 1 or more";
    return {};
}

}  // namespace nftlink::cli
