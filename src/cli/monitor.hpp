// Events as they happen.
#pragma once

#include "report.hpp"
#include "request.hpp"

namespace nftlink::cli {

// Prints them until it is told to end, and gives the exit status.
int monitor(const Request& request, Report& report);

}  // namespace nftlink::cli
