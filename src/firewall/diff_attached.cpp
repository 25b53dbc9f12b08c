#include "diff_attached.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "diff_rules.hpp"
#include "names.hpp"
#include "nftlink/nft/meaning.hpp"
#include "nftlink/nft/text.hpp"
#include "nftlink/nft/xt.hpp"
#include "overlap.hpp"

namespace nftlink::firewall {

namespace {

// The comment, also as iptables-restore writes it.
bool has_our_comment(const nft::Rule& rule) {
    return rule.comment.starts_with(attached_tag) ||
           std::ranges::any_of(rule.expressions, [](const nft::Expression& expression) {
               const auto* match = std::get_if<nft::XtMatch>(&expression);
               const auto comment = match == nullptr ? std::nullopt : nft::xt_comment(*match);
               return comment && comment->starts_with(attached_tag);
           });
}

// A rule without our mark that somebody has commented is somebody's: none of ours has a comment.
bool is_commented_by_others(const nft::Rule& rule) {
    return !has_our_comment(rule) &&
           (!rule.comment.empty() || std::ranges::any_of(rule.expressions, [](const nft::Expression& expression) {
               const auto* match = std::get_if<nft::XtMatch>(&expression);
               return match != nullptr && nft::xt_comment(*match).has_value();
           }));
}

// Finds our rules in a chain: those with our mark, and what means the same as the copies that they lack.
class Finder {
public:
    Finder(nft::Family family, const nft::Chain& chain, const Copies& copies)
        : family_(family),
          rules_(chain.rules),
          copies_(copies.rules),
          were_attached_(copies.were_attached),
          ours_(rules_.size()),
          places_(copies_.size()) {}

    // Their indexes, rising.
    std::vector<std::size_t> find() {
        find_marked();
        if (!std::ranges::all_of(places_, &std::optional<std::size_t>::has_value)) {
            find_links();
            find_base_rules();
        }
        find_loaded_again();
        std::vector<std::size_t> indexes;
        for (std::size_t index = 0; index < ours_.size(); ++index)
            if (ours_[index])
                indexes.push_back(index);
        return indexes;
    }

private:
    void take(std::size_t copy, std::size_t index) {
        ours_[index] = true;
        places_[copy] = index;
    }

    bool may_be_unmarked(std::size_t index) const { return !ours_[index] && !is_commented_by_others(rules_[index]); }

    void find_marked() {
        RulePool remembered(copies_, [](const nft::Rule&) { return true; }, family_);
        for (std::size_t index = 0; index < rules_.size(); ++index)
            if (is_marked(rules_[index])) {
                ours_[index] = has_marked_ = true;
                if (const auto copy = remembered.take(rules_[index]))
                    places_[*copy] = index;
            }
    }

    // Each is known by itself: hardly anybody else writes just that.
    void find_links() {
        RulePool unmarked(
            rules_,
            [this](const nft::Rule& rule) { return may_be_unmarked(static_cast<std::size_t>(&rule - rules_.data())); },
            family_);
        for (std::size_t copy = 0; copy < copies_.size(); ++copy)
            if (!places_[copy] && names_a_link(copies_[copy]))
                if (const auto index = unmarked.take(copies_[copy])) {
                    take(copy, *index);
                    has_unmarked_link_ = true;
                }
    }

    // Docker's own base rules may say the same, so that ours are known by where they stand: between those that are
    // known already, in the order of the copies. Where all marks are lost, some link must be there, or the copies must
    // hold no link at all.
    void find_base_rules() {
        const bool are_all_lost = !has_marked_ && were_attached_ && std::ranges::none_of(copies_, names_a_link);
        if (!has_marked_ && !has_unmarked_link_ && !are_all_lost)
            return;
        for (std::size_t first = 0; first < copies_.size();) {
            if (places_[first]) {
                ++first;
                continue;
            }
            std::size_t last = first;
            while (last < copies_.size() && !places_[last])
                ++last;
            find_run(first, last);
            first = last;
        }
    }

    // The copies from first to last, which have no places yet, between those that have.
    void find_run(std::size_t first, std::size_t last) {
        const std::size_t begin = first == 0 ? 0 : *places_[first - 1] + 1;
        const std::size_t end = last == copies_.size() ? rules_.size() : *places_[last];
        // Below the last of ours anything may follow.
        const bool must_follow = has_marked_ && !has_unmarked_link_ && last == copies_.size();
        std::vector<std::pair<std::size_t, std::size_t>> found;
        std::size_t index = begin;
        for (std::size_t copy = first; copy < last; ++copy) {
            if (names_a_link(copies_[copy]))
                continue;
            while (index < end && !(may_be_unmarked(index) && means_the_same(rules_[index], copies_[copy]))) {
                if (must_follow)
                    return;
                ++index;
            }
            if (index >= end)
                return;
            found.emplace_back(copy, index++);
        }
        for (const auto& [copy, place] : found)
            take(copy, place);
    }

    // A script of ours that nft has loaded puts them there once more each time, with a comment.
    void find_loaded_again() {
        std::optional<std::set<nft::Meaning>> meanings;
        for (std::size_t index = 0; index < rules_.size(); ++index) {
            if (ours_[index] || !has_our_comment(rules_[index]))
                continue;
            if (!meanings) {
                meanings.emplace();
                for (const nft::Rule& copy : copies_)
                    meanings->insert(nft::meaning_of(copy, family_));
            }
            ours_[index] = meanings->contains(nft::meaning_of(rules_[index], family_));
        }
    }

    bool means_the_same(const nft::Rule& a, const nft::Rule& b) const {
        return nft::same_rule(a, b) || nft::meaning_of(a, family_) == nft::meaning_of(b, family_);
    }

    nft::Family family_;
    const std::vector<nft::Rule>& rules_;
    const std::vector<nft::Rule>& copies_;
    bool were_attached_;
    bool has_marked_ = false, has_unmarked_link_ = false;
    std::vector<bool> ours_;
    std::vector<std::optional<std::size_t>> places_;  // of the copies, in the chain
};

// The change of one chain. Places are indexes in it.
class AttachedDiff {
public:
    AttachedDiff(const nft::Table& table, const nft::Chain& chain, std::vector<std::size_t> ours,
                 const std::vector<nft::Rule>& want, nft::Batch& batch)
        : table_(table), chain_(chain), places_(std::move(ours)), want_(want), batch_(batch) {}

    // Gives the obstacle; see diff_attached().
    std::optional<std::string> run(bool moves, bool were_attached) {
        const bool all_gone = places_.empty() && were_attached && !want_.empty() && !chain_.rules.empty();
        if (all_gone && !moves)
            return all_are_gone;
        for (const std::size_t place : places_)
            ours_.push_back(chain_.rules[place]);
        const std::size_t obstacle = first_obstacle();
        const std::size_t limit = moves ? obstacle : chain_.rules.size();
        matches_ = match_rules(ours_, want_, [&](const nft::Rule& rule) {
            const auto index = static_cast<std::size_t>(&rule - ours_.data());
            return is_marked(rule) && rule.comment.empty() && places_[index] < limit;
        });
        delete_others();
        add_missing();
        if (all_gone)
            return all_are_gone;
        return obstacle < chain_.rules.size() ? std::optional(nft::to_text(chain_.rules[obstacle])) : std::nullopt;
    }

private:
    static constexpr const char* all_are_gone = "all of nftlink's are taken away";

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
        carry_counters(going_, missing, table_.family);
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

bool names_a_link(const nft::Rule& copy) {
    return !copy.comment.empty();
}

std::optional<std::string> diff_attached(const nft::Table& table, const nft::Chain& chain, const Copies& copies,
                                         const std::vector<nft::Rule>& want, bool moves, nft::Batch& batch) {
    AttachedDiff change(table, chain, Finder(table.family, chain, copies).find(), want, batch);
    return change.run(moves, copies.were_attached);
}

}  // namespace nftlink::firewall
