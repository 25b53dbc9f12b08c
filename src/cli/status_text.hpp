// The control API's records as text.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "nftlink/api/answers.hpp"

namespace nftlink::cli {

// Every fact, what is wrong first.
std::string status_text(const api::Status& status, std::chrono::system_clock::time_point now);

// A table with a row for each.
std::string links_text(const std::vector<api::Link>& links);

}  // namespace nftlink::cli
