#include "nftlink/state/durable.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "nftlink/base/file.hpp"
#include "nftlink/base/unique_fd.hpp"

namespace nftlink::state {

namespace fs = std::filesystem;
using Result = std::expected<void, std::string>;

namespace {

constexpr mode_t owner_alone = 0600;

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
    base::UniqueFd target(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, owner_alone));
    const bool written =
        target && write_all(target.get(), text) && (!durable || ::fsync(target.get()) == 0) && target.close();
    if (written)
        return {};
    const int error = errno;
    ::unlink(file.c_str());
    return std::unexpected(disk_error("write", file, error));
}

Result sync(const fs::path& folder, int (*sync_descriptor)(int)) {
    const base::UniqueFd descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (descriptor && sync_descriptor(descriptor.get()) == 0)
        return {};
    return std::unexpected(disk_error("sync", folder, errno));
}

}  // namespace

std::string disk_error(std::string_view what, const fs::path& path, int error_number) {
    return fmt::format("cannot {} {}: {}", what, path.string(), std::generic_category().message(error_number));
}

bool has_text(const fs::path& file, std::string_view text) {
    struct stat status{};
    return ::stat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & 0777) == owner_alone &&
           base::read_file(file) == text;
}

fs::path prepared_of(const fs::path& file) {
    return file.parent_path() / ("." + file.filename().string() + ".new");
}

bool is_draft(const fs::path& file) {
    const std::string name = file.filename().string();
    return name.starts_with('.') && name.ends_with(".yaml.new");
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
