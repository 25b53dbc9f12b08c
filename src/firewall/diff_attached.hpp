// Our rules in chains of other programs.
#pragma once

#include <vector>

#include "nftlink/firewall/firewall.hpp"

namespace nftlink::firewall {

// The rules of ours that a chain should have, without their mark: what iptables saves and restores has lost it.
struct Copies {
    std::vector<nft::Rule> rules;
    bool were_attached = false;  // we have put them there; otherwise they are what we are about to put there
};

// The change that makes the rules of ours in that chain the wanted ones; see diff(). Ours are those with our mark, and
// those without one that mean what the marked ones lack of the copies. Gives the first rule of somebody else's that
// stands above one of ours and may not; null when there is none. `moves`: ours come to stand above it.
const nft::Rule* diff_attached(const nft::Table& table, const nft::Chain& chain, const Copies& copies,
                               const std::vector<nft::Rule>& want, bool moves, nft::Batch& batch);

}  // namespace nftlink::firewall
