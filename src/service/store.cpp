#include "store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include "durable.hpp"
#include "nftlink/model/topology.hpp"

namespace nftlink::service {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view suffix = ".yaml";
constexpr mode_t folder_mode = 0700;

void make_folder(const fs::path& folder) {
    std::error_code error;
    fs::create_directories(folder.parent_path(), error);
    if (::mkdir(folder.c_str(), folder_mode) != 0 && errno != EEXIST)
        throw std::runtime_error(disk_error("make the folder", folder, errno));
}

bool is_memory(int descriptor) {
    struct statfs status{};
    return ::fstatfs(descriptor, &status) == 0 && (status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC);
}

// The text of an ordinary file; errno says why there is none.
std::optional<std::string> read_text(const fs::path& file) {
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status{};
    if (fd < 0 || ::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        const int error = fd < 0 ? errno : EINVAL;
        if (fd >= 0)
            ::close(fd);
        errno = error;
        return {};
    }
    std::string text(static_cast<std::size_t>(status.st_size), '\0');
    std::size_t size = 0;
    ssize_t count = 1;
    while (size < text.size() && count > 0)
        if (count = ::read(fd, text.data() + size, text.size() - size); count > 0)
            size += static_cast<std::size_t>(count);
    const int error = errno;
    ::close(fd);
    text.resize(size);
    errno = error;
    return count < 0 ? std::nullopt : std::optional(std::move(text));
}

}  // namespace

Store::Store(fs::path directory) : directory_(std::move(directory)) {
    make_folder(directory_);
    make_folder(directory_ / "containers");
    const fs::path lock = directory_ / "lock";
    lock_ = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock_ < 0)
        throw std::runtime_error(disk_error("open", lock, errno));
    if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
        const int error = errno;
        ::close(lock_);
        throw std::runtime_error(error == EWOULDBLOCK
                                     ? fmt::format("the state directory {} is in use by another nftlinkd: stop that "
                                                   "one, or name another with state.directory",
                                                   directory_.string())
                                     : disk_error("lock", lock, error));
    }
    in_memory_ = is_memory(lock_);
}

Store::~Store() {
    ::close(lock_);
}

fs::path Store::file(const std::string& container) const {
    return directory_ / "containers" / (container + std::string(suffix));
}

Store::Contents Store::read() {
    recover();
    Contents contents;
    std::error_code error;
    for (fs::directory_iterator entry(directory_ / "containers", error), end; !error && entry != end;
         entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (name.starts_with('.'))  // a new text that never came into force
            ::unlink(entry->path().c_str());
        else if (name.ends_with(suffix))
            read_into(contents, entry->path(), name.substr(0, name.size() - suffix.size()));
    }
    if (error)
        throw std::runtime_error(disk_error("read", directory_ / "containers", error.value()));
    return contents;
}

void Store::read_into(Contents& contents, const fs::path& path, const std::string& container) {
    if (!model::is_name(container))
        contents.errors.push_back(path.string() + ": no container can be called so: the file is passed over");
    else if (auto text = read_text(path))
        contents.texts.emplace(container, std::move(*text));
    else
        contents.errors.push_back(disk_error("read", path, errno) + ": it is passed over");
}

// One file is renamed over the old one; several go into a folder whose renaming puts them into force at once.
std::expected<void, std::string> Store::prepare(const StoredChange& change) {
    if (const auto moved = distribute(); !moved)
        return moved;
    prepared_ = change;
    if (change.size() == 1) {
        const auto& [container, text] = *change.begin();
        // In memory nothing fails after the renaming, which either happens or doesn't.
        previous_ = in_memory_ ? std::nullopt : read_text(file(container));
        const auto write_draft = in_memory_ ? write_file : write_durably;
        const auto written = text ? write_draft(draft_of(file(container)), *text) : std::expected<void, std::string>{};
        if (!written)
            discard();
        return written;
    }
    std::error_code ignored;
    const fs::path next = directory_ / "next";
    fs::remove_all(next, ignored);
    if (!change.empty() && ::mkdir(next.c_str(), folder_mode) != 0)
        return std::unexpected(disk_error("make the folder", next, errno));
    std::expected<void, std::string> written;
    for (const auto& [container, text] : change)
        if (written)
            written = write_file(next / (container + std::string(suffix)), text.value_or(""));
    if (written && !change.empty())
        written = sync_all(next);
    if (!written)
        discard();
    return written;
}

std::expected<void, std::string> Store::publish() {
    const StoredChange change = std::exchange(prepared_, {});
    if (change.empty())
        return {};
    if (change.size() == 1) {
        const auto& [container, text] = *change.begin();
        const auto rename = in_memory_ ? rename_file : rename_durably;
        const auto remove = in_memory_ ? remove_file : remove_durably;
        auto published = text ? rename(draft_of(file(container)), file(container)) : remove(file(container));
        if (!published && in_memory_)
            static_cast<void>(remove_file(draft_of(file(container))));
        else if (!published)
            put_back(container);
        return published;
    }
    may_be_pending_ = true;
    if (auto renamed = rename_durably(directory_ / "next", directory_ / "pending"); !renamed) {
        static_cast<void>(rename_file(directory_ / "pending", directory_ / "next"));
        return renamed;
    }
    // It holds now; what can't be moved to its place yet is moved before the next change, or at the next start.
    static_cast<void>(distribute());
    return {};
}

// As well as a disk that makes trouble lets us: the file as it was before.
void Store::put_back(const std::string& container) {
    const fs::path draft = draft_of(file(container));
    if (!previous_)
        static_cast<void>(remove_file(file(container)));
    else if (write_file(draft, *previous_))
        static_cast<void>(rename_file(draft, file(container)));
    static_cast<void>(remove_file(draft));
}

void Store::discard() {
    std::error_code ignored;
    if (prepared_.size() == 1)
        fs::remove(draft_of(file(prepared_.begin()->first)), ignored);
    fs::remove_all(directory_ / "next", ignored);
    prepared_.clear();
}

void Store::recover() {
    std::error_code ignored;
    fs::remove_all(directory_ / "next", ignored);
    if (const auto moved = distribute(); !moved)
        throw std::runtime_error(moved.error());
}

// May be done again from the start at any time: what has been moved is no longer there.
std::expected<void, std::string> Store::distribute() {
    if (!may_be_pending_)
        return {};
    const fs::path pending = directory_ / "pending";
    std::vector<fs::path> files;
    std::error_code error;
    for (fs::directory_iterator entry(pending, error), end; !error && entry != end; entry.increment(error))
        files.push_back(entry->path());
    if (error == std::errc::no_such_file_or_directory) {
        may_be_pending_ = false;
        return {};
    }
    if (error)
        return std::unexpected(disk_error("read", pending, error.value()));
    for (const fs::path& from : files) {
        const fs::path to = directory_ / "containers" / from.filename();
        const auto text = read_text(from);
        if (!text)
            continue;  // none of ours
        const auto moved = text->empty() ? remove_file(to) : rename_file(from, to);
        if (!moved)
            return moved;
    }
    if (const auto synced = sync_folder(directory_ / "containers"); !synced)
        return synced;
    fs::remove_all(pending, error);
    if (error)
        return std::unexpected(disk_error("remove", pending, error.value()));
    may_be_pending_ = false;
    return sync_folder(directory_);
}

std::expected<fs::path, std::string> Store::set_aside(const std::string& container) {
    const std::string base = file(container).string() + ".set-aside";
    std::string name = base;
    struct stat status{};
    for (int number = 2; ::lstat(name.c_str(), &status) == 0; ++number)
        name = fmt::format("{}.{}", base, number);
    if (const auto renamed = rename_durably(file(container), name); !renamed)
        return std::unexpected(renamed.error());
    return fs::path(name);
}

}  // namespace nftlink::service
