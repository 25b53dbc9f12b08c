// The question if a rule of somebody else's, standing above ours, changes what becomes of a packet.
#pragma once

#include <functional>
#include <vector>

#include "nftlink/nft/ruleset.hpp"

namespace nftlink::firewall {

// Says of a rule of that table whether some packet that it decides about would be decided otherwise by `ours`, which
// come after it. True also when that can't be told: conditions and verdicts that we don't know may be anything. Both
// must outlive it.
std::function<bool(const nft::Rule&)> changes_verdict(const nft::Table& table, const std::vector<nft::Rule>& ours);

}  // namespace nftlink::firewall
