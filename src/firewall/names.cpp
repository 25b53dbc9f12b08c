#include "names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace nftlink::firewall {

namespace {

constexpr std::string_view other_ending = ".b";

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

std::string frames_table(std::string_view table) {
    return std::string(table).append(model::frames_ending);
}

std::string other_name(std::string_view name) {
    const std::string_view plain = plain_name(name);
    return plain == name ? std::string(name).append(other_ending) : std::string(plain);
}

std::string_view plain_name(std::string_view name) {
    if (name.ends_with(other_ending))
        name.remove_suffix(other_ending.size());
    return name;
}

bool is_of_links(std::string_view name) {
    const std::string_view plain = plain_name(name);
    return std::ranges::any_of(model::both_ips,
                               [&](model::Ip ip) { return plain == links_set(ip) || plain == replies_set(ip); });
}

std::string copies_chain(std::string_view table, std::string_view chain) {
    // Either name may have a slash.
    std::string escaped_table;
    for (const char c : table)
        escaped_table += c == '/' ? "/2F" : std::string(1, c);
    return fmt::format("{}/{}", escaped_table, chain);
}

bool is_copies_chain(std::string_view name) {
    return name.contains('/') && !name.starts_with(old_chain_prefix) &&
           name != std::string(tracking_chain).append(old_second_slot);
}

bool is_iptables_table(nft::Family family, std::string_view table) {
    constexpr std::array<std::string_view, 5> names{"filter", "nat", "mangle", "raw", "security"};
    return (family == nft::Family::ip || family == nft::Family::ip6) && std::ranges::find(names, table) != names.end();
}

std::string old_escaped(std::string_view bridge) {
    std::string text;
    for (const char c : bridge) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                           c == '.' || c == '-';
        text += plain ? std::string(1, c) : fmt::format("/{:02X}", static_cast<unsigned char>(c));
    }
    return text;
}

}  // namespace nftlink::firewall
