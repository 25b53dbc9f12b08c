// An IPv4 or IPv6 address.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "nftlink/model/ip.hpp"

namespace nftlink::model {

class Address {
public:
    // Accepts what inet_pton accepts: dotted quads without leading zeros and RFC 4291 text. No prefix length, no zone.
    // An IPv4-mapped IPv6 address (::ffff:a.b.c.d), an unspecified, loopback or multicast one is refused: no container
    // on a bridge has it. The error is a sentence without a place.
    static std::expected<Address, std::string> parse(std::string_view text);

    Ip ip() const { return size_ == 4 ? Ip::v4 : Ip::v6; }
    // 4 or 16 bytes in network order; valid as long as the address lives.
    std::span<const std::uint8_t> bytes() const { return {bytes_.data(), size_}; }
    // The canonical text (RFC 5952 for IPv6).
    std::string to_string() const;

    // IPv4 before IPv6, then by value.
    auto operator<=>(const Address&) const = default;

private:
    Address() = default;

    std::uint8_t size_ = 0;
    std::array<std::uint8_t, 16> bytes_{};
};

}  // namespace nftlink::model
