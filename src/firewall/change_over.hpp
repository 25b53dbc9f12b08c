// From a table of 0.1 to the frame: counts of links go along.
#pragma once

#include <vector>

#include "nftlink/nft/ruleset.hpp"

namespace nftlink::firewall {

// Gives elements of that set of ours, sorted, the counts that a table of 0.1 has for them in its bridges' own sets.
void carry_old_counts(const nft::Table& have, const nft::Set& set, std::vector<nft::Element>& elements);
// The same for rules, from its bridges' own chains.
void carry_old_counts(const nft::Table& have, std::vector<nft::Rule>& rules);

}  // namespace nftlink::firewall
