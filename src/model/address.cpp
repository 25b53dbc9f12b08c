#include "nftlink/model/address.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>

namespace nftlink::model {

namespace {

// Why no container has that address; empty when one may.
std::string_view unusable(std::span<const std::uint8_t> bytes) {
    const bool zero = std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
    if (bytes.size() == 4) {
        if (bytes[0] == 0)
            return "the unspecified address";
        if (bytes[0] == 127)
            return "a loopback address";
        if (bytes[0] >= 0xf0)
            return "a reserved address";
        return bytes[0] >= 0xe0 ? "a multicast address" : "";
    }
    const bool mostly_zero = std::ranges::all_of(bytes.first(10), [](std::uint8_t byte) { return byte == 0; });
    if (zero)
        return "the unspecified address";
    if (mostly_zero && bytes[10] == 0xff && bytes[11] == 0xff)
        return "an IPv4 address in IPv6 form: write it as IPv4";
    if (mostly_zero && std::ranges::all_of(bytes.subspan(10, 5), [](std::uint8_t byte) { return byte == 0; }) &&
        bytes[15] == 1)
        return "a loopback address";
    return bytes[0] == 0xff ? "a multicast address" : "";
}

}  // namespace

std::expected<Address, std::string> Address::parse(std::string_view text) {
    const std::string terminated(text);
    Address address;
    if (terminated.find('\0') != std::string::npos)
        return std::unexpected("not an IPv4 or IPv6 address");
    if (inet_pton(AF_INET, terminated.c_str(), address.bytes_.data()) == 1)
        address.size_ = 4;
    else if (inet_pton(AF_INET6, terminated.c_str(), address.bytes_.data()) == 1)
        address.size_ = 16;
    else if (text.find('/') != std::string_view::npos)
        return std::unexpected(fmt::format("'{}' is not an address: leave the prefix length off", text));
    else
        return std::unexpected(fmt::format("'{}' is not an IPv4 or IPv6 address", text));
    if (const auto reason = unusable(address.bytes()); !reason.empty())
        return std::unexpected(fmt::format("'{}' is {}", text, reason));
    return address;
}

std::string Address::to_string() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(ip() == Ip::v4 ? AF_INET : AF_INET6, bytes_.data(), text.data(), text.size());
    return text.data();
}

}  // namespace nftlink::model
