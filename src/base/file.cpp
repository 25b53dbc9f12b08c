#include "nftlink/base/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "nftlink/base/unique_fd.hpp"

namespace nftlink::base {

namespace {

// The size that the kernel tells is a hint: /proc and devices tell 0.
std::expected<std::string, int> read_all(int descriptor, std::size_t size_hint, std::size_t limit) {
    constexpr std::size_t chunk = std::size_t{64} << 10;
    std::string text;
    std::size_t size = 0;
    while (size < limit) {
        const std::size_t wanted = size < size_hint ? size_hint - size : chunk;
        text.resize(size + std::min(wanted, limit - size));
        const ssize_t count = ::read(descriptor, text.data() + size, text.size() - size);
        if (count < 0 && errno != EINTR)
            return std::unexpected(errno);
        if (count == 0)
            break;
        size += count > 0 ? static_cast<std::size_t>(count) : 0;
    }
    text.resize(size);
    return text;
}

}  // namespace

std::expected<std::string, int> read_file(const std::filesystem::path& file, FileKind kind, std::size_t limit) {
    const bool regular = kind == FileKind::regular;
    const UniqueFd descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | (regular ? O_NONBLOCK : 0)));
    struct stat status{};
    if (!descriptor || ::fstat(descriptor.get(), &status) != 0)
        return std::unexpected(errno);
    if (regular && !S_ISREG(status.st_mode))
        return std::unexpected(EINVAL);
    // One byte more, so that the end is seen without growing.
    return read_all(descriptor.get(), static_cast<std::size_t>(status.st_size) + 1, limit);
}

}  // namespace nftlink::base
