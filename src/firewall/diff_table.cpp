// The order in which the change is written, so that each operation finds what it needs and nothing is in its way:
//   rules go, then the sets and chains that nothing refers to any more; new sets and chains come; elements go and come
//   (a full set takes none, so in this order); new rules come, each before the one that stays after it; comments are
//   set last.
#include "diff_table.hpp"

#include <algorithm>
#include <array>

#include "diff_rules.hpp"
#include "names.hpp"

namespace nftlink::firewall {

namespace {

using nft::Chain;
using nft::Element;
using nft::Rule;
using nft::Set;
using nft::Table;

// A chain's policy can be changed in place, nothing else of it can.
bool same_chain(const Chain& have, const Chain& want) {
    const auto fixed = [](const Chain& chain) {
        auto hook = chain.hook;
        if (hook)
            hook->policy = 0;
        return hook;
    };
    return have.comment == want.comment && have.unknown == want.unknown && fixed(have) == fixed(want);
}

// A larger set than wanted is as good.
bool same_set(const Set& have, const Set& want) {
    return have.key == want.key && have.counter == want.counter && have.comment == want.comment &&
           have.unknown == want.unknown && (have.size == 0 ? want.size == 0 : have.size >= want.size);
}

Chain without_rules(const Chain& chain) {
    return {chain.name, chain.hook, chain.comment, chain.unknown, {}, chain.owner};
}

// The wanted elements with the counts that the set of that name has for them.
std::vector<Element> with_counts(const Set* have, const Set& want) {
    std::vector<Element> elements = want.elements;
    if (have == nullptr || !want.counter)
        return elements;
    auto old = have->elements.begin();
    for (Element& element : elements) {
        while (old != have->elements.end() && old->key < element.key)
            ++old;
        if (old != have->elements.end() && old->key == element.key)
            element.counters = old->counters;
    }
    return elements;
}

// Fewer elements are no matter.
constexpr std::size_t fewest_to_replace = 1000;

// The change of one table, collected by kind and put together in order.
class TableDiff {
public:
    // `kept`: chains of copies that stay though they aren't wanted.
    TableDiff(const Table* have, const Table& want, Manner manner, const std::set<std::string>& kept)
        : have_(have),
          want_(want),
          kept_(kept),
          may_delete_(manner.force || have == nullptr || (kept.empty() && strangers(*have).empty())),
          replaces_(manner.replaces && may_delete_) {
        if (have == nullptr || !may_delete_)
            return;
        is_another_ = have->comment != want.comment || have->unknown != want.unknown ||
                      (manner.marks && manner.replaces && lacks_mark());
    }

    void append_to(nft::Batch& batch) {
        if (have_ == nullptr)
            create();
        else if (is_another_)
            rebuild();
        else
            update();
        if (replaces_ && changed_elements_ > std::max(wanted_elements(), fewest_to_replace)) {
            for (auto* part : parts_)
                part->clear();
            rebuild();
        }
        for (auto* part : parts_)
            std::ranges::move(*part, std::back_inserter(batch));
    }

private:
    bool lacks_mark() const { return is_marked(want_) && !is_marked(*have_); }

    std::size_t wanted_elements() const {
        std::size_t count = 0;
        for (const Set& set : want_.sets)
            count += set.elements.size();
        return count;
    }

    void put(nft::Batch& part, nft::Action action) { part.push_back({want_.family, want_.name, std::move(action)}); }

    // What a table is can't be changed in place.
    void rebuild() {
        put(remove_objects_, nft::DeleteTable{});
        create();
    }

    void create() {
        put(add_objects_, nft::AddTable{want_.comment, want_.owner});
        for (const Set& set : want_.sets)
            create_set(set);
        for (const Chain& chain : want_.chains)
            create_chain(chain);
    }

    // What the kernel has under that name, in this slot or the other.
    template <typename T>
    const T* predecessor(const T* (Table::*find)(std::string_view) const, const std::string& name) const {
        if (have_ == nullptr)
            return nullptr;
        const T* same = (have_->*find)(name);
        return same != nullptr ? same : (have_->*find)(other_slot(name));
    }

    void create_set(const Set& set) {
        put(add_objects_, nft::AddSet{without_elements(set)});
        auto elements = with_counts(predecessor(&Table::set, set.name), set);
        if (!elements.empty())
            put(add_elements_, nft::AddElements{set.name, set.key, std::move(elements)});
    }

    void create_chain(const Chain& chain) {
        put(add_objects_, nft::AddChain{without_rules(chain)});
        std::vector<Rule> rules = chain.rules;
        if (const Chain* old = predecessor(&Table::chain, chain.name))
            carry_counters(old->rules, rules);
        for (Rule& rule : rules)
            put(add_rules_, nft::AddRule{chain.name, std::move(rule), 0});
    }

    void update() {
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

    bool is_surplus(const Set& set) const { return want_.set(set.name) == nullptr && is_ours(set); }
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

    // Chains and sets of one table may share a name; replacing both then is no harm.
    void find_replaced() {
        for (const Set& set : want_.sets)
            if (const Set* old = have_->set(set.name); old != nullptr && !same_set(*old, set))
                replaced_.insert(set.name);
        for (const Chain& chain : want_.chains)
            if (const Chain* old = have_->chain(chain.name); old != nullptr && !same_chain(*old, chain))
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
        changed_elements_ += gone.size() + added.size();
        if (!gone.empty())
            put(remove_elements_, nft::DeleteElements{want.name, want.key, std::move(gone)});
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
        for (std::size_t index = 0; index < have.rules.size(); ++index)
            if (!stays[index]) {
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
    const Table& want_;
    std::set<std::string, std::less<>> replaced_;  // chains and sets that must go and come again
    const std::set<std::string>& kept_;
    bool may_delete_, replaces_;
    bool is_another_ = false;  // it can't become the wanted one in place
    std::size_t changed_elements_ = 0;
    nft::Batch remove_rules_, remove_objects_, add_objects_, remove_elements_, add_elements_, add_rules_,
        replace_rules_;
    const std::array<nft::Batch*, 7> parts_{&remove_rules_, &remove_objects_, &add_objects_,  &remove_elements_,
                                            &add_elements_, &add_rules_,      &replace_rules_};
};

}  // namespace

nft::Set without_elements(const nft::Set& set) {
    return {set.name, set.key, set.size, set.counter, set.anonymous, set.comment, set.unknown, {}, set.owner};
}

void diff_table(const nft::Table* have, const nft::Table& want, Manner manner, const std::set<std::string>& kept,
                nft::Batch& batch) {
    TableDiff(have, want, manner, kept).append_to(batch);
}

}  // namespace nftlink::firewall
