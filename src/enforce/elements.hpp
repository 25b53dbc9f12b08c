// Elements of a batch, beside what there is.
#pragma once

#include "nftlink/firewall/wanted.hpp"
#include "nftlink/kernel/kernel.hpp"
#include "nftlink/nft/batch.hpp"

namespace nftlink::enforce {

// Does to the wanted sets of bridges what the batch does to the kernel's.
void follow_bridges(firewall::Wanted& want, const nft::Batch& batch);

// Has what goes and comes in the same batch take its counts along; what is counted between this and the commit is lost.
void keep_counts(kernel::Kernel& kernel, nft::Batch& batch);

}  // namespace nftlink::enforce
