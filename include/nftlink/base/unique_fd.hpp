// Owner of a file descriptor.
#pragma once

namespace nftlink::base {

class UniqueFd {
public:
    UniqueFd() = default;
    explicit UniqueFd(int descriptor) : descriptor_(descriptor) {}
    UniqueFd(UniqueFd&& other) noexcept : descriptor_(other.release()) {}
    UniqueFd& operator=(UniqueFd&& other) noexcept;
    ~UniqueFd() { close(); }

    explicit operator bool() const { return descriptor_ >= 0; }
    int get() const { return descriptor_; }
    // Gives the descriptor away: the caller closes it.
    int release() noexcept;
    // Closes now; false, with errno, when the kernel objects: some disks say only here that they are full.
    bool close() noexcept;

private:
    int descriptor_ = -1;
};

}  // namespace nftlink::base
