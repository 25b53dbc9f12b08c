// One instruction of a rule out of its attributes.
#pragma once

#include "nftlink/nft/decode.hpp"

namespace nftlink::nft {

// Takes the attributes of one expression (its name and data). Whatever isn't exactly one that we know becomes Unknown.
Expression decode_expression(Payload expression);

// Reads the counts of a counter expression; nothing when it is none.
std::optional<Counters> decode_counter(Payload expression);

}  // namespace nftlink::nft
