#include "containers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <unordered_map>

#include "environment.hpp"
#include "nftlink/model/limits.hpp"
#include "reader.hpp"
#include "settings.hpp"
#include "words.hpp"

namespace nftlink::config {

namespace {

constexpr std::string_view container_keys[] = {"bridge", "addresses", "networks", "expose", "environment", "links"};

class ContainerReader {
public:
    ContainerReader(StatedContainer& stated, model::Unplaced unplaced, Report& report)
        : stated_(stated), unplaced_(unplaced), report_(report) {}

    void read(const Node& key, const Node& value) {
        if (const std::string fault = model::name_fault(key.text); !fault.empty())
            report_.error(key.place, fmt::format("container {}: {}", quote(key.text), fault));
        stated_.place = key.place;
        stated_.value.name = key.text;
        MapReader map(value, key.text, container_keys, report_);
        if (!map.is_map())
            return;
        const std::size_t errors = report_.error_count();
        read_where(map);
        stated_.placed = report_.error_count() == errors && !stated_.value.networks.empty();
        read_expose(map);
        if (const Node* environment = map.get("environment"))
            stated_.value.environment = read_environment(*environment, report_);
        read_links(map);
    }

private:
    void error(Place place, std::string_view message) { report_.error(place, std::string(message)); }

    void read_where(MapReader& map) {
        const Node* bridge = map.get("bridge");
        const Node* addresses = map.get("addresses");
        const Node* networks = map.get("networks");
        const std::string name = quote(stated_.value.name);
        if (networks != nullptr && (bridge != nullptr || addresses != nullptr))
            error(stated_.place, name + " has 'networks' beside 'bridge' or 'addresses'; write one or the other");
        else if (networks == nullptr && bridge == nullptr && addresses == nullptr &&
                 unplaced_ == model::Unplaced::refused)
            error(stated_.place, name + " is on no bridge; write 'bridge' and 'addresses', or 'networks'");
        else if (networks == nullptr && bridge == nullptr && addresses != nullptr)
            error(stated_.place, name + " has 'addresses' but no 'bridge'");
        else if (networks == nullptr && bridge != nullptr && addresses == nullptr)
            error(stated_.place, name + " has a 'bridge' but no 'addresses'");
        if (networks != nullptr)
            read_networks(*networks);
        const Node* bridge_name = map.get_text("bridge", "a bridge's name");
        if (bridge_name != nullptr)
            check_bridge(*bridge_name);
        if (addresses != nullptr)
            read_addresses(*addresses, bridge_name == nullptr ? "" : bridge_name->text, "addresses");
    }

    void check_bridge(const Node& name) {
        if (const std::string fault = bridge_name_fault(name.text); !fault.empty())
            report_.error(name.place, fmt::format("bridge {}: {}", quote(name.text), fault));
    }

    void read_networks(const Node& networks) {
        if (networks.kind != Kind::map)
            return refuse(report_, networks, "networks", "a map from bridge to addresses");
        if (networks.children.empty())
            return error(networks.place, "'networks' must name a bridge and its addresses");
        for_each_entry(networks, [&](const Node& bridge, const Node& addresses) {
            check_bridge(bridge);
            read_addresses(addresses, bridge.text, bridge.text);
        });
    }

    void read_addresses(const Node& list, std::string_view bridge, std::string_view name) {
        if (list.kind == Kind::list && list.children.empty())
            return error(list.place, fmt::format("'{}' must have an address", name));
        if (list.kind != Kind::list)
            return refuse(report_, list, name, "a list of addresses",
                          list.kind == Kind::scalar ? "; write it in [ ]" : "");
        model::Network network{.bridge = std::string(bridge), .addresses = {}};
        for (const Node* item : list.children) {
            if (item->kind != Kind::scalar) {
                refuse_item(report_, *item, name, "an address",
                            item->kind == Kind::map ? "; put an IPv6 address that ends in ':' in quotes" : "");
            } else if (auto address = model::Address::parse(item->text); !address) {
                error(item->place, escape(address.error()));
            } else if (!bridge.empty()) {
                network.addresses.push_back(*address);
                stated_.addresses.push_back(item->place);
                if (std::string fault = model::addresses_fault(stated_.value.name, network); !fault.empty()) {
                    report_.error(item->place, std::move(fault));
                    break;
                }
            }
        }
        if (!network.addresses.empty())
            stated_.value.networks.push_back(std::move(network));
    }

    void read_expose(MapReader& map) {
        const Node* list = map.get_list("expose", "a list of ports");
        if (list == nullptr)
            return;
        std::vector<model::Port>& ports = stated_.value.expose;
        for (const Node* item : list->children) {
            if (item->kind != Kind::scalar) {
                refuse_item(report_, *item, "expose", "a port such as 6379/tcp");
                continue;
            }
            const auto more = model::parse_ports(item->text);
            if (!more) {
                error(item->place, escape(more.error()));
                continue;
            }
            if (!add_ports(ports, *more))
                return error(item->place, fmt::format("{} exposes more than {} ports", quote(stated_.value.name),
                                                      model::max_exposed_ports));
        }
    }

    // Keeps the ports sorted, each once; false when they are too many.
    static bool add_ports(std::vector<model::Port>& ports, const std::vector<model::Port>& more) {
        std::vector<model::Port> all;
        all.reserve(ports.size() + more.size());
        std::ranges::set_union(ports, more, std::back_inserter(all));
        ports = std::move(all);
        return ports.size() <= model::max_exposed_ports;
    }

    void read_links(MapReader& map) {
        const Node* list = map.get_list("links", "a list of 'child' or 'child:alias'");
        if (list == nullptr)
            return;
        std::unordered_map<std::string_view, Place> aliases;
        for (const Node* item : list->children) {
            read_link(*item, aliases);
            if (std::string fault = model::links_fault(stated_.value.name, stated_.value.links.size()); !fault.empty())
                return report_.error(item->place, std::move(fault));
        }
    }

    void read_link(const Node& item, std::unordered_map<std::string_view, Place>& aliases) {
        if (item.kind != Kind::scalar)
            return refuse_item(report_, item, "links", "'child' or 'child:alias'",
                               item.kind == Kind::map ? "; write it without a blank, in quotes if need be" : "");
        const auto [child, alias] = model::parse_link(item.text);
        const std::string_view parent = stated_.value.name;
        if (std::string fault = model::link_fault(parent, item.text); !fault.empty())
            return report_.error(item.place, std::move(fault));
        const auto [first, added] = aliases.emplace(alias, item.place);
        if (!added)
            return report_.error(item.place, fmt::format("{} has the alias {} twice; the first is at {}", quote(parent),
                                                         quote(alias), report_.at(first->second)));
        stated_.value.links.push_back({std::string(child), std::string(alias)});
        stated_.links.push_back(item.place);
    }

    StatedContainer& stated_;
    model::Unplaced unplaced_;
    Report& report_;
};

}  // namespace

std::vector<StatedContainer> read_containers(const Node& section, model::Unplaced unplaced, Report& report) {
    std::vector<StatedContainer> containers;
    if (section.kind != Kind::map && section.kind != Kind::null) {
        refuse(report, section, "containers", "a map of containers");
        return containers;
    }
    containers.reserve(section.children.size() / 2);
    for_each_entry(section, [&](const Node& key, const Node& value) {
        const std::size_t errors = report.error_count();
        ContainerReader(containers.emplace_back(), unplaced, report).read(key, value);
        containers.back().sound = report.error_count() == errors;
    });
    return containers;
}

}  // namespace nftlink::config
