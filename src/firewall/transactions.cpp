#include "nftlink/firewall/transactions.hpp"

// A change in one transaction, or in pieces.
//
// Of a table that packets meet, each operation has its time: elements and rules that permit something go first; what no
// packet meets yet is filled (new sets, chains without a hook); one piece has all that changes what a packet meets;
// then comes what permits more; and what nothing refers to any more is removed.
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>

#include "diff_table.hpp"
#include "names.hpp"
#include "nftlink/firewall/diff.hpp"
#include "nftlink/firewall/ownership.hpp"
#include "nftlink/nft/encode.hpp"
#include "nftlink/nft/meaning.hpp"

namespace nftlink::firewall {

namespace {

// Calls visit(name) for every chain and set that the chain's rules refer to.
template <typename ChainT, typename Visit>
void for_each_reference(ChainT& chain, Visit visit) {
    for (auto& rule : chain.rules)
        for (auto& expression : rule.expressions)
            if (auto* lookup = std::get_if<nft::SetLookup>(&expression))
                visit(lookup->set);
            else if (auto* verdict = std::get_if<nft::Verdict>(&expression); verdict && !verdict->chain.empty())
                visit(verdict->chain);
}

using ObjectNames = std::set<std::string, std::less<>>;

// The chains and sets of a table that packets meet: base chains and what they lead to.
ObjectNames live_objects(const nft::Table& table) {
    ObjectNames live;
    std::vector<const nft::Chain*> open;
    const auto follow = [&](const std::string& name) {
        if (live.insert(name).second && table.chain(name) != nullptr)
            open.push_back(table.chain(name));
    };
    for (const nft::Chain& chain : table.chains)
        if (chain.hook && !table.dormant)
            follow(chain.name);
    while (!open.empty()) {
        const nft::Chain& chain = *open.back();
        open.pop_back();
        for_each_reference(chain, follow);
    }
    return live;
}

void rename_set(nft::Table& table, const std::string& name) {
    const std::string other = other_name(name);
    for (nft::Set& set : table.sets)
        if (set.name == name)
            set.name = other;
    for (nft::Chain& chain : table.chains)
        for_each_reference(chain, [&](std::string& reference) {
            if (reference == name)
                reference = other;
        });
}

// The wanted ruleset with those sets under their other names.
const Wanted& named(const Wanted& want, const OtherNames& others, Wanted& copy) {
    if (others.empty())
        return want;
    copy = want;
    for (nft::Table& table : copy.tables)
        for (const auto& [family, name] : others)
            if (family == table.family)
                rename_set(table, name);
    return copy;
}

// The wanted sets that packets meet under their other name.
OtherNames names_in_use(const nft::Ruleset& have, const Wanted& want) {
    OtherNames others;
    for (const nft::Table& table : want.tables)
        if (const nft::Table* found = have.table(table.family, table.name)) {
            const ObjectNames live = live_objects(*found);
            for (const nft::Set& set : table.sets)
                if (live.contains(other_name(set.name)))
                    others.emplace(table.family, set.name);
        }
    return others;
}

// Sets with a size that must be made anew are made under the name that isn't in use.
OtherNames switched(const nft::Ruleset& have, const Wanted& want, OtherNames others) {
    for (const nft::Table& table : want.tables)
        for (const nft::Set& set : table.sets) {
            const bool has_other = others.contains({table.family, set.name});
            const nft::Table* found = have.table(table.family, table.name);
            const nft::Set* in_use =
                found == nullptr ? nullptr : found->set(has_other ? other_name(set.name) : set.name);
            if (in_use == nullptr || !is_sized(set) || holds(*in_use, set))
                continue;
            if (has_other)
                others.erase({table.family, set.name});
            else
                others.emplace(table.family, set.name);
        }
    return others;
}

// The number that counts towards Room::elements.
std::size_t weight(const nft::Operation& operation) {
    return std::holds_alternative<nft::AddRule>(operation.action) ? 1 : nft::element_count(operation);
}

bool fits(const nft::Batch& batch, Room room) {
    std::size_t bytes = 0, elements = 0;
    for (const nft::Operation& operation : batch) {
        bytes += nft::encoded_size(operation);
        elements += weight(operation);
        if (bytes > room.bytes || elements > room.elements)
            return false;
    }
    return true;
}

// When an operation is made, in this order.
enum class Time { restriction, preparation, attachment, change, permission, detachment, removal, deletion };
constexpr std::size_t time_count = 8;

// Tells the time of each operation of a batch.
class Schedule {
public:
    Schedule(const nft::Ruleset& have, const Wanted& want, const nft::Batch& batch, bool deletes_last)
        : want_(want), deletes_last_(deletes_last) {
        for (const nft::Table& table : have.tables)
            if (is_ours(table, want.name)) {
                Objects& objects = tables_[{table.family, table.name}];
                objects.live = live_objects(table);
                any_in_force_ |= (!objects.live.empty() && !is_frames_table(table.family, table.name)) ||
                                 std::ranges::any_of(table.chains, [](const nft::Chain& chain) {
                                     return is_copies_chain(chain.name) && !chain.rules.empty();
                                 });
            }
        for (const nft::Operation& operation : batch)
            note(operation);
    }

    Time of(const nft::Operation& operation) {
        current_ = &tables_[{operation.family, operation.table}];
        is_own_ = want_.table(operation.family, operation.table) != nullptr;
        return std::visit([this](const auto& action) { return time(action); }, operation.action);
    }

private:
    struct Objects {
        ObjectNames live;
        ObjectNames gone, come;  // by this batch
        ObjectNames hooked;      // those that come with a hook
    };

    void note(const nft::Operation& operation) {
        Objects& objects = tables_[{operation.family, operation.table}];
        if (const auto* chain = std::get_if<nft::DeleteChain>(&operation.action))
            objects.gone.insert(chain->chain);
        if (const auto* set = std::get_if<nft::DeleteSet>(&operation.action))
            objects.gone.insert(set->set);
        if (const auto* chain = std::get_if<nft::AddChain>(&operation.action)) {
            objects.come.insert(chain->chain.name);
            if (chain->chain.hook)
                objects.hooked.insert(chain->chain.name);
        }
        if (const auto* set = std::get_if<nft::AddSet>(&operation.action))
            objects.come.insert(set->set.name);
    }

    // Goes and comes under the same name, and packets meet it.
    bool is_replaced(const std::string& name) const { return is_made_anew(name) && is_live(name); }
    bool is_made_anew(const std::string& name) const {
        return current_->gone.contains(name) && current_->come.contains(name);
    }
    bool is_live(const std::string& name) const { return current_->live.contains(name); }

    Time time(const nft::AddTable&) const { return Time::preparation; }
    // Copies of what is attached go after it: by them it is known.
    Time time(const nft::DeleteTable&) const {
        return deletes_last_ ? Time::deletion : current_->live.empty() ? Time::removal : Time::change;
    }
    Time time(const nft::AddChain& action) const {
        return action.chain.hook || is_replaced(action.chain.name) ? Time::change : Time::preparation;
    }
    Time time(const nft::AddSet& action) const {
        return is_replaced(action.set.name) ? Time::change : Time::preparation;
    }
    Time time(const nft::DeleteSet& action) const { return of_removal(action.set); }
    Time time(const nft::DeleteChain& action) const { return of_removal(action.chain); }
    Time of_removal(const std::string& name) const {
        if (!is_made_anew(name))
            return Time::removal;
        return is_live(name) ? Time::change : Time::preparation;
    }

    // Sets of links are filled first where that means that packets go on meeting another one meanwhile.
    Time time(const nft::AddElements& action) const {
        if (is_replaced(action.set))
            return Time::change;
        if (is_live(action.set))
            return Time::permission;
        return is_of_links(action.set) && !any_in_force_ ? Time::permission : Time::preparation;
    }
    Time time(const nft::DeleteElements& action) const {
        return is_live(action.set) ? Time::restriction : Time::preparation;
    }

    // The rules of one port each, which are many, are like elements.
    Time time(const nft::AddRule& action) const {
        if (!is_own_)
            return Time::attachment;
        if (is_replaced(action.chain))
            return Time::change;
        if (action.chain == links_chain && (is_live(action.chain) || !any_in_force_))
            return Time::permission;
        return is_live(action.chain) || current_->hooked.contains(action.chain) ? Time::change : Time::preparation;
    }
    Time time(const nft::ReplaceRule&) const { return Time::permission; }
    Time time(const nft::DeleteRule& action) const {
        if (!is_own_)
            return Time::detachment;
        return action.chain == links_chain ? Time::restriction : Time::change;
    }
    Time time(const nft::FlushChain& action) const {
        if (current_->gone.contains(action.chain))
            return of_removal(action.chain);
        return action.chain == links_chain ? Time::restriction : Time::change;
    }

    const Wanted& want_;
    bool deletes_last_;
    std::map<std::pair<nft::Family, std::string>, Objects> tables_;
    Objects* current_ = nullptr;
    bool is_own_ = false;  // the table of the current operation
    bool any_in_force_ = false;
};

// Puts operations into as few transactions as have room for them.
class Packer {
public:
    explicit Packer(Room room) : room_(room) {}

    // Cut where there is no room.
    void add(nft::Operation operation) {
        if (!fits(operation) && std::holds_alternative<nft::AddElements>(operation.action))
            cut<nft::AddElements>(operation);
        else if (!fits(operation) && std::holds_alternative<nft::DeleteElements>(operation.action))
            cut<nft::DeleteElements>(operation);
        else
            add_whole({std::move(operation)});
    }
    // All in one.
    void add_whole(nft::Batch batch) {
        std::size_t bytes = bytes_, elements = elements_;
        for (const nft::Operation& operation : batch) {
            bytes += nft::encoded_size(operation);
            elements += weight(operation);
        }
        if (bytes > room_.bytes || elements > room_.elements)
            start();
        for (nft::Operation& operation : batch)
            put(std::move(operation));
    }
    void start() {
        if (batches_.back().empty())
            return;
        batches_.emplace_back();
        bytes_ = elements_ = 0;
    }
    std::vector<nft::Batch> take() {
        std::erase_if(batches_, [](const nft::Batch& batch) { return batch.empty(); });
        return std::move(batches_);
    }

private:
    bool fits(const nft::Operation& operation) const {
        return bytes_ + nft::encoded_size(operation) <= room_.bytes && elements_ + weight(operation) <= room_.elements;
    }

    template <typename Action>
    void cut(nft::Operation& operation) {
        auto& elements = std::get<Action>(operation.action).elements;
        const std::size_t bytes_each = nft::encoded_size(operation) / elements.size() + 1;
        const std::size_t fixed = nft::encoded_size({operation.family, operation.table, Action{"", {}, {}}});
        for (auto first = elements.begin(); first != elements.end();) {
            // They are nearly of one size; a quarter is for those that are larger.
            const std::size_t by_bytes = (room_.bytes - std::min(bytes_ + fixed, room_.bytes)) / bytes_each * 3 / 4;
            const std::size_t most = std::min(by_bytes, room_.elements - std::min(elements_, room_.elements));
            if (most == 0 && !batches_.back().empty()) {
                start();
                continue;
            }
            const auto count = std::min<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(std::max<std::size_t>(most, 1)),
                                                        elements.end() - first);
            const auto& action = std::get<Action>(operation.action);
            put({operation.family, operation.table,
                 Action{action.set,
                        action.key,
                        {std::make_move_iterator(first), std::make_move_iterator(first + count)}}});
            first += count;
        }
    }

    void put(nft::Operation operation) {
        bytes_ += nft::encoded_size(operation);
        elements_ += weight(operation);
        batches_.back().push_back(std::move(operation));
    }

    Room room_;
    std::vector<nft::Batch> batches_{1};
    std::size_t bytes_ = 0, elements_ = 0;
};

std::vector<nft::Batch> in_pieces(const nft::Ruleset& have, const Wanted& want, nft::Batch batch, Room room,
                                  bool deletes_last) {
    std::array<nft::Batch, time_count> times;
    Schedule schedule(have, want, batch, deletes_last);
    for (nft::Operation& operation : batch)
        times[static_cast<std::size_t>(schedule.of(operation))].push_back(std::move(operation));
    // From the last to the first: what drops stands below the links that it would cut.
    std::ranges::reverse(times[static_cast<std::size_t>(Time::detachment)]);
    Packer packer(room);
    for (std::size_t time = 0; time < times.size(); ++time) {
        if (static_cast<Time>(time) == Time::deletion)
            packer.start();
        if (static_cast<Time>(time) == Time::change)
            packer.add_whole(std::move(times[time]));
        else
            for (nft::Operation& operation : times[time])
                packer.add(std::move(operation));
    }
    return packer.take();
}

// Ours in a chain of somebody else's: by their mark, or, where that was taken off them, by their copies.
std::vector<nft::Rule> attached_rules(const nft::Ruleset& ruleset, std::string_view name, const nft::Table& table,
                                      const nft::Chain& chain) {
    std::set<nft::Meaning> copies;
    for (const nft::Table& own : ruleset.tables)
        if (own.family == table.family && is_ours(own, name))
            if (const nft::Chain* found = own.chain(copies_chain(table.name, chain.name)))
                for (const nft::Rule& rule : found->rules)
                    copies.insert(nft::meaning_of(rule, table.family));
    std::vector<nft::Rule> rules;
    for (const nft::Rule& rule : chain.rules)
        if (is_marked(rule) || copies.contains(nft::meaning_of(rule, table.family)))
            rules.emplace_back(rule).owner = owner;
    return rules;
}

}  // namespace

bool fill_elements(nft::Ruleset& have, const Wanted& want, const Wanted& next) {
    for (nft::Table& table : have.tables) {
        const nft::Table* known = want.table(table.family, table.name);
        if (known == nullptr && next.table(table.family, table.name) != nullptr)
            return false;
        const ObjectNames live = live_objects(table);
        for (nft::Set& set : table.sets) {
            if (known == nullptr || !is_ours(table, set))
                continue;
            const nft::Set* same = known->set(plain_name(set.name));
            if (same == nullptr || !live.contains(set.name))
                return false;
            set.elements = same->elements;
            for (nft::Element& element : set.elements)
                element.counters = set.counter ? std::optional(nft::Counters{}) : std::nullopt;
        }
    }
    return true;
}

Transactions transactions(const nft::Ruleset& have, const Wanted& want, Room room, Manner manner, bool deletes_last) {
    Transactions result;
    result.other_names = names_in_use(have, want);
    Wanted copy;
    nft::Batch whole = diff(have, named(want, result.other_names, copy), manner, &result.obstacles);
    if (fits(whole, room) && !deletes_last) {
        if (!whole.empty())
            result.batches.push_back(std::move(whole));
        return result;
    }
    result.other_names = switched(have, want, std::move(result.other_names));
    result.obstacles.clear();
    const Wanted& renamed = named(want, result.other_names, copy);
    result.batches = in_pieces(have, renamed, diff(have, renamed, manner, &result.obstacles), room, deletes_last);
    return result;
}

Transactions take_back(const nft::Ruleset& have, const nft::Ruleset& before, std::string_view name, Room room) {
    Wanted want;
    want.name = name;
    for (const nft::Table& table : before.tables)
        if (is_ours(table, name)) {
            nft::Table& back = want.tables.emplace_back(table);
            std::erase_if(back.sets, [&](const nft::Set& set) { return set.anonymous || !is_ours(table, set); });
            std::erase_if(back.chains, [&](const nft::Chain& chain) { return !is_ours(table, chain); });
        } else {
            for (const nft::Chain& chain : table.chains)
                if (auto rules = attached_rules(before, name, table, chain); !rules.empty())
                    want.attached.push_back({table.family, table.name, chain.name, std::move(rules)});
        }
    Transactions result;
    result.batches = in_pieces(have, want, diff(have, want, {.force = true}), room, false);
    return result;
}

}  // namespace nftlink::firewall
