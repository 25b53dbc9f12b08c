#include "nftlink/model/port.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace nftlink::model {

namespace {

std::optional<Protocol> parse_protocol(std::string_view text) {
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    for (const Protocol protocol : {Protocol::tcp, Protocol::udp, Protocol::sctp})
        if (lower == to_string(protocol))
            return protocol;
    return {};
}

// Decimal digits only, from 1 to 65535.
std::expected<std::uint16_t, std::string> parse_number(std::string_view text) {
    unsigned number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || end != text.data() + text.size() || error == std::errc::invalid_argument)
        return std::unexpected(fmt::format("'{}' is not a port number", text));
    if (error != std::errc() || number < 1 || number > 65535)
        return std::unexpected(fmt::format("port {} is out of range: ports are 1 to 65535", text));
    return static_cast<std::uint16_t>(number);
}

}  // namespace

std::string_view to_string(Protocol protocol) {
    switch (protocol) {
        case Protocol::tcp:
            return "tcp";
        case Protocol::udp:
            return "udp";
        case Protocol::sctp:
            return "sctp";
    }
    return "invalid";
}

std::string Port::to_string() const {
    return fmt::format("{}/{}", number, model::to_string(protocol));
}

std::expected<std::vector<Port>, std::string> parse_ports(std::string_view text) {
    const std::size_t slash = text.find('/');
    const auto protocol =
        slash == std::string_view::npos ? std::optional(Protocol::tcp) : parse_protocol(text.substr(slash + 1));
    if (!protocol)
        return std::unexpected(
            fmt::format("unknown protocol '{}': tcp, udp and sctp are supported", text.substr(slash + 1)));
    const std::string_view numbers = text.substr(0, slash);
    const std::size_t dash = numbers.find('-');
    const auto first = parse_number(numbers.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_number(numbers.substr(dash + 1));
    if (!first || !last)
        return std::unexpected(!first ? first.error() : last.error());
    if (*last < *first)
        return std::unexpected(fmt::format("the range {} is reversed: write {}-{}", numbers, *last, *first));
    if (*last - *first >= static_cast<int>(max_exposed_ports))
        return std::unexpected(fmt::format("the range {} has more than {} ports", numbers, max_exposed_ports));
    std::vector<Port> ports;
    for (unsigned number = *first; number <= *last; ++number)
        ports.push_back({static_cast<std::uint16_t>(number), *protocol});
    return ports;
}

}  // namespace nftlink::model
