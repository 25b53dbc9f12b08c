#include "nftlink/config/config.hpp"

#include "containers.hpp"
#include "control_part.hpp"
#include "hash.hpp"
#include "inputs.hpp"
#include "merge.hpp"
#include "reader.hpp"
#include "settings.hpp"
#include "topology_checks.hpp"
#include "words.hpp"
#include "yaml.hpp"

namespace nftlink::config {

namespace {

// All inputs together. `whole`: no part of any is missing.
Document read_documents(const std::vector<Input>& inputs, Arena& arena, Report& report) {
    std::vector<const Node*> roots;  // maps and nulls
    bool all_whole = true;
    for (const Input& input : inputs) {
        const std::uint32_t source = report.add_source(input.name, input.text);
        if (!input.fault.empty()) {
            report.error({source}, input.fault);
            all_whole = false;
            continue;
        }
        const auto [root, whole] = read_yaml(source, arena, report);
        const bool is_map = root != nullptr && (root->kind == Kind::map || root->kind == Kind::null);
        all_whole &= whole && is_map;
        if (is_map)
            roots.push_back(root);
        else if (root != nullptr)
            report.error(root->place, "a configuration must be a map of sections, not " + describe(*root));
    }
    return {roots.empty() ? nullptr : merge(roots, arena, report), all_whole};
}

void read_topology(const Node& section, bool whole, Loaded& loaded, Report& report) {
    Config& config = loaded.config;
    // The engine may know one that is missing here; or a part that could not be read names it.
    const auto unplaced = whole && !config.sources.docker ? model::Unplaced::refused : model::Unplaced::allowed;
    std::vector<StatedContainer> containers = read_containers(section, unplaced, report);
    check_topology(containers, config.firewall, config.limits, unplaced, report);
    for (StatedContainer& container : containers) {
        std::string name = container.value.name;
        loaded.places.emplace(name, report.position(container.place));
        config.topology.containers.emplace(std::move(name), std::move(container.value));
    }
}

void read_section(const Node& key, const Node& value, Config& config, Report& report) {
    if (key.text == "firewall")
        read_firewall(value, config, report);
    else if (key.text == "bridges")
        read_bridges(value, config, report);
    else if (key.text == "env")
        read_env(value, config, report);
    else if (key.text == "log")
        read_log(value, config, report);
    else if (key.text == "control")
        read_control(value, config, report);
    else if (key.text == "state")
        read_state(value, config, report);
    else if (key.text == "sources")
        read_sources(value, config, report);
    else if (key.text == "limits")
        read_limits(value, config, report);
    else if (key.text != "containers")
        refuse_unknown_key(report, key, section_names);
}

// The rights of an engine's containers on a bridge are only stated for bridges that the configuration names.
void check_sources(const Node& root, const Config& config, Report& report) {
    if (config.sources.docker && config.firewall.bridges.empty() && config.firewall.bridge_patterns.empty())
        report.warning(find_key(*find(root, "sources"), "docker")->place,
                       "'bridges' names no bridge: nothing of the engine is policed; name the bridge, e.g. bridges: "
                       "{docker0: {}}");
}

}  // namespace

Result parse_inputs(const std::vector<Input>& inputs, Hashed hashed) {
    Arena arena;
    Report report;
    Loaded loaded;
    if (const auto [root, whole] = read_documents(inputs, arena, report); root != nullptr) {
        for_each_entry(*root,
                       [&](const Node& key, const Node& value) { read_section(key, value, loaded.config, report); });
        check_sources(*root, loaded.config, report);
        if (const Node* bridges = find(*root, "bridges"))
            check_bridges(*bridges, loaded.config, report);
        // Last: what containers may be depends on the firewall's family, and on the sources.
        if (const Node* containers = find(*root, "containers"))
            read_topology(*containers, whole, loaded, report);
    }
    if (report.error_count() > 0)
        return std::unexpected(report.errors());
    loaded.warnings = report.warnings();
    if (hashed == Hashed::yes)
        loaded.hash = hash_of(inputs);
    return loaded;
}

std::string socket_of(const std::vector<Input>& inputs) {
    Arena arena;
    Report unread;
    Config config;
    std::vector<Input> parts;
    for (const Input& input : inputs)
        if (const std::string_view part = control_part(input.text); !part.empty())
            parts.push_back({.name = input.name, .text = part, .fault = input.fault});
    if (const Node* root = read_documents(parts, arena, unread).root)
        if (const Node* control = find(*root, "control"))
            read_control(*control, config, unread);
    return config.control.socket;
}

Result parse(const std::vector<Source>& sources) {
    std::vector<Input> inputs;
    for (const Source& source : sources)
        inputs.push_back({.name = source.name, .text = source.text, .fault = ""});
    return parse_inputs(inputs, Hashed::yes);
}

}  // namespace nftlink::config
