// The configuration that a verb works on.
#pragma once

#include <optional>

#include "nftlink/config/config.hpp"
#include "nftlink/desired/state.hpp"
#include "report.hpp"
#include "request.hpp"

namespace nftlink::cli {

// The configuration with everything that is known about it. Nothing when it is wrong; all its errors are in the report
// then.
std::optional<config::Loaded> load(const Request& request, Report& report);
// Its warnings, which load() leaves out of the report.
void say_warnings(const config::Loaded& loaded, Report& report);

// Adds the containers that the running service was told through its API, as it keeps them in state.directory, so that
// the configuration is what a reload makes of it. False when that can't be; the report says why then.
bool add_stored_containers(config::Loaded& loaded, Report& report);

// The configuration and the container engine that it names, united. Nothing when the engine doesn't answer;
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

}  // namespace nftlink::cli
