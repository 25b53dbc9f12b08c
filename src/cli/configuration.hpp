// The configuration that a verb works on.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nftlink/config/config.hpp"
#include "nftlink/desired/state.hpp"
#include "verbs.hpp"

namespace nftlink::cli {

// Nothing when it is wrong; all its errors are in the report then. Warnings are there too, if asked for.
std::optional<config::Config> load(const Request& request, Report& report, bool with_warnings = true);

// The same with everything that is known about it; its warnings are not in the report.
std::optional<config::Loaded> load_whole(const Request& request, Report& report);
void say_warnings(const config::Loaded& loaded, Report& report);

// The nftlinkd that keeps this network namespace, as a message names it: `nftlinkd (pid 812)`. Nothing: none is
// running.
std::optional<std::string> running_service();

// Adds the containers that the running service was told through its API, as it keeps them in state.directory, so that
// the configuration is what a reload makes of it. False when that can't be; the report says why then.
bool add_stored_containers(config::Loaded& loaded, Report& report);

// What the configuration and the container engine that it names say together. Nothing when the engine doesn't answer;
// the report says why then.
std::optional<desired::State> ask_engine(const config::Loaded& loaded, Report& report);

// The same in place of the configuration's own topology; nothing to do where it names no engine. What of the engine is
// left out is a warning. False when the engine doesn't answer, which may be an error or a warning; then it counts as
// having no containers.
enum class EngineGone { refused, warned };
bool add_engine_containers(config::Loaded& loaded, Report& report, EngineGone gone = EngineGone::refused);

// The configuration's topology as far as it holds without any engine: links that lead to none of its containers are
// left out.
model::Topology without_engine(const config::Loaded& loaded);

// The link variables of a container that isn't in the configuration: the running service may know it. Nothing, with
// errors, when it doesn't.
std::optional<std::vector<linkenv::Variable>> service_variables(const Request& request, const config::Config& config,
                                                                Report& report);

// Likewise the lines of `nftlink hosts`.
std::optional<std::string> service_hosts(const Request& request, const config::Config& config, Report& report);

// Says that the configuration has no such container; `but` goes on with the sentence.
int no_container(const Request& request, const config::Config& config, Report& report, std::string_view but = "");

}  // namespace nftlink::cli
