#include "nftlink/state/stored.hpp"

#include <system_error>
#include <utility>

#include "files.hpp"
#include "nftlink/base/file.hpp"
#include "nftlink/config/fragment.hpp"
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

}  // namespace

std::expected<Contents, std::string> read_contents(const fs::path& directory) {
    Contents contents;
    const auto take = [&](const fs::path& path, const std::string& container) {
        if (!model::is_name(container))
            contents.errors.push_back(path.string() + ": no container can be called so: the file is passed over");
        else if (auto text = base::read_file(path))
            contents.texts.insert_or_assign(container, std::move(*text));
        else
            contents.errors.push_back(disk_error("read", path, text.error()) + ": it is passed over");
    };
    if (const auto error = for_each_file(directory / containers_folder, take))
        return std::unexpected(disk_error("read", directory / containers_folder, error.value()));
    const auto take_change = [&](const fs::path& path, const std::string& container) {
        take(path, container);
        if (const auto taken = contents.texts.find(container); taken != contents.texts.end() && taken->second.empty())
            contents.texts.erase(taken);  // that it is deleted
    };
    if (const auto error = for_each_file(directory / pending_folder, take_change))
        return std::unexpected(disk_error("read", directory / pending_folder, error.value()));
    return contents;
}

Stored parse(const fs::path& directory, const Contents& contents) {
    Stored stored;
    stored.errors = contents.errors;
    for (const auto& [name, text] : contents.texts) {
        // What was added to an engine's container when there was an engine is no damage now.
        auto container =
            config::parse_container({file_of(directory, name).string(), text}, name, config::Unplaced::allowed);
        if (container)
            stored.containers.emplace(name, std::move(*container));
        else
            stored.damaged.push_back({name, std::move(container.error())});
    }
    return stored;
}

fs::path file_of(const fs::path& directory, const std::string& container) {
    return directory / containers_folder / (container + std::string(suffix));
}

}  // namespace nftlink::state
