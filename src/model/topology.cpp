#include "nftlink/model/topology.hpp"

#include <algorithm>

namespace nftlink::model {

namespace {

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

bool is_interface_name(std::string_view text) {
    constexpr std::string_view refused = "/:*\"\\";
    return !text.empty() && text.size() <= max_interface_name_length && text != "." && text != ".." &&
           std::ranges::all_of(text, [&](char c) { return c > ' ' && c < 0x7f && !refused.contains(c); });
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
