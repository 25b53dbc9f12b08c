// The verbs that work on the configuration and the kernel; render only looks at what this kernel can do.
#pragma once

#include "report.hpp"
#include "request.hpp"

namespace nftlink::cli {

// Each says what it has to say to the report and gives the exit status.
int render(const Request& request, Report& report);
int plan(const Request& request, Report& report);
int apply(const Request& request, Report& report);
int clear(const Request& request, Report& report);

}  // namespace nftlink::cli
