// The configuration that a verb works on.
#pragma once

#include <optional>

#include "nftlink/config/config.hpp"
#include "verbs.hpp"

namespace nftlink::cli {

// Nothing when it is wrong; all its errors are in the report then. Warnings are there too, if asked for.
std::optional<config::Config> load(const Request& request, Report& report, bool with_warnings = true);

}  // namespace nftlink::cli
