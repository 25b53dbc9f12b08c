#include "nftlink/netlink/attribute.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace nftlink::netlink {

namespace {

template <typename T>
T to_network(T value) {
    if constexpr (std::endian::native == std::endian::big || sizeof(T) == 1)
        return value;
    else
        return std::byteswap(value);
}

}  // namespace

template <typename T>
std::optional<T> number(Payload payload) {
    if (payload.size() != sizeof(T))
        return {};
    T value;
    std::memcpy(&value, payload.data(), sizeof value);
    return to_network(value);
}

template std::optional<std::uint8_t> number(Payload);
template std::optional<std::uint16_t> number(Payload);
template std::optional<std::uint32_t> number(Payload);
template std::optional<std::uint64_t> number(Payload);

std::string text(Payload payload) {
    return {payload.begin(), std::ranges::find(payload, 0)};
}

Fields::Fields(Payload nest) {
    AttributeWalk walk(nest);
    while (const auto attribute = walk.next()) {
        if (attribute->type >= limit || present_[attribute->type]) {
            strange_ = true;
            continue;
        }
        present_.set(attribute->type);
        payloads_[attribute->type] = attribute->payload;
    }
    strange_ |= walk.malformed();
}

bool Fields::are(std::initializer_list<std::uint16_t> wanted, std::initializer_list<std::uint16_t> ignored) const {
    auto expected = present_;
    for (const std::uint16_t type : ignored)
        expected.reset(type);
    std::bitset<limit> mask;
    for (const std::uint16_t type : wanted)
        mask.set(type);
    return !strange_ && expected == mask;
}

}  // namespace nftlink::netlink
