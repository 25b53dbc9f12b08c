// Numbers and times as people say them.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "nftlink/base/words.hpp"

namespace nftlink::cli {

using base::count;

// The two largest units that matter: `3 days 4 hours`, `2 minutes`, `0 seconds`.
std::string duration_words(std::chrono::seconds duration);
std::string duration_words(double seconds);

// The time that the kernel or a disk took: `2.1 ms`, `1.50 s`.
std::string span_words(double seconds);

// `2026-11-24 10:00:00Z` for `2026-11-24T10:00:00.123Z`; another text as it is.
std::string time_words(std::string_view text);

// `2026-11-24 10:00:00Z, 5 minutes ago`
std::string time_words(std::string_view text, std::chrono::system_clock::time_point now);

// Ports as in the configuration, runs as ranges: `53/udp,8000-8010/tcp`. `-` when there are none.
std::string port_words(const std::vector<std::string>& ports);

// An open target of a bridge and the reason, by the API's word: `other frames (other_frames: allow)`
std::string opening_words(std::string_view what, std::string_view why);

// The text, or the other one when it is empty.
std::string or_else(const std::string& text, std::string_view otherwise);

// `a, b`
std::string join(const std::vector<std::string>& words, std::string_view separator);

}  // namespace nftlink::cli
