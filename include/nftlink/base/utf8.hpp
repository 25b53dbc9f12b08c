// Text for JSON, which is UTF-8, from the operator's words, which may be any bytes.
#pragma once

#include <string>
#include <string_view>

namespace nftlink::base {

// The text with U+FFFD for each byte that is no part of a well-formed character (RFC 3629).
std::string utf8(std::string_view text);

bool is_utf8(std::string_view text);

}  // namespace nftlink::base
