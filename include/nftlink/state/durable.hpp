// Files that survive: written, synced and renamed, with what went wrong in words.
#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

namespace nftlink::state {

// `cannot write /var/lib/nftlink/x: No space left on device`
std::string disk_error(std::string_view what, const std::filesystem::path& path, int error_number);

// True when the file is for its owner alone, and has this text.
bool has_text(const std::filesystem::path& file, std::string_view text);

// Where a file's new text waits for its name: hidden, beside it.
std::filesystem::path prepared_of(const std::filesystem::path& file);
bool is_draft(const std::filesystem::path& file);

// Writes the file, for its owner alone, and brings it to the disk. On an error the file is gone.
std::expected<void, std::string> write_durably(const std::filesystem::path& file, std::string_view text);
// The same without waiting for the disk: for what can be written again.
std::expected<void, std::string> write_file(const std::filesystem::path& file, std::string_view text);

std::expected<void, std::string> rename_file(const std::filesystem::path& from, const std::filesystem::path& to);
// It is no error when it isn't there.
std::expected<void, std::string> remove_file(const std::filesystem::path& file);
// Brings a folder's names to the disk.
std::expected<void, std::string> sync_folder(const std::filesystem::path& folder);

// Brings everything in a folder to the disk, and whatever else that file system has to write: for many files at once it
// is one wait instead of one for each.
std::expected<void, std::string> sync_all(const std::filesystem::path& folder);

// Renaming and removing, with the folder brought to the disk.
std::expected<void, std::string> rename_durably(const std::filesystem::path& from, const std::filesystem::path& to);
std::expected<void, std::string> remove_durably(const std::filesystem::path& file);

}  // namespace nftlink::state
