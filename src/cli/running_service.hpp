// The service, for verbs that work alone while one is running.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nftlink/config/config.hpp"
#include "nftlink/linkenv/environment.hpp"
#include "report.hpp"
#include "request.hpp"

namespace nftlink::cli {

// The nftlinkd that keeps this network namespace, as a message names it: `nftlinkd (pid 812)`. Nothing: none is
// running.
std::optional<std::string> running_service();

// The link variables of a container that isn't in the configuration: the running service may know it. Nothing, with
// errors, when it doesn't.
std::optional<std::vector<linkenv::Variable>> service_variables(const Request& request, const config::Config& config,
                                                                Report& report);

// Likewise the lines of `nftlink hosts`.
std::optional<std::string> service_hosts(const Request& request, const config::Config& config, Report& report);

}  // namespace nftlink::cli
