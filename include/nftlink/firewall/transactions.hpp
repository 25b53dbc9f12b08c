// A change as transactions that the kernel has room for. Pure.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nftlink/firewall/diff.hpp"
#include "nftlink/firewall/wanted.hpp"
#include "nftlink/nft/batch.hpp"

namespace nftlink::firewall {

// Sets that are in the kernel under their other name, `links4.b`: those that once grew and were too large to be made
// anew in one transaction. By their plain names.
using OtherNames = std::set<std::pair<nft::Family, std::string>>;

// The limits of one transaction.
struct Room {
    std::size_t bytes = 0;
    std::size_t elements = 20'000;  // and rules, where there are many
};

// The same change as transactions, to be applied in order, every one guarded by the generation that the one before it
// left. One, where there is room. Otherwise in pieces: what is permitted no longer goes first, one piece changes the
// rules, what is permitted newly comes last. What takes another's place (a larger set, another table or layout) is
// filled before that piece, which switches to it. What neither side permits doesn't pass at any time.
struct Transactions {
    std::vector<nft::Batch> batches;
    OtherNames other_names;                // after the change
    std::vector<Obstacle> obstacles = {};  // of diff()
};
// `deletes_last`: the tables that are to go have a transaction of their own, the last one.
Transactions transactions(const nft::Ruleset& have, const Wanted& want, Room room, Manner manner = {},
                          bool deletes_last = false);
// The change back to what was ours in `before`, from a change that was made in part.
Transactions take_back(const nft::Ruleset& have, const nft::Ruleset& before, std::string_view name, Room room);

// Gives the sets of `have`, which were read without them, the elements that the ruleset is known to have: `want`. Their
// counts are 0. Sets of others stay without. False when an element must be known for the change to `next` and isn't.
bool fill_elements(nft::Ruleset& have, const Wanted& want, const Wanted& next);

}  // namespace nftlink::firewall
