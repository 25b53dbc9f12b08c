// One nftlinkd for each network namespace: two would take each other's tables for leftovers.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "nftlink/base/unique_fd.hpp"

namespace nftlink::kernel {

// Holds the namespace of the calling thread until it is destroyed, or its process ends in whatever way. By a Unix
// socket with an abstract name, which belongs to a network namespace as the tables do.
class InstanceLock {
public:
    // Throws std::runtime_error, naming the process, when another one of root's or of this user holds it. Another
    // user's process that has taken the name keeps nobody from starting: that is a warning.
    InstanceLock();

    // Why it could not be taken, and so protects nothing; empty when all is well.
    const std::string& warning() const { return warning_; }

    // Lets those go who asked whether somebody is here; to be called from time to time, or their queue gets full.
    void dismiss_callers();

private:
    base::UniqueFd socket_;
    std::string warning_;
};

// The process of root or of this user that holds the namespace of the calling thread; 0 when it is one that can't be
// seen from here.
std::optional<pid_t> running_instance();

}  // namespace nftlink::kernel
