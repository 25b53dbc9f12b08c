#include "nftlink/netlink/message.hpp"

#include <linux/netlink.h>
// <linux/netfilter.h> compiles behind <netinet/in.h> alone.
#include <netinet/in.h>

#include <linux/netfilter/nfnetlink.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

namespace nftlink::netlink {

namespace {

constexpr std::size_t aligned(std::size_t size) {
    return (size + 3) & ~std::size_t{3};
}

template <typename T>
T to_network(T value) {
    if constexpr (std::endian::native == std::endian::big)
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

// Not with mnl_nlmsg_ok: libmnl 1.0.4 takes a length of 2 GiB or more for a negative number, which fits anything.
std::expected<std::vector<Message>, std::string> read_messages(Payload datagram) {
    std::vector<Message> messages;
    while (!datagram.empty()) {
        nlmsghdr header;
        if (datagram.size() < sizeof header)
            return std::unexpected("malformed netlink message");
        std::memcpy(&header, datagram.data(), sizeof header);
        if (header.nlmsg_len < sizeof header || header.nlmsg_len > datagram.size())
            return std::unexpected("malformed netlink message");
        messages.push_back({header.nlmsg_type, header.nlmsg_flags, header.nlmsg_seq,
                            datagram.subspan(sizeof header, header.nlmsg_len - sizeof header), header.nlmsg_pid});
        datagram = datagram.subspan(std::min<std::size_t>(NLMSG_ALIGN(std::size_t{header.nlmsg_len}), datagram.size()));
    }
    return messages;
}

std::size_t MessageWriter::begin(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence, std::uint8_t family,
                                 std::uint16_t resource) {
    return begin(type, flags, sequence,
                 nfgenmsg{.nfgen_family = family, .version = NFNETLINK_V0, .res_id = to_network(resource)});
}

std::size_t MessageWriter::begin(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence) {
    const std::size_t start = out_.size();
    append_object(out_, nlmsghdr{.nlmsg_len = 0,
                                 .nlmsg_type = type,
                                 .nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags),
                                 .nlmsg_seq = sequence,
                                 .nlmsg_pid = 0});
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

}  // namespace nftlink::netlink
