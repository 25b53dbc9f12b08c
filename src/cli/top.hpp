// Live rates of the links.
#pragma once

#include "report.hpp"
#include "request.hpp"

namespace nftlink::cli {

// Prints them until it is told to end, or as often as was asked for, and gives the exit status.
int top(const Request& request, Report& report);

}  // namespace nftlink::cli
