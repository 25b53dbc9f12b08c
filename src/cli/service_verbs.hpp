// The verbs that are one request to the service each.
#pragma once

#include "report.hpp"
#include "request.hpp"

namespace nftlink::cli {

// Each says what it has to say to the report and gives the exit status.
int status(const Request& request, Report& report);
int list(const Request& request, Report& report);
int link(const Request& request, Report& report);
int unlink(const Request& request, Report& report);
int add(const Request& request, Report& report);
int rm(const Request& request, Report& report);
int reload(const Request& request, Report& report);

}  // namespace nftlink::cli
