#include "nftlink/state/durable.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

namespace nftlink::state {

namespace fs = std::filesystem;
using Result = std::expected<void, std::string>;

namespace {

constexpr mode_t owner_alone = 0600;

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() { close(); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    int get() const { return fd_; }
    // Some disks say only here that they are full.
    bool close() { return fd_ < 0 || ::close(std::exchange(fd_, -1)) == 0; }

private:
    int fd_;
};

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t count = ::write(fd, text.data(), text.size());
        if (count < 0 && errno != EINTR)
            return false;
        if (count > 0)
            text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

Result write(const fs::path& file, std::string_view text, bool durable) {
    Descriptor target(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, owner_alone));
    const bool written = target.get() >= 0 && write_all(target.get(), text) &&
                         (!durable || ::fsync(target.get()) == 0) && target.close();
    if (written)
        return {};
    const int error = errno;
    ::unlink(file.c_str());
    return std::unexpected(disk_error("write", file, error));
}

Result sync(const fs::path& folder, int (*sync_descriptor)(int)) {
    const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (descriptor.get() >= 0 && sync_descriptor(descriptor.get()) == 0)
        return {};
    return std::unexpected(disk_error("sync", folder, errno));
}

}  // namespace

std::string disk_error(std::string_view what, const fs::path& path, int error_number) {
    return fmt::format("cannot {} {}: {}", what, path.string(), std::generic_category().message(error_number));
}

std::optional<std::string> read_file(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::stringstream text;
    text << stream.rdbuf();
    return stream ? std::optional(text.str()) : std::nullopt;
}

bool has_text(const fs::path& file, std::string_view text) {
    struct stat status{};
    return ::stat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & 0777) == owner_alone &&
           read_file(file) == text;
}

fs::path draft_of(const fs::path& file) {
    return file.parent_path() / ("." + file.filename().string() + ".new");
}

Result write_durably(const fs::path& file, std::string_view text) {
    return write(file, text, true);
}

Result write_file(const fs::path& file, std::string_view text) {
    return write(file, text, false);
}

Result rename_file(const fs::path& from, const fs::path& to) {
    if (::rename(from.c_str(), to.c_str()) == 0)
        return {};
    return std::unexpected(disk_error("rename", from, errno));
}

Result remove_file(const fs::path& file) {
    if (::unlink(file.c_str()) == 0 || errno == ENOENT)
        return {};
    return std::unexpected(disk_error("remove", file, errno));
}

Result sync_folder(const fs::path& folder) {
    return sync(folder, ::fsync);
}

Result sync_all(const fs::path& folder) {
    return sync(folder, ::syncfs);
}

Result rename_durably(const fs::path& from, const fs::path& to) {
    if (const auto renamed = rename_file(from, to); !renamed)
        return renamed;
    return sync_folder(to.parent_path());
}

Result remove_durably(const fs::path& file) {
    if (const auto removed = remove_file(file); !removed)
        return removed;
    return sync_folder(file.parent_path());
}

}  // namespace nftlink::state
