#include "file_verbs.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <set>
#include <system_error>

#include "configuration.hpp"
#include "host.hpp"
#include "nftlink/base/suggestion.hpp"
#include "nftlink/config/load.hpp"
#include "running_service.hpp"
#include "words.hpp"

namespace nftlink::cli {

namespace {

struct Counts {
    std::size_t containers = 0;
    std::size_t links = 0;
    std::size_t bridges = 0;
};

Counts count_all(const config::Config& config) {
    Counts counts{config.topology.containers.size(), 0, 0};
    std::set<std::string> bridges;
    for (const auto& [name, bridge] : config.firewall.bridges)
        bridges.insert(name);
    for (const auto& [name, container] : config.topology.containers) {
        counts.links += container.links.size();
        for (const model::Network& network : container.networks)
            bridges.insert(network.bridge);
    }
    counts.bridges = bridges.size();
    return counts;
}

// True when the files say all about this parent: where it is, and its children.
bool stands_alone(const model::Container& parent, const model::Topology& topology) {
    return !parent.networks.empty() && std::ranges::all_of(parent.links, [&](const model::Link& link) {
        const model::Container* child = topology.find(link.child);
        return child != nullptr && !child->networks.empty();
    });
}

// A parent, and the topology that its links lead into.
struct Parent {
    model::Container container;
    model::Topology topology;
};

// A parent of the files, or of the engine; nothing, with errors in the report, when there is none.
std::optional<Parent> find_parent(const Request& request, const config::Loaded& loaded, Report& report) {
    const model::Topology& topology = loaded.config.topology;
    if (const model::Container* stated = topology.find(request.container);
        stated != nullptr && stands_alone(*stated, topology))
        return Parent{*stated, topology};
    const auto united = ask_engine(loaded, report);
    if (!united)
        return {};
    for (const desired::Waiting& waiting : united->waiting())
        if (waiting.parent == request.container && united->topology().find(waiting.link.child) == nullptr)
            report.warn(fmt::format("link {} is left out: {}", model::link_name(waiting.parent, waiting.link.alias),
                                    waiting.reason));
    if (const model::Container* container = united->find(request.container))
        return Parent{*container, united->topology()};
    report.fail(fmt::format("there is no container {} in {}, nor does the engine at {} know one",
                            base::quote(request.container), request.file, loaded.config.sources.docker->socket));
    return {};
}

// True when the service is to be asked: it knows more than the files, and the engine as well.
bool is_for_service(const Request& request, const config::Config& config) {
    const model::Container* stated = config.topology.find(request.container);
    return (stated == nullptr || !stands_alone(*stated, config.topology)) &&
           (!config.sources.docker || running_service());
}

// The link variables that were asked for; nothing, with errors, when there are none.
std::optional<std::vector<linkenv::Variable>> variables(const Request& request, Report& report) {
    const auto loaded = load(request, report);
    if (!loaded)
        return {};
    const config::Config& config = loaded->config;
    if (is_for_service(request, config))
        return service_variables(request, config, report);
    const auto parent = find_parent(request, *loaded, report);
    if (!parent)
        return {};
    model::EnvironmentOptions options = config.env;
    options.dialect = request.dialect.value_or(options.dialect);
    linkenv::Environment environment = linkenv::environment(parent->container, parent->topology, options);
    for (const linkenv::Warning& warning : environment.warnings)
        report.warn(warning.to_string());
    return std::move(environment.variables);
}

// The warnings of all parents. What holds for many links is said once: a thousand may have the same child.
void warn_of_links(const model::Topology& topology, const model::EnvironmentOptions& options, Report& report) {
    std::vector<std::pair<linkenv::Warning, std::size_t>> firsts;  // and how many more
    std::map<std::string, std::size_t> indexes;
    for (const auto& [name, container] : topology.containers)
        for (linkenv::Warning& warning : linkenv::environment(container, topology, options).warnings) {
            const auto [index, is_new] = indexes.emplace(warning.text, firsts.size());
            if (is_new)
                firsts.emplace_back(std::move(warning), 0);
            else
                ++firsts[index->second].second;
        }
    for (auto& [warning, more] : firsts) {
        if (more != 0)
            warning.links += fmt::format(", and {} more", more);
        report.warn(warning.to_string());
    }
}

}  // namespace

int check(const Request& request, Report& report) {
    const auto loaded = load(request, report);
    if (!loaded)
        return failed;
    say_warnings(*loaded, report);
    warn_of_links(without_engine(*loaded), loaded->config.env, report);
    say_left_open(configured_bridges(loaded->config), report);
    if (const auto fault = host_fault(loaded->config, report))
        return report.fail(fmt::format("{}: is valid, but can't be applied on this host: {}", request.file, *fault));
    const Counts counts = count_all(loaded->config);
    report.print(fmt::format("{}: ok: {}, {}, {}\n", request.file, count(counts.containers, "container"),
                             count(counts.links, "link"), count(counts.bridges, "bridge")));
    report.record()["containers"] = counts.containers;
    report.record()["links"] = counts.links;
    report.record()["bridges"] = counts.bridges;
    return done;
}

int env(const Request& request, Report& report) {
    const auto found = variables(request, report);
    if (!found)
        return failed;
    // In the record the variables are JSON already, which carries every name.
    if (request.json) {
        boost::json::object object;
        for (const linkenv::Variable& variable : *found)
            object[variable.name] = variable.value;
        report.record()["variables"] = std::move(object);
        return done;
    }
    const auto text = linkenv::format(*found, request.format);
    if (!text)
        return report.fail(text.error());
    report.print(*text);
    return done;
}

int hosts(const Request& request, Report& report) {
    const auto loaded = load(request, report);
    if (!loaded)
        return failed;
    std::optional<std::string> lines;
    if (is_for_service(request, loaded->config))
        lines = service_hosts(request, loaded->config, report);
    else if (const auto parent = find_parent(request, *loaded, report))
        lines = linkenv::hosts(parent->container, parent->topology, request.hosts_format);
    if (!lines)
        return failed;
    report.print(*lines);
    report.record()["hosts"] = *lines;
    return done;
}

int run_command(const Request& request, Report& report) {
    // The statuses of shells.
    constexpr int cannot_execute = 126, not_found = 127;
    const auto found = variables(request, report);
    if (!found)
        return failed;
    for (const linkenv::Variable& variable : *found)
        setenv(variable.name.c_str(), variable.value.c_str(), 1);
    std::vector<char*> arguments;
    std::vector<std::string> words = request.command;
    for (std::string& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    report.tell();
    execvp(arguments.front(), arguments.data());
    const int error = errno;
    report.fail(fmt::format("cannot run {}: {}", base::quote(words.front()), std::generic_category().message(error)));
    return error == ENOENT ? not_found : cannot_execute;
}

}  // namespace nftlink::cli
