// Batches as the bytes of one netlink datagram.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "nftlink/nft/batch.hpp"

namespace nftlink::nft {

// BATCH_BEGIN, the messages, BATCH_END. Message i (BATCH_BEGIN is 0) has sequence number `first_sequence + i`. Only
// BATCH_END asks for an ack: a kernel from 6.10 on answers it when the batch is committed. So that older kernels answer
// too, the last message before it asks for one as well.
struct Datagram {
    Bytes bytes;
    // The operation that each message came from, in order; BATCH_BEGIN and BATCH_END have no_operation. One operation
    // may need several messages, since a netlink attribute holds at most 64 KiB.
    std::vector<std::uint32_t> operation_of_message;

    static constexpr std::uint32_t no_operation = 0xffffffff;
};

// With a generation, the kernel refuses the batch (ERESTART) when the ruleset has been changed since.
Datagram encode(const Batch& batch, std::uint32_t first_sequence, std::optional<std::uint32_t> generation);
// The same into a datagram whose room is used again.
void encode(const Batch& batch, std::uint32_t first_sequence, std::optional<std::uint32_t> generation,
            Datagram& datagram);

// An upper limit of the bytes that encode() makes of the operation; cheap.
std::size_t encoded_size(const Operation& operation);

}  // namespace nftlink::nft
