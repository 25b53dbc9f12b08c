// Connections from one address to a port of another.
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

namespace nftlink::nft {

// What a permission lets begin.
struct Flow {
    std::vector<std::uint8_t> source;       // 4 or 16 bytes in network order
    std::vector<std::uint8_t> destination;  // as many
    std::uint8_t protocol = 0;              // IPPROTO_TCP …
    std::uint16_t port = 0;                 // the destination's

    auto operator<=>(const Flow&) const = default;
};

}  // namespace nftlink::nft
