// A refused batch in words.
#pragma once

#include "nftlink/kernel/kernel.hpp"
#include "verdict.hpp"

namespace nftlink::kernel {

// The operation on one line: long lists of elements are left out.
std::string short_text(const nft::Operation& operation);

// The refusal of that batch, sent as that datagram.
Refusal make_refusal(const nft::Batch& batch, const nft::Datagram& datagram, std::uint32_t first_sequence,
                     const BatchVerdict& verdict);

}  // namespace nftlink::kernel
