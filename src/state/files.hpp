// The files of the state directory.
#pragma once

#include <string_view>

namespace nftlink::state {

constexpr std::string_view containers_folder = "containers";
constexpr std::string_view pending_folder = "pending";
constexpr std::string_view next_folder = "next";
constexpr std::string_view suffix = ".yaml";

}  // namespace nftlink::state
