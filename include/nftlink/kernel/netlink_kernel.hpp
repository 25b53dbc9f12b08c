// The real kernel, over netlink sockets, in the network namespace of the calling thread. To be used from that
// namespace: sysctls are those of whoever reads them.
#pragma once

#include <memory>

#include "nftlink/kernel/kernel.hpp"

namespace nftlink::kernel {

// Opens its sockets once and keeps them: closing one after a delete waits for an RCU grace period (12–16 ms measured),
// with the commit mutex held.
std::unique_ptr<Kernel> make_netlink_kernel();

}  // namespace nftlink::kernel
