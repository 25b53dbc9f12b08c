#include "cdi_file.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

#include "nftlink/base/file.hpp"
#include "nftlink/linkenv/cdi.hpp"
#include "nftlink/state/durable.hpp"

namespace nftlink::service {

namespace fs = std::filesystem;

namespace {

constexpr const char* file_name = "nftlink.json";
constexpr mode_t folder_mode = 0755;

enum class Owner { nobody, us, others };

Owner owner_of(const fs::path& file) {
    std::error_code ignored;
    const fs::file_status status = fs::symlink_status(file, ignored);
    if (!fs::exists(status))
        return Owner::nobody;
    const auto text = base::read_file(file);
    return !fs::is_symlink(status) && text && linkenv::is_cdi_specification(*text) ? Owner::us : Owner::others;
}

// For everybody, whatever the mask of the service is. One that is there keeps its mode.
std::expected<void, std::string> make_folder(const fs::path& folder) {
    std::error_code ignored;
    fs::create_directories(folder.parent_path(), ignored);
    if (::mkdir(folder.c_str(), folder_mode) == 0)
        ::chmod(folder.c_str(), folder_mode);
    else if (errno != EEXIST)
        return std::unexpected(state::disk_error("make the folder", folder, errno));
    return {};
}

std::expected<void, std::string> replace(const fs::path& file, const std::string& text) {
    const auto written = state::write_durably(state::prepared_of(file), text);
    return written ? state::rename_durably(state::prepared_of(file), file) : written;
}

}  // namespace

std::vector<std::string> CdiFile::take_over(const fs::path& folder, const std::string& text) {
    leave(folder);
    if (folder.empty())
        return {};
    if (const auto made = make_folder(folder); !made)
        return {made.error()};
    folder_ = folder;
    return update(text);
}

// Files in a folder that is no longer the one would never be true again.
void CdiFile::leave(const fs::path& next) {
    if (!folder_.empty() && folder_ != next) {
        update("");
        folder_.clear();
    }
}

std::vector<std::string> CdiFile::update(const std::string& text) {
    if (folder_.empty())
        return {};
    const fs::path file = folder_ / file_name;
    const Owner owner = owner_of(file);
    if (owner == Owner::others)
        return {
            fmt::format("{} is no CDI specification of nftlink's and was left alone: remove it, or name another "
                        "folder with env.cdi_directory",
                        file.string())};
    if (text.empty() ? owner == Owner::nobody : state::has_text(file, text))
        return {};
    const auto done = text.empty() ? state::remove_durably(file) : replace(file, text);
    return done ? std::vector<std::string>{} : std::vector{done.error()};
}

}  // namespace nftlink::service
