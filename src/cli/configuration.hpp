// The configuration that a verb works on.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nftlink/config/config.hpp"
#include "verbs.hpp"

namespace nftlink::cli {

// Nothing when it is wrong; all its errors are in the report then. Warnings are there too, if asked for.
std::optional<config::Config> load(const Request& request, Report& report, bool with_warnings = true);

// The same with everything that is known about it; its warnings are not in the report.
std::optional<config::Loaded> load_whole(const Request& request, Report& report);

// The nftlinkd that keeps this network namespace, as a message names it: `nftlinkd (pid 812)`. Nothing: none is
// running.
std::optional<std::string> running_service();

// Adds the containers that the running service was told through its API, as it keeps them in state.directory, so that
// the configuration is what a reload makes of it. False when that can't be; the report says why then.
bool add_stored_containers(config::Loaded& loaded, Report& report);

// The link variables of a container that isn't in the configuration: the running service may know it. Nothing, with
// errors, when it doesn't.
std::optional<std::vector<linkenv::Variable>> service_variables(const Request& request, const config::Config& config,
                                                                Report& report);

// Says that the configuration has no such container; `but` goes on with the sentence.
int no_container(const Request& request, const config::Config& config, Report& report, std::string_view but = "");

}  // namespace nftlink::cli
