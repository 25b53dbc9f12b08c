#include "nftlink/model/topology.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "nftlink/base/suggestion.hpp"

namespace nftlink::model {

namespace {

using base::quote;

constexpr std::size_t max_name_length = 64;
constexpr std::size_t max_interface_name_length = 15;  // IFNAMSIZ less the NUL

bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

}  // namespace

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= max_name_length && is_alphanumeric(text.front()) &&
           std::ranges::all_of(text, [](char c) { return is_alphanumeric(c) || c == '_' || c == '.' || c == '-'; });
}

std::string name_fault(std::string_view text) {
    if (is_name(text))
        return "";
    if (text.empty())
        return "a name cannot be empty";
    if (text.size() > max_name_length)
        return fmt::format("a name has at most {} characters, not {}", max_name_length, text.size());
    return "a name starts with a letter or digit and goes on with letters, digits, '_', '.' and '-'";
}

bool is_interface_name(std::string_view text) {
    constexpr std::string_view refused = "/:*\"\\";
    return !text.empty() && text.size() <= max_interface_name_length && text != "." && text != ".." &&
           std::ranges::all_of(text, [&](char c) { return c > ' ' && c < 0x7f && !refused.contains(c); });
}

LinkText parse_link(std::string_view text) {
    const std::size_t colon = text.find(':');
    const std::string_view child = text.substr(0, colon);
    return {child, colon == std::string_view::npos ? child : text.substr(colon + 1)};
}

std::string link_fault(std::string_view parent, std::string_view text) {
    const auto [child, alias] = parse_link(text);
    for (const auto& [what, name] : {std::pair{"child", child}, std::pair{"alias", alias}})
        if (const std::string fault = name_fault(name); !fault.empty())
            return fmt::format("link {}: {} {}: {}", quote(text), what, quote(name), fault);
    if (child == parent)
        return fmt::format("{} cannot have a link to itself", quote(parent));
    return "";
}

std::string link_name(std::string_view parent, std::string_view alias) {
    std::string name;
    name.reserve(parent.size() + alias.size() + 2);
    return name.append("/").append(parent).append("/").append(alias);
}

const Network* Container::on(std::string_view bridge) const {
    const auto found = std::ranges::find(networks, bridge, &Network::bridge);
    return found == networks.end() ? nullptr : &*found;
}

const Container* Topology::find(std::string_view name) const {
    const auto found = containers.find(name);
    return found == containers.end() ? nullptr : &found->second;
}

}  // namespace nftlink::model
