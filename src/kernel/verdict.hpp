// The outcome of a batch, from what the kernel answers to it. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "nftlink/netlink/reply.hpp"
#include "nftlink/nft/encode.hpp"

namespace nftlink::kernel {

struct BatchVerdict {
    enum class Kind { committed, refused, stale, permission, unknown };
    Kind kind = Kind::unknown;
    std::vector<netlink::Ack> errors;  // of single operations, in order; when refused
};

// The answers to the datagram, whose BATCH_BEGIN had that sequence number. One error is enough to know that nothing was
// done. Without any, the ack of BATCH_END means committed, and so does the last operation's if no answer was lost
// (kernels before 6.10 don't answer BATCH_END). Everything else is unknown.
BatchVerdict judge(const netlink::Answers& answers, std::uint32_t first_sequence, const nft::Datagram& datagram);

}  // namespace nftlink::kernel
