// The ruleset as it should be.
#pragma once

#include <string>
#include <vector>

#include "nftlink/model/policy.hpp"
#include "nftlink/nft/ruleset.hpp"

namespace nftlink::firewall {

// Rules on top of a chain of somebody else's, in their order.
struct Attachment {
    nft::Family family = nft::Family::ip;
    std::string table;
    std::string chain;
    std::vector<nft::Rule> rules;

    const nft::Chain* find(const nft::Ruleset& have) const;
};

// Our own tables, and what is attached to other chains.
struct Wanted : nft::Ruleset {
    std::vector<Attachment> attached;
    // The table's, in the policy: what is_ours() is asked with.
    std::string name = model::FirewallPolicy{}.table;
    bool cross_bridges = false;  // some links lead from one bridge to another, with `layout: sets`
};

// The first with the second's tables, for as long as the first is attached where nothing comes.
Wanted joined(Wanted attached, const Wanted& own);

}  // namespace nftlink::firewall
