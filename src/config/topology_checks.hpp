// The checks between containers, with the places of what fails them.
#pragma once

#include <vector>

#include "containers.hpp"
#include "nftlink/model/fit.hpp"
#include "nftlink/model/limits.hpp"
#include "nftlink/model/policy.hpp"
#include "report.hpp"

namespace nftlink::config {

// The containers fit together (model/fit.hpp), as far as their own errors let that be seen. Warns of links that permit
// nothing.
void check_topology(const std::vector<StatedContainer>& containers, const model::FirewallPolicy& policy,
                    const model::Limits& limits, model::Unplaced unplaced, Report& report);

}  // namespace nftlink::config
