#include "diff_attached.hpp"

#include <algorithm>

#include "diff_rules.hpp"
#include "meaning.hpp"
#include "names.hpp"
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

// Docker's base rules name no link, and may be Docker's own.
bool names_a_link(const nft::Rule& copy) {
    return !copy.comment.empty();
}

// Which of a chain's rules are ours.
class Finder {
public:
    Finder(nft::Family family, const nft::Chain& chain, const Copies& copies)
        : family_(family), rules_(chain.rules), copies_(copies), ours_(rules_.size()) {}

    // By their indexes.
    std::vector<std::size_t> find() {
        find_marked();
        if (!lacking_.empty())
            find_unmarked();
        find_commented();
        std::vector<std::size_t> indexes;
        for (std::size_t index = 0; index < ours_.size(); ++index)
            if (ours_[index])
                indexes.push_back(index);
        return indexes;
    }

private:
    void find_marked() {
        RulePool remembered(copies_.rules, [](const nft::Rule&) { return true; }, family_);
        std::vector<bool> there(copies_.rules.size());
        for (std::size_t index = 0; index < rules_.size(); ++index)
            if (is_marked(rules_[index])) {
                ours_[index] = true;
                if (const auto copy = remembered.take(rules_[index]))
                    there[*copy] = true;
            }
        for (std::size_t copy = 0; copy < there.size(); ++copy)
            if (!there[copy])
                lacking_.push_back(&copies_.rules[copy]);
    }

    // Of what we have put there, every link's rule is known by itself. What names no link is if all of it is there, and
    // some link's too: less than that may be somebody's own. So may what we only want to be there, unless that is all
    // there.
    void find_unmarked() {
        if (!copies_.were_attached) {
            take_in_order(lacking_);
            return;
        }
        RulePool unmarked(rules_, [](const nft::Rule& rule) { return !is_marked(rule); }, family_);
        std::vector<const nft::Rule*> base;
        bool any_link = false, all_links = true;
        for (const nft::Rule* copy : lacking_)
            if (!names_a_link(*copy))
                base.push_back(copy);
            else if (const auto index = unmarked.take(*copy))
                ours_[*index] = any_link = true;
            else
                all_links = false;
        if (any_link || all_links)
            take_in_order(base);
    }

    void take_in_order(const std::vector<const nft::Rule*>& wanted) {
        std::vector<std::size_t> found;
        std::size_t index = 0;
        for (const nft::Rule* copy : wanted) {
            while (index < rules_.size() && (ours_[index] || !means_the_same(rules_[index], *copy)))
                ++index;
            if (index == rules_.size())
                return;
            found.push_back(index++);
        }
        for (const std::size_t one : found)
            ours_[one] = true;
    }

    // What nft has loaded from our script, once more each time.
    void find_commented() {
        for (std::size_t index = 0; index < rules_.size(); ++index)
            if (!ours_[index] && has_our_comment(rules_[index]))
                ours_[index] = std::ranges::any_of(
                    copies_.rules, [&](const nft::Rule& copy) { return means_the_same(rules_[index], copy); });
    }

    bool means_the_same(const nft::Rule& a, const nft::Rule& b) const {
        return nft::same_rule(a, b) || meaning_of(a, family_) == meaning_of(b, family_);
    }

    nft::Family family_;
    const std::vector<nft::Rule>& rules_;
    const Copies& copies_;
    std::vector<bool> ours_;
    std::vector<const nft::Rule*> lacking_;  // of the copies: no marked rule is that one
};

// The change of one chain. Places are indexes in it.
class AttachedDiff {
public:
    AttachedDiff(const nft::Table& table, const nft::Chain& chain, std::vector<std::size_t> ours,
                 const std::vector<nft::Rule>& want, nft::Batch& batch)
        : table_(table), chain_(chain), places_(std::move(ours)), want_(want), batch_(batch) {}

    const nft::Rule* run(bool moves) {
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
        return obstacle < chain_.rules.size() ? &chain_.rules[obstacle] : nullptr;
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

const nft::Rule* diff_attached(const nft::Table& table, const nft::Chain& chain, const Copies& copies,
                               const std::vector<nft::Rule>& want, bool moves, nft::Batch& batch) {
    return AttachedDiff(table, chain, Finder(table.family, chain, copies).find(), want, batch).run(moves);
}

}  // namespace nftlink::firewall
