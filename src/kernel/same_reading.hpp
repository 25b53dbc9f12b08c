// The comparison of two readings of the kernel: they saw the same objects, or not.
#pragma once

#include "nftlink/nft/ruleset.hpp"

namespace nftlink::kernel {

// Everything but counts and the generation: handles too, so that what went and came again in between isn't the same.
bool same_reading(const nft::Ruleset& a, const nft::Ruleset& b);

}  // namespace nftlink::kernel
