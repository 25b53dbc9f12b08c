// What must hold between containers.
#pragma once

#include <vector>

#include "containers.hpp"
#include "nftlink/model/limits.hpp"
#include "nftlink/model/policy.hpp"
#include "report.hpp"

namespace nftlink::config {

// An address is used once on a bridge; under `family: ip` a container has an IPv4 one.
void check_addresses(const std::vector<StatedContainer>& containers, const model::FirewallPolicy& policy,
                     Report& report);

// A link's child exists (unless these aren't the `whole` of them: it may be in a part that could not be read, or come
// from an engine). Links stay within the limits of one and of all. Warns of links that permit nothing.
void check_links(const std::vector<StatedContainer>& containers, const model::FirewallPolicy& policy,
                 const model::Limits& limits, bool whole, Report& report);

}  // namespace nftlink::config
