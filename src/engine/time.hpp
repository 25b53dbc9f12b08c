#pragma once

#include <cstdint>
#include <string_view>

namespace nftlink::engine {

// Nanoseconds of Unix time of a time as RFC 3339 writes it; 0 when it is none, and for Go's zero time, of year 1.
std::int64_t parse_time(std::string_view text);

}  // namespace nftlink::engine
