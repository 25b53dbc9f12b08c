// The difference of two rule lists.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "nftlink/nft/ruleset.hpp"

namespace nftlink::firewall {

// Which rules of `have` may stay where they are: for each wanted rule the index of the one that is it, or nothing. The
// indexes rise, and as many rules as possible stay. Rules that `may_stay` denies never do.
std::vector<std::optional<std::size_t>> match_rules(const std::vector<nft::Rule>& have,
                                                    const std::vector<nft::Rule>& want,
                                                    const std::function<bool(const nft::Rule&)>& may_stay);

// Gives each rule the counts of the one in `have` with the same content, each of those used once.
void carry_counters(const std::vector<nft::Rule>& have, std::vector<nft::Rule>& want);

}  // namespace nftlink::firewall
