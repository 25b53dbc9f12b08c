// The service's events in words.
#pragma once

#include <string>
#include <string_view>

namespace nftlink::cli {

// A line of GET /v1/events as one line for people, without its line feed. What isn't known is shown as it came.
std::string event_text(std::string_view line);

}  // namespace nftlink::cli
