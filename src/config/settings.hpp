// The sections that are settings: firewall, bridges, env, control, state, log.
#pragma once

#include "nftlink/config/config.hpp"
#include "node.hpp"
#include "report.hpp"

namespace nftlink::config {

void read_firewall(const Node& section, Config& config, Report& report);
void read_bridges(const Node& section, Config& config, Report& report);
void read_env(const Node& section, Config& config, Report& report);
void read_control(const Node& section, Config& config, Report& report);
void read_state(const Node& section, Config& config, Report& report);
void read_log(const Node& section, Config& config, Report& report);

// What is wrong with an interface name, as a sentence about it; empty when nothing is.
std::string interface_name_fault(std::string_view name);

}  // namespace nftlink::config
