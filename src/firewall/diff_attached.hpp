// Our rules in chains of other programs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nftlink/nft/batch.hpp"
#include "nftlink/nft/ruleset.hpp"

namespace nftlink::firewall {

// The rules of ours that a chain should have, without their mark: what iptables saves and restores has lost it.
struct Copies {
    std::vector<nft::Rule> rules;
    bool were_attached = false;  // we have put them there; otherwise they are what we are about to put there
};

// Copies of link rules have the links' names as their comment; Docker's base rules have none.
bool names_a_link(const nft::Rule& copy);

// The change that makes the rules of ours in that chain the wanted ones; see diff(). Ours are those with our mark, and
// those without one that mean what the marked ones lack of the copies. Gives what others have done to the place of
// ours, in words: a rule of theirs that stands above and may not, or that none of ours is left. `moves`: that is put
// right.
std::optional<std::string> diff_attached(const nft::Table& table, const nft::Chain& chain, const Copies& copies,
                                         const std::vector<nft::Rule>& want, bool moves, nft::Batch& batch);

}  // namespace nftlink::firewall
