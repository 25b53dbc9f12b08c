#include "nftlink/state/store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include "files.hpp"
#include "nftlink/base/file.hpp"
#include "nftlink/state/durable.hpp"

namespace nftlink::state {

namespace fs = std::filesystem;

namespace {

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

}  // namespace

Store::Store(fs::path directory) : directory_(std::move(directory)) {
    make_folder(directory_);
    make_folder(directory_ / containers_folder);
    const fs::path lock = directory_ / "lock";
    lock_ = base::UniqueFd(::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!lock_)
        throw std::runtime_error(disk_error("open", lock, errno));
    if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
        const int error = errno;
        throw std::runtime_error(error == EWOULDBLOCK
                                     ? fmt::format("the state directory {} is in use by another nftlinkd: stop that "
                                                   "one, or name another with state.directory",
                                                   directory_.string())
                                     : disk_error("lock", lock, error));
    }
    in_memory_ = is_memory(lock_.get());
}

fs::path Store::file(const std::string& container) const {
    return file_of(directory_, container);
}

Contents Store::read() {
    recover();
    auto contents = read_contents(directory_);
    if (!contents)
        throw std::runtime_error(contents.error());
    return std::move(*contents);
}

// One file is renamed over the old one; several go into a folder whose renaming puts them into force at once.
std::expected<void, std::string> Store::prepare(const StoredChange& change) {
    if (const auto moved = distribute(); !moved)
        return moved;
    prepared_ = change;
    if (change.size() == 1) {
        const auto& [container, text] = *change.begin();
        // In memory nothing fails after the renaming, which either happens or doesn't.
        previous_.reset();
        const fs::path path = file(container);
        if (auto text_before = in_memory_ ? std::unexpected(0) : base::read_file(path))
            previous_ = std::move(*text_before);
        const auto write_prepared = in_memory_ ? write_file : write_durably;
        const auto written = text ? write_prepared(prepared_of(path), *text) : std::expected<void, std::string>{};
        if (!written)
            discard();
        return written;
    }
    std::error_code ignored;
    const fs::path next = directory_ / next_folder;
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
    if (prepared_.empty())
        return {};
    if (prepared_.size() == 1) {
        const auto& [container, text] = *prepared_.begin();
        const fs::path path = file(container), prepared = prepared_of(path);
        const auto rename = in_memory_ ? rename_file : rename_durably;
        const auto remove = in_memory_ ? remove_file : remove_durably;
        auto published = text ? rename(prepared, path) : remove(path);
        if (!published && in_memory_)
            static_cast<void>(remove_file(prepared));
        else if (!published)
            put_back(container);
        prepared_.clear();
        return published;
    }
    prepared_.clear();
    may_be_pending_ = true;
    if (auto renamed = rename_durably(directory_ / next_folder, directory_ / pending_folder); !renamed) {
        static_cast<void>(rename_file(directory_ / pending_folder, directory_ / next_folder));
        return renamed;
    }
    // It holds now; what can't be moved to its place yet is moved before the next change, or at the next start.
    static_cast<void>(distribute());
    return {};
}

// As well as a disk that makes trouble lets us: the file as it was before.
void Store::put_back(const std::string& container) {
    const fs::path prepared = prepared_of(file(container));
    if (!previous_)
        static_cast<void>(remove_file(file(container)));
    else if (write_file(prepared, *previous_))
        static_cast<void>(rename_file(prepared, file(container)));
    static_cast<void>(remove_file(prepared));
}

void Store::discard() {
    std::error_code ignored;
    if (prepared_.size() == 1)
        fs::remove(prepared_of(file(prepared_.begin()->first)), ignored);
    fs::remove_all(directory_ / next_folder, ignored);
    prepared_.clear();
}

void Store::recover() {
    std::error_code ignored;
    fs::remove_all(directory_ / next_folder, ignored);
    for (fs::directory_iterator entry(directory_ / containers_folder, ignored), end; !ignored && entry != end;
         entry.increment(ignored))
        if (is_draft(entry->path()))  // it never came into force
            ::unlink(entry->path().c_str());
    if (const auto moved = distribute(); !moved)
        throw std::runtime_error(moved.error());
}

// May be done again from the start at any time: what has been moved is no longer there.
std::expected<void, std::string> Store::distribute() {
    if (!may_be_pending_)
        return {};
    const fs::path pending = directory_ / pending_folder;
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
        const fs::path to = directory_ / containers_folder / from.filename();
        const auto text = base::read_file(from);
        if (!text)
            continue;  // none of ours
        const auto moved = text->empty() ? remove_file(to) : rename_file(from, to);
        if (!moved)
            return moved;
    }
    if (const auto synced = sync_folder(directory_ / containers_folder); !synced)
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

}  // namespace nftlink::state
