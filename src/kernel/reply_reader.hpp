// What the kernel's answers say. Pure: bytes in, values out; any bytes are safe.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "nftlink/nft/encode.hpp"

namespace nftlink::kernel {

using Payload = std::span<const std::uint8_t>;

struct Message {
    std::uint16_t type = 0;
    std::uint16_t flags = 0;
    std::uint32_t sequence = 0;
    Payload payload;  // of the datagram it was read from
};

// The messages of one datagram, which must be aligned to 4 bytes. An error when it isn't made of whole messages.
std::expected<std::vector<Message>, std::string> read_messages(Payload datagram);

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

// What the end of a dump says: the positive errno that ended it, 0 when it is whole.
int dump_error(const Message& done);

// What the answers to a batch mean.
struct BatchVerdict {
    enum class Kind { committed, refused, stale, permission, unknown };
    Kind kind = Kind::unknown;
    std::vector<Ack> errors;  // of single operations, in order; when refused
};

// What came for a batch.
struct Answers {
    std::vector<Ack> acks;
    bool some_lost = false;  // the receive buffer was full: there were more
};

// The answers to the datagram, whose BATCH_BEGIN had that sequence number. One error is enough to know that nothing was
// done. Without any, the ack of BATCH_END means committed, and so does the last operation's if no answer was lost
// (kernels before 6.10 don't answer BATCH_END). Everything else is unknown.
BatchVerdict judge(const Answers& answers, std::uint32_t first_sequence, const nft::Datagram& datagram);

}  // namespace nftlink::kernel
