// The process and user at the other end of a Unix socket.
#pragma once

#include <cstdint>
#include <vector>

namespace nftlink::http {

// The other end, as the kernel says (SO_PEERCRED, SO_PEERGROUPS) of the moment it connected.
struct Peer {
    std::uint32_t user = 0;
    std::uint32_t group = 0;
    std::int32_t process = 0;
    std::vector<std::uint32_t> groups = {};  // supplementary
};

// As the kernel says of the moment that it connected. What it doesn't say is nobody (the overflow user).
Peer peer_of(int socket);

}  // namespace nftlink::http
