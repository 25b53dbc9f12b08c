// Our rules in chains of other programs.
#pragma once

#include <vector>

#include "nftlink/firewall/firewall.hpp"

namespace nftlink::firewall {

// Whether the rule says itself that it is ours: by its owner, or by its comment, in nft's form or iptables'.
bool says_it_is_ours(const nft::Rule& rule);

// The change that makes the rules of ours in that chain the wanted ones; see diff(). `copies` are those of what was
// attached there when we last wrote it: rules without a mark that are, in this order, all that the marked ones lack of
// them are ours too.
void diff_attached(const nft::Table& table, const nft::Chain& chain, const std::vector<nft::Rule>& copies,
                   const std::vector<nft::Rule>& want, nft::Batch& batch);

}  // namespace nftlink::firewall
