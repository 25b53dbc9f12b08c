#include "nftlink/state/stored.hpp"

#include <cerrno>
#include <set>
#include <system_error>
#include <utility>

#include "files.hpp"
#include "nftlink/base/file.hpp"
#include "nftlink/config/container_yaml.hpp"
#include "nftlink/state/durable.hpp"

namespace nftlink::state {

namespace fs = std::filesystem;

namespace {

// Calls visit(path, container) for each container's file in a folder.
template <typename Visit>
std::error_code for_each_file(const fs::path& folder, Visit visit) {
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (!name.starts_with('.') && name.ends_with(suffix))
            visit(entry->path(), name.substr(0, name.size() - suffix.size()));
    }
    return error == std::errc::no_such_file_or_directory ? std::error_code() : error;
}

// One look at the folders. `has_moved`: a service at work has moved files from pending/ to containers/ meanwhile.
std::expected<Contents, std::string> read_once(const fs::path& directory, bool& has_moved) {
    Contents contents;
    std::set<std::string> deleted;
    const auto take = [&](const fs::path& path, const std::string& container) {
        if (!model::is_name(container)) {
            contents.errors.push_back(path.string() + ": no container can be called so: the file is passed over");
        } else if (auto text = base::read_file(path)) {
            contents.texts.emplace(container, std::move(*text));  // what pending/ says comes first, and stays
        } else {
            has_moved |= text.error() == ENOENT;
            const std::string why =
                text.error() == EINVAL ? path.string() + " is no regular file" : disk_error("read", path, text.error());
            contents.errors.push_back(why + ": it is passed over");
        }
    };
    std::error_code ignored;
    const bool was_pending = fs::exists(directory / pending_folder, ignored);
    if (const auto error = for_each_file(directory / pending_folder, take))
        return std::unexpected(disk_error("read", directory / pending_folder, error.value()));
    for (const auto& [container, text] : contents.texts)
        if (text.empty())
            deleted.insert(container);
    if (const auto error = for_each_file(directory / containers_folder, take))
        return std::unexpected(disk_error("read", directory / containers_folder, error.value()));
    has_moved |= fs::exists(directory / pending_folder, ignored) != was_pending;
    for (const std::string& container : deleted)
        contents.texts.erase(container);
    return contents;
}

}  // namespace

std::expected<Contents, std::string> read_contents(const fs::path& directory) {
    constexpr int max_looks = 20;
    for (int look = 1;; ++look) {
        bool has_moved = false;
        auto contents = read_once(directory, has_moved);
        if (!has_moved || look == max_looks)
            return contents;
    }
}

Stored parse(const fs::path& directory, const Contents& contents) {
    Stored stored;
    stored.errors = contents.errors;
    for (const auto& [name, text] : contents.texts) {
        // Links that were added to an engine's container when there was an engine are no damage now.
        auto container =
            config::parse_container({file_of(directory, name).string(), text}, name, model::Unplaced::allowed);
        if (container)
            stored.containers.emplace(name, std::move(*container));
        else
            stored.damaged.push_back({name, std::move(container.error())});
    }
    return stored;
}

StoredChange to_change(const ContainersChange& containers) {
    StoredChange texts;
    for (const auto& [name, container] : containers)
        texts[name] = container ? std::optional(config::to_yaml(*container)) : std::nullopt;
    return texts;
}

fs::path file_of(const fs::path& directory, const std::string& container) {
    return directory / containers_folder / (container + std::string(suffix));
}

}  // namespace nftlink::state
