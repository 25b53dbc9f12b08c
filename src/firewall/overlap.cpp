#include "overlap.hpp"

#include <algorithm>
#include <memory>

#include "nftlink/nft/meaning.hpp"

namespace nftlink::firewall {

namespace {

// A packet that is refused comes through as little as one that is dropped.
nft::Decision outcome(nft::Decision decision) {
    return decision == nft::Decision::refuse ? nft::Decision::drop : decision;
}

class Judge {
public:
    Judge(const nft::Table& table, const std::vector<nft::Rule>& ours) : table_(table) {
        ours_.reserve(ours.size());
        for (const nft::Rule& rule : ours)
            marks_ |= ours_.emplace_back(nft::meaning_of(rule, table.family)).mark.has_value();
    }

    bool changes(const nft::Rule& rule) const {
        int visits = 0;
        return changes(rule, {}, 0, visits);
    }

private:
    // `reached`: how a packet comes to the rule, `depth` jumps away from the base chain.
    bool changes(const nft::Rule& rule, const nft::Meaning& reached, int depth, int& visits) const {
        // NFT_JUMP_STACK_SIZE; and where many jumps lead to the same chains, it isn't followed for ever.
        constexpr int deepest = 16, most_visits = 20'000;
        if (++visits > most_visits)
            return true;
        const nft::Meaning meaning = nft::both(nft::meaning_of(rule, table_.family), reached);
        const nft::Decision decision = outcome(meaning.decision);
        const bool decides = decision != nft::Decision::none && (decision != nft::Decision::back || depth == 0);
        if (decides && differs(meaning, decision))
            return true;
        if (meaning.chain.empty())
            return false;
        // From the base chain a goto doesn't come back to ours.
        if (depth == 0 && !meaning.returns && differs(meaning, nft::Decision::other))
            return true;
        const nft::Chain* chain = table_.chain(meaning.chain);
        if (chain == nullptr || depth == deepest)
            return true;
        return std::ranges::any_of(chain->rules,
                                   [&](const nft::Rule& next) { return changes(next, meaning, depth + 1, visits); });
    }

    // True if ours decide otherwise about some packet that is met so: it meets a rule of another decision, and none of
    // the same decision before it.
    bool differs(const nft::Meaning& met, nft::Decision decision) const {
        if (marks_ && decision == nft::Decision::accept)
            decision = nft::Decision::other;  // without our mark
        for (auto other = ours_.begin(); other != ours_.end(); ++other) {
            if (other->decision == nft::Decision::none || other->decision == decision || nft::disjoint(met, *other))
                continue;
            // The rule that covers it stands near: a bridge's rules are together.
            const nft::Meaning common = nft::both(met, *other);
            if (std::none_of(std::make_reverse_iterator(other), ours_.rend(), [&](const nft::Meaning& before) {
                    return before.decision == decision && nft::within(common, before);
                }))
                return true;
        }
        return false;
    }

    const nft::Table& table_;
    std::vector<nft::Meaning> ours_;
    bool marks_ = false;
};

}  // namespace

std::function<bool(const nft::Rule&)> changes_verdict(const nft::Table& table, const std::vector<nft::Rule>& ours) {
    // Nearly always nobody stands above ours, and nobody asks.
    return [&table, &ours, judge = std::shared_ptr<const Judge>()](const nft::Rule& rule) mutable {
        if (judge == nullptr)
            judge = std::make_shared<const Judge>(table, ours);
        return judge->changes(rule);
    };
}

}  // namespace nftlink::firewall
