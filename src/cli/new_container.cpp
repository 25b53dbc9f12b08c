#include "new_container.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "nftlink/base/suggestion.hpp"

namespace nftlink::cli {

namespace json = boost::json;

namespace {

void append(json::array& items, std::string_view list) {
    for (;;) {
        const std::size_t comma = list.find(',');
        items.emplace_back(list.substr(0, comma));
        if (comma == std::string_view::npos)
            return;
        list.remove_prefix(comma + 1);
    }
}

json::array split(const std::vector<std::string>& lists) {
    json::array items;
    for (const std::string& list : lists)
        append(items, list);
    return items;
}

std::pair<std::string_view, std::string_view> halves(std::string_view network) {
    const std::size_t equals = network.find('=');
    return {network.substr(0, equals), network.substr(equals + 1)};
}

constexpr std::pair<std::string_view, std::string_view> options[] = {
    {"bridge", "--bridge"}, {"addresses", "--address"}, {"networks", "--network"},
    {"expose", "--expose"}, {"environment", "--env"},   {"links", "--link"}};

}  // namespace

std::optional<std::string> NewContainer::fault() const {
    if (bridge.empty() != addresses.empty())
        return "--bridge and --address must be given together";
    if (bridge.empty() && networks.empty())
        return "a container needs --bridge BRIDGE --address ADDRESS, or --network BRIDGE=ADDRESS for each bridge";
    for (const std::string& network : networks)
        if (network.find('=') == std::string::npos)
            return fmt::format("--network {}: write BRIDGE=ADDRESS", base::quote(network));
    return {};
}

json::object NewContainer::record() const {
    json::object record;
    if (networks.empty()) {
        record["bridge"] = bridge;
        record["addresses"] = split(addresses);
    } else {
        json::object by_bridge;
        if (!bridge.empty())
            by_bridge[bridge] = split(addresses);
        for (const std::string& network : networks) {
            const auto [name, list] = halves(network);
            json::value& items = by_bridge[name];
            if (!items.is_array())
                items.emplace_array();
            append(items.get_array(), list);
        }
        record["networks"] = std::move(by_bridge);
    }
    if (!expose.empty())
        record["expose"] = split(expose);
    if (!environment.empty())
        record["environment"] = json::array(environment.begin(), environment.end());
    if (!links.empty())
        record["links"] = split(links);
    return record;
}

std::string option_of(const json::object& record, const std::string& path) {
    const std::size_t begin = path.starts_with('/') ? 1 : 0;
    const std::string_view field = std::string_view(path).substr(begin, path.find('/', begin) - begin);
    const auto* option = std::ranges::find(options, field, &std::pair<std::string_view, std::string_view>::first);
    if (option == std::end(options))
        return path.substr(begin);
    boost::system::error_code missing;
    const json::value whole(record);
    const json::value* value = whole.find_pointer(path, missing);
    if (value == nullptr || !value->is_string())
        return std::string(option->second);
    std::string_view word = value->get_string();
    std::string bridge;
    if (field == "environment")
        word = word.substr(0, word.find('='));
    if (field == "networks")
        bridge = path.substr(begin + field.size() + 1, path.rfind('/') - begin - field.size() - 1) + "=";
    return fmt::format("{} {}{}", option->second, base::escape(bridge), base::escape(word));
}

}  // namespace nftlink::cli
