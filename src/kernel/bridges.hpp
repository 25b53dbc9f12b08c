// Bridges and their netfilter switches, over rtnetlink.
#pragma once

#include "nftlink/kernel/kernel.hpp"
#include "socket.hpp"

namespace nftlink::kernel {

Bridges read_bridges(Socket& route_socket);

std::expected<void, std::string> enable_bridge_netfilter(Socket& route_socket, const std::string& bridge,
                                                         BridgeNetfilter wanted);

// Whether a link message is about a bridge or one of its ports, also one that leaves it.
bool is_about_bridge(const Message& message);

}  // namespace nftlink::kernel
