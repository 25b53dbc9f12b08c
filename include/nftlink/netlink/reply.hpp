// The kernel's answers to requests. Pure: bytes in, values out; any bytes are safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nftlink/netlink/message.hpp"

namespace nftlink::netlink {

// An NLMSG_ERROR message, which is an ack when the error is 0.
struct Ack {
    std::uint32_t sequence = 0;
    int error_number = 0;                 // positive errno
    std::string text;                     // extended ack
    std::optional<std::uint32_t> offset;  // of the offending attribute in the request

    bool operator==(const Ack&) const = default;
};

// Nothing when the message is no error message or malformed.
std::optional<Ack> read_ack(const Message& message);

// Gives the positive errno that ended a dump, 0 when it is whole.
int dump_error(const Message& done);

// All that came for a request of many messages.
struct Answers {
    std::vector<Ack> acks;
    bool some_lost = false;  // the receive buffer was full: there were more
};

}  // namespace nftlink::netlink
