// The order in which the change is written, so that each operation finds what it needs and nothing is in its way:
//   rules go, then the sets and chains that nothing refers to any more; new sets and chains come; elements go and come
//   (a full set takes none, so in this order); new rules come, each before the one that stays after it; comments are
//   set last.
#include "diff_table.hpp"

#include <algorithm>
#include <array>
#include <functional>

#include "change_over.hpp"
#include "diff_rules.hpp"
#include "names.hpp"
#include "nftlink/firewall/ownership.hpp"

namespace nftlink::firewall {

namespace {

using nft::Chain;
using nft::Element;
using nft::Rule;
using nft::Set;
using nft::Table;

// A chain's policy can be changed in place, nothing else of it can. A comment may have been lost: nft's JSON has none.
bool same_chain(const Chain& have, const Chain& want) {
    const auto fixed = [](const Chain& chain) {
        auto hook = chain.hook;
        if (hook)
            hook->policy = 0;
        return hook;
    };
    return have.unknown == want.unknown && fixed(have) == fixed(want) &&
           (have.comment.empty() || have.comment == want.comment);
}

Chain without_rules(const Chain& chain) {
    return {chain.name, chain.hook, chain.comment, chain.unknown, {}, chain.owner};
}

// The wanted elements with the counts that the other set has for them.
std::vector<Element> with_counts(const Set& have, std::vector<Element> elements) {
    auto old = have.elements.begin();
    for (Element& element : elements) {
        while (old != have.elements.end() && old->key < element.key)
            ++old;
        if (old != have.elements.end() && old->key == element.key)
            element.counters = old->counters;
    }
    return elements;
}

// The change of one table, collected by kind and put together in order.
class TableDiff {
public:
    // `kept`: chains of copies that stay though they aren't wanted.
    TableDiff(const Table* have, const Table* old, const Table& want, Manner manner, const std::set<std::string>& kept)
        : have_(have), old_(have != nullptr ? have : old), want_(want), manner_(manner), kept_(kept) {}

    void append_to(nft::Batch& batch) {
        if (have_ == nullptr)
            create();
        else
            update();
        for (auto* part : parts_)
            std::ranges::move(*part, std::back_inserter(batch));
    }

private:
    void put(nft::Batch& part, nft::Action action) { part.push_back({want_.family, want_.name, std::move(action)}); }

    void create() {
        put(add_objects_, nft::AddTable{want_.comment, want_.owner});
        for (const Set& set : want_.sets)
            create_set(set);
        for (const Chain& chain : want_.chains)
            create_chain(chain);
    }

    void create_set(const Set& set) {
        put(add_objects_, nft::AddSet{without_elements(set)});
        auto elements = set.elements;
        if (set.counter && old_ != nullptr) {
            for (const std::string& name : {other_name(set.name), set.name})
                if (const Set* old = old_->set(name); old != nullptr && old->key == set.key)
                    elements = with_counts(*old, std::move(elements));
            carry_old_counts(*old_, set, elements);
        }
        if (!elements.empty())
            put(add_elements_, nft::AddElements{set.name, set.key, std::move(elements)});
    }

    void create_chain(const Chain& chain) {
        put(add_objects_, nft::AddChain{without_rules(chain)});
        std::vector<Rule> rules = chain.rules;
        if (old_ != nullptr) {
            if (const Chain* old = old_->chain(chain.name))
                carry_counters(old->rules, rules);
            else
                carry_old_counts(*old_, rules);
        }
        for (Rule& rule : rules)
            put(add_rules_, nft::AddRule{chain.name, std::move(rule), 0});
    }

    void update() {
        // A table that others have put to sleep wakes up.
        if (have_->unknown != want_.unknown)
            put(add_objects_, nft::AddTable{want_.comment, want_.owner});
        find_replaced();
        remove_what_leads_to_removed();
        // Sets before chains, since a verdict map refers to chains. An anonymous set goes with its rule.
        for (const Set& set : have_->sets)
            if (!set.anonymous && (replaced_.contains(set.name) || is_surplus(set)))
                put(remove_objects_, nft::DeleteSet{set.name});
        for (const Chain& chain : have_->chains)
            if (replaced_.contains(chain.name) || is_surplus(chain)) {
                if (!chain.rules.empty())
                    put(remove_rules_, nft::FlushChain{chain.name});
                put(remove_objects_, nft::DeleteChain{chain.name});
            }
        for (const Set& set : want_.sets)
            update_set(set);
        for (const Chain& chain : want_.chains)
            update_chain(chain);
    }

    bool is_surplus(const Set& set) const { return want_.set(set.name) == nullptr && is_ours(*have_, set); }
    bool is_surplus(const Chain& chain) const {
        return want_.chain(chain.name) == nullptr && !kept_.contains(chain.name) && is_ours(*have_, chain);
    }

    // The kernel removes nothing that a rule refers to: in chains of others that rule goes too.
    void remove_what_leads_to_removed() {
        std::set<std::string, std::less<>> removed = replaced_;
        for (const Set& set : have_->sets)
            if (is_surplus(set))
                removed.insert(set.name);
        for (const Chain& chain : have_->chains)
            if (is_surplus(chain))
                removed.insert(chain.name);
        for (const Chain& chain : have_->chains)
            if (want_.chain(chain.name) == nullptr && !removed.contains(chain.name))
                for (const Rule& rule : chain.rules)
                    if (refers_to(rule, removed))
                        put(remove_rules_, nft::DeleteRule{chain.name, rule.handle});
    }

    // Not those that may be larger than a transaction: the others' marks suffice to know the table.
    static bool may_be_marked_anew(const Chain& chain) {
        return is_marked(chain) && chain.name != links_chain && !is_copies_chain(chain.name);
    }

    // Chains and sets of one table may share a name; replacing both then is no harm.
    void find_replaced() {
        for (const Set& set : want_.sets)
            if (const Set* old = have_->set(set.name); old != nullptr && !holds(*old, set))
                replaced_.insert(set.name);
        for (const Chain& chain : want_.chains)
            if (const Chain* old = have_->chain(chain.name);
                old != nullptr &&
                (!same_chain(*old, chain) || (manner_.marks && may_be_marked_anew(chain) && !is_marked(*old))))
                replaced_.insert(chain.name);
    }

    void update_set(const Set& want) {
        const Set* have = have_->set(want.name);
        if (have == nullptr || replaced_.contains(want.name))
            create_set(want);
        else
            update_elements(*have, want);
    }

    void update_elements(const Set& have, const Set& want) {
        std::vector<Element> gone, added;
        auto old = have.elements.begin();
        for (const Element& element : want.elements) {
            for (; old != have.elements.end() && old->key < element.key; ++old)
                gone.push_back(*old);
            if (old == have.elements.end() || old->key != element.key) {
                added.push_back(element);
                continue;
            }
            if (!same_element(*old, element, want.counter)) {
                gone.push_back(*old);
                added.push_back(element);
                added.back().counters = want.counter ? old->counters : std::nullopt;
            }
            ++old;
        }
        gone.insert(gone.end(), old, have.elements.end());
        // In the other order than they come: a bridge isn't policed any more before what is permitted on it goes.
        if (!gone.empty())
            remove_elements_.insert(
                remove_elements_.begin(),
                {want_.family, want_.name, nft::DeleteElements{want.name, want.key, std::move(gone)}});
        if (!added.empty())
            put(add_elements_, nft::AddElements{want.name, want.key, std::move(added)});
    }

    static bool same_element(const Element& have, const Element& want, bool counted) {
        return have.comment == want.comment && have.unknown == want.unknown && have.counters.has_value() == counted;
    }

    void update_chain(const Chain& want) {
        const Chain* have = have_->chain(want.name);
        if (have == nullptr || replaced_.contains(want.name)) {
            create_chain(want);
            return;
        }
        if (have->hook != want.hook)
            put(add_objects_, nft::AddChain{without_rules(want)});
        update_rules(*have, want);
    }

    void update_rules(const Chain& have, const Chain& want) {
        const auto matches =
            match_rules(have.rules, want.rules, [this](const Rule& rule) { return !refers_to_replaced(rule); });
        std::vector<bool> stays(have.rules.size());
        for (const auto& match : matches)
            if (match)
                stays[*match] = true;
        std::vector<Rule> going;
        const bool all_go = std::ranges::none_of(stays, std::identity());
        if (all_go && !have.rules.empty())
            put(remove_rules_, nft::FlushChain{want.name});
        for (std::size_t index = 0; index < have.rules.size(); ++index)
            if (!stays[index]) {
                if (!all_go)
                    put(remove_rules_, nft::DeleteRule{want.name, have.rules[index].handle});
                going.push_back(have.rules[index]);
            }
        add_missing_rules(have, want, matches, going);
    }

    using Matches = std::vector<std::optional<std::size_t>>;

    void add_missing_rules(const Chain& have, const Chain& want, const Matches& matches,
                           const std::vector<Rule>& going) {
        // The rule that stays after each wanted one; 0 at the end of the chain.
        std::vector<std::uint64_t> next(matches.size());
        for (std::size_t index = matches.size(), handle = 0; index-- > 0;) {
            next[index] = handle;
            if (matches[index])
                handle = have.rules[*matches[index]].handle;
        }
        std::vector<Rule> missing;
        for (std::size_t index = 0; index < matches.size(); ++index)
            if (!matches[index])
                missing.push_back(want.rules[index]);
        carry_counters(going, missing);
        for (std::size_t index = 0, added = 0; index < matches.size(); ++index)
            if (!matches[index])
                put(add_rules_, nft::AddRule{want.name, std::move(missing[added++]), next[index]});
            else if (const Rule& old = have.rules[*matches[index]]; old.comment != want.rules[index].comment)
                replace_comment(want.name, old, want.rules[index]);
    }

    void replace_comment(const std::string& chain, const Rule& have, Rule want) {
        if (nft::Counters* counters = nft::counters(want))
            *counters = *nft::counters(have);
        put(replace_rules_, nft::ReplaceRule{chain, have.handle, std::move(want)});
    }

    static bool refers_to(const Rule& rule, const std::set<std::string, std::less<>>& names) {
        return std::ranges::any_of(rule.expressions, [&](const nft::Expression& expression) {
            if (const auto* lookup = std::get_if<nft::SetLookup>(&expression))
                return names.contains(lookup->set);
            const auto* verdict = std::get_if<nft::Verdict>(&expression);
            return verdict != nullptr && names.contains(verdict->chain);
        });
    }
    bool refers_to_replaced(const Rule& rule) const { return refers_to(rule, replaced_); }

    const Table* have_;
    const Table* old_;  // whose counts are carried over
    const Table& want_;
    Manner manner_;
    std::set<std::string, std::less<>> replaced_;  // chains and sets that must go and come again
    const std::set<std::string>& kept_;
    nft::Batch remove_rules_, remove_objects_, add_objects_, remove_elements_, add_elements_, add_rules_,
        replace_rules_;
    const std::array<nft::Batch*, 7> parts_{&remove_rules_, &remove_objects_, &add_objects_,  &remove_elements_,
                                            &add_elements_, &add_rules_,      &replace_rules_};
};

}  // namespace

// A larger set than wanted is as good.
bool holds(const nft::Set& have, const nft::Set& want) {
    return have.key == want.key && have.counter == want.counter && have.unknown == want.unknown &&
           (want.size == 0 ? have.size == 0 : have.size >= want.size);
}

nft::Set without_elements(const nft::Set& set) {
    return {set.name, set.key, set.size, set.counter, set.anonymous, set.comment, set.unknown, {}, set.owner};
}

void diff_table(const nft::Table* have, const nft::Table* old, const nft::Table& want, Manner manner,
                const std::set<std::string>& kept, nft::Batch& batch) {
    TableDiff(have, old, want, manner, kept).append_to(batch);
}

}  // namespace nftlink::firewall
