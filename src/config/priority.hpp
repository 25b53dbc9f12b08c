// Priorities of a forward chain.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace nftlink::config {

// A number, or one of nft's names with an offset, blanks anywhere between the parts:
//   priority = number | name [("+" | "-") digits]
//   name     = "raw" | "mangle" | "filter" | "security"; in the bridge family "filter" alone, which is -200 there
// The error is a sentence for "'priority' …".
std::expected<std::int32_t, std::string> parse_priority(std::string_view text, bool bridge_family = false);

}  // namespace nftlink::config
