#include "nftlink/config/container_yaml.hpp"

#include <fmt/format.h>

#include "containers.hpp"
#include "reader.hpp"
#include "words.hpp"
#include "yaml.hpp"
#include "yaml_text.hpp"

namespace nftlink::config {

namespace {

constexpr std::string_view section_names[] = {"containers"};

std::string to_list(const auto& items, auto to_text) {
    std::string list;
    for (const auto& item : items)
        list += fmt::format("{}{}", list.empty() ? "" : ", ", to_text(item));
    return "[" + list + "]";
}

// One item a line: these lists are read by people, and a difference of two versions should show one.
void add_list(std::string& text, std::string_view key, const auto& items, auto to_text) {
    if (items.empty())
        return;
    text += fmt::format("    {}:\n", key);
    for (const auto& item : items)
        text += fmt::format("      - {}\n", to_text(item));
}

// The one container that a document may have; null, with errors, when it is another or there are more.
const Node* find_section(const Node& root, std::string_view name, Report& report) {
    if (root.kind != Kind::map) {
        report.error(root.place, "a container's file must be a map with 'containers', not " + describe(root));
        return nullptr;
    }
    for_each_entry(root, [&](const Node& key, const Node&) {
        if (key.text != section_names[0])
            refuse_unknown_key(report, key, section_names);
    });
    const Node* section = find(root, section_names[0]);
    if (section == nullptr || section->kind != Kind::map || section->children.size() != 2) {
        report.error(root.place, fmt::format("this must have one container, {}", quote(name)));
        return nullptr;
    }
    const Node& key = *section->children.front();
    if (key.text != name) {
        report.error(key.place, fmt::format("this must be the container {}, not {}", quote(name), quote(key.text)));
        return nullptr;
    }
    return section;
}

}  // namespace

std::string to_yaml(const model::Container& container) {
    const auto address = [](const model::Address& value) { return yaml_string(value.to_string()); };
    std::string text = container.networks.empty() ? "" : "    networks:\n";
    for (const model::Network& network : container.networks)
        text += fmt::format("      {}: {}\n", yaml_string(network.bridge), to_list(network.addresses, address));
    add_list(text, "expose", container.expose, [](const model::Port& port) { return port.to_string(); });
    add_list(text, "environment", container.environment, [](const std::string& entry) { return yaml_string(entry); });
    add_list(text, "links", container.links,
             [](const model::Link& link) { return yaml_string(link.child + ":" + link.alias); });
    return fmt::format("containers:\n  {}:{}{}", yaml_string(container.name), text.empty() ? " {}\n" : "\n", text);
}

std::expected<model::Container, base::Errors> parse_container(const Source& source, std::string_view name,
                                                              model::Unplaced unplaced) {
    Arena arena;
    Report report;
    const auto [root, whole] = read_yaml(report.add_source(source.name, source.text), arena, report);
    std::vector<StatedContainer> containers;
    if (root != nullptr)
        if (const Node* section = find_section(*root, name, report))
            containers = read_containers(*section, unplaced, report);
    if (report.error_count() > 0)
        return std::unexpected(report.errors());
    return std::move(containers.front().value);
}

}  // namespace nftlink::config
