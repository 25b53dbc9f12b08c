// Times of day as text: ISO 8601, UTC.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace nftlink::base {

// `2026-11-24T10:00:00.123Z`
std::string timestamp(std::chrono::system_clock::time_point time);

// Reads such a text, with any number of digits of the second's fraction or none (those below a nanosecond are
// dropped), and with `Z` or an offset like `+01:00`. nullopt for other texts and for years outside 1970 to 2200, such
// as Go's zero time.
std::optional<std::chrono::sys_time<std::chrono::nanoseconds>> parse_timestamp(std::string_view text);

}  // namespace nftlink::base
