// From what the kernel has to what we want, as one change. Pure.
#pragma once

#include <string>
#include <vector>

#include "nftlink/firewall/wanted.hpp"
#include "nftlink/nft/batch.hpp"

namespace nftlink::firewall {

// The dealing with what others have done.
struct Manner {
    // Tables of ours go with what others have put into them.
    bool force = false;
    // Our rules come to stand above an obstacle.
    bool moves = true;
    // Chains of ours that have lost their mark are made anew, so that they have it again; those of each port's rules
    // aside, which may be large.
    bool marks = false;
};

// In a chain of somebody else's, what others have done to the place of our rules.
struct Obstacle {
    std::string chain;  // `ip filter FORWARD`
    std::string rule;   // that stands above ours and changes what becomes of a packet; or that ours have gone

    bool operator==(const Obstacle&) const = default;
};

// The change from what the kernel has to what we want, at the level of elements and rules; empty when nothing is to be
// done. `have` holds the relevant tables: those that we don't want any more are deleted, and our rules in other chains
// that aren't to be there. Counters of what stays, moves or is replaced are carried over.
//
// Objects of others in a table of ours stay, and so does the table; what they have changed of ours is put right,
// and rules of theirs that lead to a chain or set of ours that goes, go with it.
//
// In another program's chain our rules come to stand on top; but where some stand below rules of others, they stay
// unless that changes what becomes of a packet. A chain that isn't there is passed over.
//
// `obstacles` gets those that the change puts right, or, without `moves`, leaves.
// Where nothing is wanted: deletes every table of `have` that is ours, those that hold what is somebody else's only by
// force; and our rules in other chains.
nft::Batch diff(const nft::Ruleset& have, const Wanted& want, Manner manner = {},
                std::vector<Obstacle>* obstacles = nullptr);

// The chains to attach to that no forwarded packet comes to: those that aren't there, or to which nothing leads from
// the forward hook. As long as there is one, nothing of ours goes that is attached elsewhere, links that have ended
// aside.
struct IdleChain {
    const Attachment* attachment;  // of `want`
    bool is_there = false;
};
std::vector<IdleChain> idle_chains(const nft::Ruleset& have, const Wanted& want);

// The change that makes the wanted tables without a link, but for those that are there: what isn't linked is
// denied.
nft::Batch frame(const Wanted& want, const std::vector<const nft::Table*>& there = {});

}  // namespace nftlink::firewall
