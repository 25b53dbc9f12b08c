// What must hold between containers.
#pragma once

#include <vector>

#include "containers.hpp"
#include "nftlink/model/policy.hpp"
#include "report.hpp"

namespace nftlink::config {

// An address is used once on a bridge; under `family: ip` a container has an IPv4 one.
void check_addresses(const std::vector<StatedContainer>& containers, const model::FirewallPolicy& policy,
                     Report& report);

// A link's child exists (unless the configuration isn't `whole`, so that it may be in the part not read) and shares a
// bridge with its parent. Warns of links that permit nothing.
void check_links(const std::vector<StatedContainer>& containers, const model::FirewallPolicy& policy, bool whole,
                 Report& report);

}  // namespace nftlink::config
