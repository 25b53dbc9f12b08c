#include "nftlink/base/unique_fd.hpp"

#include <unistd.h>

#include <utility>

namespace nftlink::base {

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
    const int taken = other.release();
    close();
    descriptor_ = taken;
    return *this;
}

int UniqueFd::release() noexcept {
    return std::exchange(descriptor_, -1);
}

bool UniqueFd::close() noexcept {
    return descriptor_ < 0 || ::close(release()) == 0;
}

}  // namespace nftlink::base
