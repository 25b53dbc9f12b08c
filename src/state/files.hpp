// The files of the state directory.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace nftlink::state {

constexpr std::string_view containers_folder = "containers";
constexpr std::string_view pending_folder = "pending";
constexpr std::string_view next_folder = "next";
constexpr std::string_view suffix = ".yaml";

// The text of an ordinary file; errno says why there is none.
std::optional<std::string> read_text(const std::filesystem::path& file);

}  // namespace nftlink::state
