// The rights of users at the control socket.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "nftlink/config/config.hpp"
#include "nftlink/http/peer.hpp"

namespace nftlink::service {

enum class Access { none, read, write };

// The id of a group given by its name or number; nothing when the system has no group of that name.
std::optional<gid_t> find_group(const std::string& name);

// Root, the service's own user and the members of the group may write; others read, if all may.
Access access_of(const http::Peer& peer, std::optional<gid_t> group, config::Readers readers);

}  // namespace nftlink::service
