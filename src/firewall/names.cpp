#include "names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace nftlink::firewall {

namespace {

std::string escaped(std::string_view bridge) {
    std::string text;
    for (const char c : bridge) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                           c == '.' || c == '-';
        text += plain ? std::string(1, c) : fmt::format("/{:02X}", static_cast<unsigned char>(c));
    }
    return text;
}

}  // namespace

nft::Family nft_family(model::Family family) {
    switch (family) {
        case model::Family::inet:
            return nft::Family::inet;
        case model::Family::ip:
            return nft::Family::ip;
        case model::Family::bridge:
            return nft::Family::bridge;
    }
    return nft::Family::unspecified;
}

nft::Family nft_family(model::AttachPoint::Family family) {
    switch (family) {
        case model::AttachPoint::Family::inet:
            return nft::Family::inet;
        case model::AttachPoint::Family::ip:
            return nft::Family::ip;
        case model::AttachPoint::Family::ip6:
            return nft::Family::ip6;
    }
    return nft::Family::unspecified;
}

std::string bridge_chain(std::string_view bridge) {
    return "bridge-" + escaped(bridge);
}

std::string links_set(std::string_view bridge, bool ipv4) {
    return (ipv4 ? "links4-" : "links6-") + escaped(bridge);
}

std::string replies_set(std::string_view bridge, bool ipv4) {
    return (ipv4 ? "replies4-" : "replies6-") + escaped(bridge);
}

std::string ports_set(std::string_view bridge) {
    return "ports-" + escaped(bridge);
}

std::optional<std::string> bridge_of(std::string_view chain) {
    constexpr std::string_view prefix = "bridge-";
    if (!chain.starts_with(prefix))
        return {};
    chain.remove_prefix(prefix.size());
    if (chain.ends_with(second_slot))
        chain.remove_suffix(second_slot.size());
    std::string bridge;
    while (!chain.empty()) {
        unsigned code = static_cast<unsigned char>(chain.front());
        std::size_t length = 1;
        if (chain.front() == '/') {
            length = 3;
            if (chain.size() < length ||
                std::from_chars(chain.data() + 1, chain.data() + length, code, 16).ptr != chain.data() + length)
                return {};
        }
        bridge += static_cast<char>(code);
        chain.remove_prefix(length);
    }
    return bridge;
}

std::string copies_chain(std::string_view table, std::string_view chain) {
    // Either name may have a slash.
    std::string escaped_table;
    for (const char c : table)
        escaped_table += c == '/' ? "/2F" : std::string(1, c);
    return fmt::format("{}/{}", escaped_table, chain);
}

bool is_copies_chain(std::string_view name) {
    return !bridge_of(name) && name != other_slot(tracking_chain) && name.contains('/');
}

bool is_iptables_table(nft::Family family, std::string_view table) {
    constexpr std::array<std::string_view, 5> names{"filter", "nat", "mangle", "raw", "security"};
    return (family == nft::Family::ip || family == nft::Family::ip6) && std::ranges::find(names, table) != names.end();
}

std::string other_slot(std::string_view name) {
    if (name.ends_with(second_slot))
        return std::string(name.substr(0, name.size() - second_slot.size()));
    return std::string(name) + std::string(second_slot);
}

}  // namespace nftlink::firewall
