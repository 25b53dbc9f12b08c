// Who is at the other end of a Unix socket.
#pragma once

#include "http_server.hpp"

namespace nftlink::service {

// As the kernel says of the moment that it connected. What it doesn't say is nobody (the overflow user).
Peer peer_of(int socket);

}  // namespace nftlink::service
