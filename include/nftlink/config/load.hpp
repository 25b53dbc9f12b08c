// The configuration's files: the main one, then conf.d/*.yaml beside it in name order.
#pragma once

#include <filesystem>
#include <string>

#include "nftlink/config/config.hpp"

namespace nftlink::config {

enum class Hashed { no, yes };

// A missing or unreadable file is an error of that file.
Result load(const std::filesystem::path& file, Hashed hashed = Hashed::yes);

// The control socket that they name, also when there are errors elsewhere in them; else the default.
std::string find_socket(const std::filesystem::path& file);

}  // namespace nftlink::config
