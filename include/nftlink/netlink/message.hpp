// Netlink messages (struct nlmsghdr), read and written. Bytes in, values out, and back; no sockets.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "nftlink/netlink/attribute.hpp"

namespace nftlink::netlink {

struct Message {
    std::uint16_t type = 0;
    std::uint16_t flags = 0;
    std::uint32_t sequence = 0;
    Payload payload;         // of the datagram it was read from
    std::uint32_t port = 0;  // of whoever caused it; the kernel's own is 0
};

// The messages of one datagram, which must be aligned to 4 bytes. An error when it isn't made of whole messages.
std::expected<std::vector<Message>, std::string> read_messages(Payload datagram);

// Appends messages and attributes to a buffer. Sizes are filled in when the nest or message is closed.
class MessageWriter {
public:
    explicit MessageWriter(Bytes& out) : out_(out) {}

    // A request with a fixed header of its protocol's own (struct ifinfomsg …); returns where it starts, for end().
    template <typename Header>
    std::size_t begin(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence, const Header& header) {
        const std::size_t start = begin(type, flags, sequence);
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(&header);
        out_.insert(out_.end(), bytes, bytes + sizeof header);
        return start;
    }
    // A request to netfilter, with its struct nfgenmsg.
    std::size_t begin(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence, std::uint8_t family,
                      std::uint16_t resource);
    void end(std::size_t message);

    std::size_t begin_nest(std::uint16_t type);
    void end_nest(std::size_t nest);

    void put(std::uint16_t type, Payload payload);
    void put(std::uint16_t type, std::string_view text);  // with a NUL after it
    void put_u32(std::uint16_t type, std::uint32_t value);
    void put_u64(std::uint16_t type, std::uint64_t value);

private:
    std::size_t begin(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence);

    Bytes& out_;
};

}  // namespace nftlink::netlink
