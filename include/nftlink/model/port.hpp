// Exposed ports, in Docker's notation.
#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace nftlink::model {

// The values are the IP protocol numbers.
enum class Protocol : std::uint8_t { tcp = 6, udp = 17, sctp = 132 };

std::string_view to_string(Protocol protocol);

struct Port {
    std::uint16_t number = 0;  // 1 to 65535
    Protocol protocol = Protocol::tcp;

    // `6379/tcp`
    std::string to_string() const;
    // By number, then by protocol: tcp first on a tie.
    auto operator<=>(const Port&) const = default;
};

// The number of ports that one container may expose.
inline constexpr std::size_t max_exposed_ports = 1024;

// Parses `6379`, `6379/tcp` or `8000-8010/udp` (the protocol in any case; none is tcp) into the ports it stands for, in
// rising order. The error is a sentence without a place.
std::expected<std::vector<Port>, std::string> parse_ports(std::string_view text);

}  // namespace nftlink::model
