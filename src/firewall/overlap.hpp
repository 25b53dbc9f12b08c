// Whether a rule of somebody else's, standing above ours, changes what becomes of a packet.
#pragma once

#include <vector>

#include "nftlink/nft/ruleset.hpp"

namespace nftlink::firewall {

// Whether some packet that the rule of that table decides about would be decided otherwise by `ours`, which come after
// it. True also when that can't be told: conditions and verdicts that we don't know may be anything.
bool changes_verdict(const nft::Rule& rule, const nft::Table& table, const std::vector<nft::Rule>& ours);

}  // namespace nftlink::firewall
