#include "diff_rules.hpp"

#include <algorithm>
#include <boost/container_hash/hash.hpp>

namespace nftlink::firewall {

namespace {

// Keeps a longest rising subsequence of the numbers there are and forgets the others (patience sorting).
void keep_rising(std::vector<std::optional<std::size_t>>& numbers) {
    std::vector<std::size_t> tails;  // positions: the best end of a rising run of each length
    std::vector<std::optional<std::size_t>> previous(numbers.size());
    const auto value_at = [&](std::size_t position) { return *numbers[position]; };
    for (std::size_t position = 0; position < numbers.size(); ++position) {
        if (!numbers[position])
            continue;
        const auto tail = std::ranges::lower_bound(tails, *numbers[position], {}, value_at);
        if (tail != tails.begin())
            previous[position] = *std::prev(tail);
        if (tail == tails.end())
            tails.push_back(position);
        else
            *tail = position;
    }
    std::vector<std::optional<std::size_t>> kept(numbers.size());
    for (auto at = tails.empty() ? std::nullopt : std::optional(tails.back()); at; at = previous[*at])
        kept[*at] = numbers[*at];
    numbers = std::move(kept);
}

}  // namespace

std::size_t RulePool::Hash::operator()(const nft::Rule* rule) const {
    std::size_t seed = rule->expressions.size();
    for (const nft::Expression& expression : rule->expressions) {
        if (const auto* compare = std::get_if<nft::Compare>(&expression))
            boost::hash_range(seed, compare->value.begin(), compare->value.end());
        else if (const auto* lookup = std::get_if<nft::SetLookup>(&expression))
            boost::hash_combine(seed, lookup->set);
        else if (const auto* verdict = std::get_if<nft::Verdict>(&expression))
            boost::hash_combine(seed, verdict->chain);
    }
    return seed;
}

RulePool::RulePool(const std::vector<nft::Rule>& rules, const std::function<bool(const nft::Rule&)>& usable,
                   std::optional<nft::Family> by_meaning)
    : rules_(rules), by_meaning_(by_meaning), usable_(rules.size()) {
    for (std::size_t index = rules.size(); index-- > 0;)
        if ((usable_[index] = usable(rules[index])))
            indexes_[&rules[index]].push_back(index);
}

std::optional<std::size_t> RulePool::take_from(Indexes& indexes) {
    while (!indexes.empty()) {
        const std::size_t index = indexes.back();
        indexes.pop_back();
        if (usable_[index]) {
            usable_[index] = false;
            return index;
        }
    }
    return {};
}

std::optional<std::size_t> RulePool::take(const nft::Rule& rule) {
    if (const auto found = indexes_.find(&rule); found != indexes_.end())
        if (const auto index = take_from(found->second))
            return index;
    if (!by_meaning_)
        return {};
    if (!meanings_) {
        meanings_.emplace();
        for (std::size_t index = rules_.size(); index-- > 0;)
            if (usable_[index])
                (*meanings_)[nft::meaning_of(rules_[index], *by_meaning_)].push_back(index);
    }
    const auto found = meanings_->find(nft::meaning_of(rule, *by_meaning_));
    return found == meanings_->end() ? std::nullopt : take_from(found->second);
}

std::vector<std::optional<std::size_t>> match_rules(const std::vector<nft::Rule>& have,
                                                    const std::vector<nft::Rule>& want,
                                                    const std::function<bool(const nft::Rule&)>& may_stay) {
    RulePool pool(have, may_stay);
    std::vector<std::optional<std::size_t>> matches;
    matches.reserve(want.size());
    for (const nft::Rule& rule : want)
        matches.push_back(pool.take(rule));
    keep_rising(matches);
    return matches;
}

void carry_counters(const std::vector<nft::Rule>& have, std::vector<nft::Rule>& want,
                    std::optional<nft::Family> by_meaning) {
    RulePool pool(have, [](const nft::Rule&) { return true; }, by_meaning);
    for (nft::Rule& rule : want)
        if (const auto index = pool.take(rule); index && nft::counters(have[*index]) != nullptr)
            if (nft::Counters* counters = nft::counters(rule))
                *counters = *nft::counters(have[*index]);
}

}  // namespace nftlink::firewall
