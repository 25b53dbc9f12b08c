// Numbers as people say them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nftlink::base {

// `1 link`, `2 links`
std::string count(std::uint64_t number, std::string_view noun);

}  // namespace nftlink::base
