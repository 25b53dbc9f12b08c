// The socket that the service listens on.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace nftlink::http {

struct Listener {
    int descriptor = -1;  // listening and non-blocking; to be closed by whoever takes it
    std::string warning;  // what could not be done; empty when all could
};

// Listens at that path, for its group's members beside this user (mode 0660), or for everyone (0666); never, not even
// for a moment, for more. Makes the folder if it is missing (0755), and takes the place of a socket that nobody listens
// on any more. Throws std::runtime_error when somebody does, when something else is there, or when it is impossible.
// That the group can't be set is only worth a warning: an ordinary user may give files to the groups that he is in
// alone.
Listener listen(const std::string& path, std::optional<gid_t> group, bool everyone);

}  // namespace nftlink::http
