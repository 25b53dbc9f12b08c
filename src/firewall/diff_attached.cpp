#include "diff_attached.hpp"

#include <algorithm>
#include <string_view>

#include "diff_rules.hpp"
#include "names.hpp"
#include "overlap.hpp"

namespace nftlink::firewall {

namespace {

// What iptables-restore makes of a comment.
bool has_tagged_xt_comment(const nft::Rule& rule) {
    return std::ranges::any_of(rule.expressions, [](const nft::Expression& expression) {
        const auto* match = std::get_if<nft::XtMatch>(&expression);
        return match != nullptr && match->name == "comment" &&
               std::string_view(reinterpret_cast<const char*>(match->info.data()), match->info.size())
                   .starts_with(attached_tag);
    });
}

// Which of the chain's rules are ours, by their index. Those without a mark are if together, and in order, they are
// what the marked ones lack of the copies: less than that may be somebody's own.
std::vector<std::size_t> find_ours(const nft::Chain& chain, const std::vector<nft::Rule>& copies) {
    std::vector<std::size_t> ours;
    std::vector<bool> lacking(copies.size(), true);
    RulePool remembered(copies, [](const nft::Rule&) { return true; });
    for (std::size_t index = 0; index < chain.rules.size(); ++index)
        if (says_it_is_ours(chain.rules[index])) {
            ours.push_back(index);
            if (const auto copy = remembered.take(chain.rules[index]))
                lacking[*copy] = false;
        }
    std::vector<std::size_t> unmarked;
    std::size_t index = 0;
    for (std::size_t copy = 0; copy < copies.size(); ++copy) {
        if (!lacking[copy])
            continue;
        while (index < chain.rules.size() &&
               (says_it_is_ours(chain.rules[index]) || !nft::same_rule(chain.rules[index], copies[copy])))
            ++index;
        if (index == chain.rules.size())
            return ours;
        unmarked.push_back(index++);
    }
    ours.insert(ours.end(), unmarked.begin(), unmarked.end());
    std::ranges::sort(ours);
    return ours;
}

// The change of one chain. Places are indexes in it.
class AttachedDiff {
public:
    AttachedDiff(const nft::Table& table, const nft::Chain& chain, std::vector<std::size_t> ours,
                 const std::vector<nft::Rule>& want, nft::Batch& batch)
        : table_(table), chain_(chain), places_(std::move(ours)), want_(want), batch_(batch) {}

    void run() {
        for (const std::size_t place : places_)
            ours_.push_back(chain_.rules[place]);
        const std::size_t limit = first_obstacle();
        matches_ = match_rules(ours_, want_, [&](const nft::Rule& rule) {
            const auto index = static_cast<std::size_t>(&rule - ours_.data());
            return rule.owner == owner && rule.comment.empty() && places_[index] < limit;
        });
        delete_others();
        add_missing();
    }

private:
    void put(nft::Action action) { batch_.push_back({table_.family, table_.name, std::move(action)}); }

    // The first rule of somebody else's that may not stand above ours.
    std::size_t first_obstacle() const {
        const std::size_t end = places_.empty() ? 0 : places_.back();
        const auto is_obstacle = changes_verdict(table_, want_);
        for (std::size_t place = 0, next = 0; place < end; ++place) {
            if (place == places_[next])
                ++next;
            else if (is_obstacle(chain_.rules[place]))
                return place;
        }
        return chain_.rules.size();
    }

    void delete_others() {
        std::vector<bool> stays(ours_.size());
        for (const auto& match : matches_)
            if (match)
                stays[*match] = true;
        gone_.resize(chain_.rules.size());
        for (std::size_t index = 0; index < ours_.size(); ++index) {
            if (stays[index])
                continue;
            gone_[places_[index]] = true;
            put(nft::DeleteRule{chain_.name, ours_[index].handle});
            going_.push_back(ours_[index]);
        }
    }

    // The handle of the first rule at or after that place that stays; 0 when there is none.
    std::uint64_t handle_from(std::size_t place) const {
        while (place < chain_.rules.size() && gone_[place])
            ++place;
        return place < chain_.rules.size() ? chain_.rules[place].handle : 0;
    }

    void add_missing() {
        std::vector<nft::Rule> missing;
        for (std::size_t index = 0; index < matches_.size(); ++index)
            if (!matches_[index])
                missing.push_back(want_[index]);
        carry_counters(going_, missing);
        // Each goes before the rule of ours that follows it and stays; the last ones right after the last that stays,
        // or on top.
        std::size_t last = 0;
        for (const auto& match : matches_)
            if (match)
                last = places_[*match] + 1;
        std::vector<std::uint64_t> next(matches_.size());
        for (std::size_t index = matches_.size(), handle = handle_from(last); index-- > 0;) {
            next[index] = handle;
            if (matches_[index])
                handle = ours_[*matches_[index]].handle;
        }
        for (std::size_t index = 0, added = 0; index < matches_.size(); ++index)
            if (!matches_[index])
                put(nft::AddRule{chain_.name, std::move(missing[added++]), next[index]});
    }

    const nft::Table& table_;
    const nft::Chain& chain_;
    std::vector<std::size_t> places_;  // of ours
    const std::vector<nft::Rule>& want_;
    nft::Batch& batch_;
    std::vector<nft::Rule> ours_;
    std::vector<std::optional<std::size_t>> matches_;
    std::vector<bool> gone_;
    std::vector<nft::Rule> going_;
};

}  // namespace

bool says_it_is_ours(const nft::Rule& rule) {
    return rule.owner == owner || rule.comment.starts_with(attached_tag) || has_tagged_xt_comment(rule);
}

void diff_attached(const nft::Table& table, const nft::Chain& chain, const std::vector<nft::Rule>& copies,
                   const std::vector<nft::Rule>& want, nft::Batch& batch) {
    AttachedDiff(table, chain, find_ours(chain, copies), want, batch).run();
}

}  // namespace nftlink::firewall
