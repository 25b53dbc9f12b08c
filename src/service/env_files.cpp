#include "env_files.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <sstream>

#include "nftlink/base/file.hpp"
#include "nftlink/linkenv/environment.hpp"
#include "nftlink/state/durable.hpp"

namespace nftlink::service {

namespace fs = std::filesystem;

namespace {

// The names of the files that are ours, so that those of containers that went while no service ran are known.
constexpr const char* index_name = ".nftlinkd";
constexpr mode_t folder_mode = 0700;

std::vector<std::string> read_index(const fs::path& folder) {
    std::vector<std::string> names;
    std::istringstream file(base::read_file(folder / index_name).value_or(""));
    for (std::string name; std::getline(file, name);)
        if (model::is_name(name))
            names.push_back(name);
    return names;
}

std::expected<void, std::string> replace(const fs::path& file, const std::string& text) {
    const auto written = state::write_file(state::prepared_of(file), text);
    return written ? state::rename_file(state::prepared_of(file), file) : written;
}

void add_text(EnvTexts& result, const model::Container& container, const model::Topology& topology,
              const model::EnvironmentOptions& options) {
    const auto environment = linkenv::environment(container, topology, options);
    auto text = linkenv::format(environment.variables, linkenv::Format::env);
    if (!text)
        result.errors.push_back(fmt::format("there is no {}.env: {}", container.name, text.error()));
    result.texts[container.name] = text ? std::optional(std::move(*text)) : std::nullopt;
}

}  // namespace

EnvTexts env_texts(const model::Topology& topology, const model::Topology& idle,
                   const model::EnvironmentOptions& options) {
    EnvTexts result;
    for (const model::Topology* part : {&topology, &idle})
        for (const auto& [name, container] : part->containers)
            add_text(result, container, topology, options);
    return result;
}

EnvTexts env_texts(const model::Topology& topology, const model::Topology& idle,
                   const model::EnvironmentOptions& options, const std::set<std::string>& changed,
                   Dependents dependents) {
    EnvTexts result;
    for (const std::string& name : changed) {
        result.texts[name] = std::nullopt;
        for (const model::Topology* part : {&topology, &idle})
            if (const model::Container* container = part->find(name))
                add_text(result, *container, topology, options);
    }
    if (dependents == Dependents::none)
        return result;
    const auto depends = [&](const model::Link& link) { return changed.contains(link.child); };
    for (const model::Topology* part : {&topology, &idle})
        for (const auto& [name, container] : part->containers)
            if (!changed.contains(name) && std::ranges::any_of(container.links, depends))
                add_text(result, container, topology, options);
    return result;
}

std::vector<std::string> EnvFiles::take_over(const fs::path& folder,
                                             const std::map<std::string, std::optional<std::string>>& texts) {
    leave(folder);
    if (folder.empty())
        return {};
    std::error_code ignored;
    fs::create_directories(folder.parent_path(), ignored);
    if (::mkdir(folder.c_str(), folder_mode) != 0 && errno != EEXIST)
        return {state::disk_error("make the folder", folder, errno)};
    folder_ = folder;
    names_.clear();
    auto all = texts;
    for (const std::string& name : read_index(folder_))
        all.emplace(name, std::nullopt);
    return update(all);
}

// Files in a folder that is no longer the one would never be true again.
void EnvFiles::leave(const fs::path& next) {
    if (folder_.empty() || folder_ == next)
        return;
    std::error_code ignored;
    for (const std::string& name : names_)
        fs::remove(folder_ / (name + ".env"), ignored);
    fs::remove(folder_ / index_name, ignored);
    folder_.clear();
    names_.clear();
}

// The index names a file before it is there and until it is gone, so that a crash in between leaves no stranger.
std::vector<std::string> EnvFiles::update(const std::map<std::string, std::optional<std::string>>& texts) {
    if (folder_.empty())
        return {};
    errors_.clear();
    std::set<std::string> names = names_;
    for (const auto& [name, text] : texts)
        names.insert(name);
    std::swap(names, names_);
    if (names != names_ && !write_index()) {
        std::swap(names, names_);
        return std::move(errors_);
    }
    bool removed_some = false;
    for (const auto& [name, text] : texts) {
        const fs::path file = folder_ / (name + ".env");
        if (text && state::has_text(file, *text))
            continue;
        const auto done = text ? replace(file, *text) : state::remove_file(file);
        if (!done)
            errors_.push_back(done.error());
        else if (!text)
            removed_some |= names_.erase(name) != 0;
    }
    if (removed_some)
        write_index();
    return std::move(errors_);
}

bool EnvFiles::write_index() {
    std::string index;
    for (const std::string& name : names_)
        index += name + "\n";
    const auto written = replace(folder_ / index_name, index);
    if (!written)
        errors_.push_back(written.error());
    return written.has_value();
}

}  // namespace nftlink::service
