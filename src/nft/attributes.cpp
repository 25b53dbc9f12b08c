#include "attributes.hpp"

#include <linux/netlink.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

#include "nfnetlink.hpp"

namespace nftlink::nft {

namespace {

constexpr std::size_t aligned(std::size_t size) {
    return (size + 3) & ~std::size_t{3};
}

template <typename T>
T to_network(T value) {
    if constexpr (std::endian::native == std::endian::big || sizeof(T) == 1)
        return value;
    else
        return std::byteswap(value);
}

template <typename T>
void append_object(Bytes& out, const T& object) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&object);
    out.insert(out.end(), bytes, bytes + sizeof(T));
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

std::size_t MessageWriter::begin(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence, std::uint8_t family,
                                 std::uint16_t resource) {
    const std::size_t start = out_.size();
    append_object(out_, nlmsghdr{.nlmsg_len = 0,
                                 .nlmsg_type = type,
                                 .nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags),
                                 .nlmsg_seq = sequence,
                                 .nlmsg_pid = 0});
    append_object(out_, nfgenmsg{.nfgen_family = family, .version = NFNETLINK_V0, .res_id = to_network(resource)});
    return start;
}

void MessageWriter::end(std::size_t message) {
    const auto length = static_cast<std::uint32_t>(out_.size() - message);
    std::memcpy(out_.data() + message, &length, sizeof length);
}

std::size_t MessageWriter::begin_nest(std::uint16_t type) {
    const std::size_t start = out_.size();
    append_object(out_, nlattr{.nla_len = 0, .nla_type = static_cast<std::uint16_t>(type | NLA_F_NESTED)});
    return start;
}

void MessageWriter::end_nest(std::size_t nest) {
    const std::size_t size = out_.size() - nest;
    assert(size <= 0xffff);
    const auto length = static_cast<std::uint16_t>(size);
    std::memcpy(out_.data() + nest, &length, sizeof length);
}

void MessageWriter::put(std::uint16_t type, Payload payload) {
    const std::size_t size = sizeof(nlattr) + payload.size();
    assert(size <= 0xffff);
    append_object(out_, nlattr{.nla_len = static_cast<std::uint16_t>(size), .nla_type = type});
    out_.insert(out_.end(), payload.begin(), payload.end());
    out_.resize(out_.size() + aligned(size) - size);
}

void MessageWriter::put(std::uint16_t type, std::string_view text) {
    const std::size_t size = sizeof(nlattr) + text.size() + 1;
    assert(size <= 0xffff);
    append_object(out_, nlattr{.nla_len = static_cast<std::uint16_t>(size), .nla_type = type});
    out_.insert(out_.end(), text.begin(), text.end());
    out_.resize(out_.size() + 1 + aligned(size) - size);
}

void MessageWriter::put_u32(std::uint16_t type, std::uint32_t value) {
    append_object(out_, nlattr{.nla_len = sizeof(nlattr) + sizeof value, .nla_type = type});
    append_object(out_, to_network(value));
}

void MessageWriter::put_u64(std::uint16_t type, std::uint64_t value) {
    append_object(out_, nlattr{.nla_len = sizeof(nlattr) + sizeof value, .nla_type = type});
    append_object(out_, to_network(value));
}

}  // namespace nftlink::nft
