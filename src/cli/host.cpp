#include "host.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>

#include "nftlink/kernel/netlink_kernel.hpp"
#include "words.hpp"

namespace nftlink::cli {

void say_left_open(const std::vector<enforce::PolicedBridge>& bridges, Report& report) {
    constexpr std::size_t most_names = 8;
    boost::json::array records;
    std::map<std::string, std::vector<std::string>> names_by_words;
    for (const enforce::PolicedBridge& bridge : bridges) {
        if (bridge.open.empty())
            continue;
        boost::json::array open;
        std::vector<std::string> words;
        for (const enforce::Opening& opening : bridge.open) {
            open.push_back({{"what", to_string(opening.aspect)}, {"why", opening.why}, {"chosen", opening.chosen}});
            words.push_back(opening_words(to_string(opening.aspect), opening.why));
        }
        records.push_back({{"bridge", bridge.name}, {"open", std::move(open)}});
        names_by_words[join(words, ", ")].push_back(bridge.name);
    }
    for (auto& [words, names] : names_by_words) {
        const std::size_t more = names.size() > most_names ? names.size() - most_names : 0;
        names.resize(names.size() - more);
        report.note(fmt::format("nftlink: left open on {}{}: {}", join(names, ", "),
                                more == 0 ? "" : fmt::format(" and {} more", more), words));
    }
    report.record()["left_open"] = std::move(records);
}

std::vector<enforce::PolicedBridge> configured_bridges(const config::Config& config) {
    auto bridges = enforce::policed_bridges(config.topology, config.firewall, {});
    for (const model::BridgePattern& pattern : config.firewall.bridge_patterns) {
        bridges.push_back({.name = pattern.pattern, .needed = {}});
        bridges.back().open = enforce::left_open(config.firewall, pattern.pattern);
    }
    return bridges;
}

std::optional<std::string> host_fault(const config::Config& config, Report& report) {
    if (config.firewall.family != model::Family::bridge || !config.firewall.attach.empty())
        return {};
    const auto kernel = kernel::make_netlink_kernel();
    if (!kernel->bridge_family()) {
        report.note("nftlink: run this as root to find out whether this kernel supports family: bridge");
        return {};
    }
    const auto facts = enforce::host_facts(*kernel, config.topology, config.firewall, {});
    return facts ? std::nullopt : std::optional(facts.error());
}

}  // namespace nftlink::cli
