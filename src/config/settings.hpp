// The sections that are settings: firewall, bridges, env, control, state, sources, limits, log.
#pragma once

#include "nftlink/config/config.hpp"
#include "node.hpp"
#include "report.hpp"

namespace nftlink::config {

void read_firewall(const Node& section, Config& config, Report& report);
void read_bridges(const Node& section, Config& config, Report& report);
// Of the section that was read; to be called when all have been.
void check_bridges(const Node& bridges, const Config& config, Report& report);
void read_env(const Node& section, Config& config, Report& report);
void read_control(const Node& section, Config& config, Report& report);
void read_state(const Node& section, Config& config, Report& report);
void read_sources(const Node& section, Config& config, Report& report);
void read_limits(const Node& section, Config& config, Report& report);
void read_log(const Node& section, Config& config, Report& report);

// The fault of the name of one bridge, as a sentence about it; empty when there is none.
std::string bridge_name_fault(std::string_view name);

}  // namespace nftlink::config
