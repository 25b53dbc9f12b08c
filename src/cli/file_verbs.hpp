// The verbs that work on the configuration alone.
#pragma once

#include "report.hpp"
#include "request.hpp"

namespace nftlink::cli {

// Each says what it has to say to the report and gives the exit status.
int check(const Request& request, Report& report);
int env(const Request& request, Report& report);
int hosts(const Request& request, Report& report);
// Returns only when the command could not be started.
int run_command(const Request& request, Report& report);

}  // namespace nftlink::cli
