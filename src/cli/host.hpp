// The policy on this host.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nftlink/config/config.hpp"
#include "nftlink/enforce/plan.hpp"
#include "report.hpp"

namespace nftlink::cli {

// Says what of these bridges is left open, and notes it in the record as `left_open`.
void say_left_open(const std::vector<enforce::PolicedBridge>& bridges, Report& report);

// Those that the configuration polices; a pattern stands for itself.
std::vector<enforce::PolicedBridge> configured_bridges(const config::Config& config);

// The demand of the configuration that this kernel can't meet; nothing when there is nothing of the kind, or, with a
// note, when that is for root to find out.
std::optional<std::string> host_fault(const config::Config& config, Report& report);

}  // namespace nftlink::cli
