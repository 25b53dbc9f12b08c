// The kernel's abilities in the bridge family.
#pragma once

#include "nftlink/kernel/kernel.hpp"

namespace nftlink::kernel {

std::optional<BridgeFamily> probe_bridge_family(Kernel& kernel);

}  // namespace nftlink::kernel
