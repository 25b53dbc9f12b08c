// The difference of two rule lists.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "nftlink/nft/meaning.hpp"
#include "nftlink/nft/ruleset.hpp"

namespace nftlink::firewall {

// Rules by content; of equal ones, the first in the chain is handed out first. The rules must outlive it.
class RulePool {
public:
    // With a family (the table's), rules that mean the same are equal, where none is the same to the byte.
    RulePool(const std::vector<nft::Rule>& rules, const std::function<bool(const nft::Rule&)>& usable,
             std::optional<nft::Family> by_meaning = {});

    // The index of one that is equal, no longer to be had then.
    std::optional<std::size_t> take(const nft::Rule& rule);

private:
    using Indexes = std::vector<std::size_t>;  // the first is the last

    // The last of those that hasn't been taken; it is now.
    std::optional<std::size_t> take_from(Indexes& indexes);
    // Distinguishes rules of one chain well enough: by what they compare with, look up and decide. same_rule has the
    // last word.
    struct Hash {
        std::size_t operator()(const nft::Rule* rule) const;
    };
    struct Same {
        bool operator()(const nft::Rule* a, const nft::Rule* b) const { return nft::same_rule(*a, *b); }
    };

    const std::vector<nft::Rule>& rules_;
    std::optional<nft::Family> by_meaning_;
    std::vector<bool> usable_;  // and not taken
    std::unordered_map<const nft::Rule*, Indexes, Hash, Same> indexes_;
    std::optional<std::map<nft::Meaning, Indexes>> meanings_;  // made when they are asked for
};

// Which rules of `have` may stay where they are: for each wanted rule the index of the one that is it, or nothing. The
// indexes rise, and as many rules as possible stay. Rules that `may_stay` denies never do.
std::vector<std::optional<std::size_t>> match_rules(const std::vector<nft::Rule>& have,
                                                    const std::vector<nft::Rule>& want,
                                                    const std::function<bool(const nft::Rule&)>& may_stay);

// Gives each rule the counts of the one in `have` that is equal (see RulePool), each of those used once.
void carry_counters(const std::vector<nft::Rule>& have, std::vector<nft::Rule>& want,
                    std::optional<nft::Family> by_meaning = {});

}  // namespace nftlink::firewall
