// JSON pointers (RFC 6901).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace nftlink::base {

// The pointer of a member or item below `path`.
std::string below(const std::string& path, std::string_view member);
std::string below(const std::string& path, std::size_t index);

}  // namespace nftlink::base
