// Tracked connections, over ctnetlink.
#pragma once

#include "nftlink/kernel/kernel.hpp"
#include "socket.hpp"

namespace nftlink::kernel {

// As Kernel::end_connections. The socket is one of NETLINK_NETFILTER.
std::expected<std::size_t, std::string> end_connections(Socket& netfilter_socket, const std::vector<Flow>& flows);

}  // namespace nftlink::kernel
