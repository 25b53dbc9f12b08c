// Where header fields are, as nft loads them.
#pragma once

#include <cstdint>

#include "nftlink/nft/ruleset.hpp"

namespace nftlink::nft::layout {

// Offsets from the network header.
inline constexpr std::uint32_t ipv4_source = 12, ipv4_destination = 16;
inline constexpr std::uint32_t ipv6_source = 8, ipv6_destination = 24, ipv6_hop_limit = 7;
// From the link layer's.
inline constexpr std::uint32_t ether_type = 12;
// Offsets from the transport header.
inline constexpr std::uint32_t source_port = 0, destination_port = 2, icmp_type = 0;

constexpr std::uint32_t source(Family addresses) {
    return addresses == Family::ip ? ipv4_source : ipv6_source;
}
constexpr std::uint32_t destination(Family addresses) {
    return addresses == Family::ip ? ipv4_destination : ipv6_destination;
}
constexpr std::uint32_t address_size(Family addresses) {
    return addresses == Family::ip ? 4 : 16;
}

}  // namespace nftlink::nft::layout
