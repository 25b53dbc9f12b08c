#include "nftlink/http/peer.hpp"

#include <sys/socket.h>

#include <cerrno>

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif

namespace nftlink::http {

namespace {

constexpr std::uint32_t nobody = 65534;

std::vector<std::uint32_t> groups_of(int socket) {
    std::vector<std::uint32_t> groups(64);
    for (int attempt = 0; attempt < 2; ++attempt) {
        auto size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
        const int result = getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size);
        groups.resize(size / sizeof(gid_t));  // on ERANGE how many there are
        if (result == 0)
            return groups;
        if (errno != ERANGE)
            break;
    }
    return {};
}

}  // namespace

Peer peer_of(int socket) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
        return {.user = nobody, .group = nobody};
    return {credentials.uid, credentials.gid, credentials.pid, groups_of(socket)};
}

}  // namespace nftlink::http
