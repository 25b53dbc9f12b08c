// A change that one transaction cannot hold.
//
// What no packet meets (a table without its base chain, sets that no rule looks up, chains that no rule jumps to) can
// be filled in transactions of its own; the last one then switches to it. A table in use has two slots for this: its
// chains and sets carry the plain name or the name with `/b` after it (which no bridge's escaped name ends with). The
// change is built in the other slot; which one is in use is seen from where the base chain jumps to.
#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "nftlink/firewall/firewall.hpp"
#include "nftlink/nft/encode.hpp"
#include "slots.hpp"

namespace nftlink::firewall {

namespace {

void move_to_second_slot(nft::Table& table) {
    for (nft::Set& set : table.sets)
        set.name += second_slot;
    for (nft::Chain& chain : table.chains) {
        if (!is_base(chain))
            chain.name += second_slot;
        for_each_reference(chain, [](std::string& name) { name += second_slot; });
    }
}

enum class Slot { in_use, other };

// Whether the wanted objects of a table get the second slot's names: of one that packets meet already, those of the
// slot that is asked for.
bool takes_second_slot(const nft::Table* have, Slot slot) {
    return have != nullptr && uses_second_slot(*have) != (slot == Slot::other && is_live(*have));
}

std::vector<bool> second_slots(const nft::Ruleset& have, const Wanted& want, Slot slot) {
    std::vector<bool> slots;
    for (const nft::Table& table : want.tables)
        slots.push_back(takes_second_slot(have.table(table.family, table.name), slot));
    return slots;
}

// The change to the wanted ruleset in those slots.
nft::Batch diff_in(const nft::Ruleset& have, const Wanted& want, const std::vector<bool>& in_second_slot, Manner manner,
                   std::vector<Obstacle>* obstacles = nullptr) {
    if (std::ranges::none_of(in_second_slot, std::identity()))
        return diff(have, want, manner, obstacles);
    Wanted moved = want;
    for (std::size_t index = 0; index < moved.tables.size(); ++index)
        if (in_second_slot[index])
            move_to_second_slot(moved.tables[index]);
    return diff(have, moved, manner, obstacles);
}

// A table that must be made anew goes and comes in one transaction, or its rules would be missing in between.
bool replaces_table(const nft::Batch& batch, const Wanted& want) {
    return std::ranges::any_of(batch, [&](const nft::Operation& operation) {
        return std::holds_alternative<nft::DeleteTable>(operation.action) &&
               want.table(operation.family, operation.table) != nullptr;
    });
}

// The chains and sets of a table that packets meet: base chains and what they lead to.
std::set<std::string> live_objects(const nft::Table* table) {
    std::set<std::string> live;
    std::vector<const nft::Chain*> open;
    const auto follow = [&](const std::string& name) {
        if (!live.insert(name).second || table->chain(name) == nullptr)
            return;
        open.push_back(table->chain(name));
    };
    if (table != nullptr)
        for (const nft::Chain& chain : table->chains)
            if (is_base(chain))
                follow(chain.name);
    while (!open.empty()) {
        const nft::Chain& chain = *open.back();
        open.pop_back();
        for_each_reference(chain, follow);
    }
    return live;
}

// Whether an operation touches nothing that packets meet, before or after it.
class IsPreparation {
public:
    explicit IsPreparation(const nft::Table* have) : live_(live_objects(have)) {}

    bool operator()(const nft::AddTable&) const { return true; }
    bool operator()(const nft::DeleteTable&) const { return false; }
    bool operator()(const nft::AddChain& action) {
        return is_base(action.chain) ? arm(action.chain.name) : idle(action.chain.name);
    }
    bool operator()(const nft::AddSet& action) const { return idle(action.set.name); }
    bool operator()(const nft::DeleteSet& action) const { return idle(action.set); }
    bool operator()(const nft::AddElements& action) const { return idle(action.set); }
    bool operator()(const nft::DeleteElements& action) const { return idle(action.set); }
    bool operator()(const auto& action) const { return idle(action.chain); }  // a chain's deletion, its rules

private:
    bool idle(const std::string& name) const { return !live_.contains(name); }
    // From here on the chain's rules are live.
    bool arm(const std::string& chain) {
        live_.insert(chain);
        return false;
    }

    std::set<std::string> live_;
};

// An operation with many elements as several, each at most that large.
std::vector<nft::Operation> in_pieces(const nft::Operation& operation, std::size_t limit_bytes) {
    const auto* add = std::get_if<nft::AddElements>(&operation.action);
    if (add == nullptr || nft::encoded_size(operation) <= limit_bytes)
        return {operation};
    const std::size_t count = nft::encoded_size(operation) / (limit_bytes / 2) + 1;
    const std::size_t piece_size = add->elements.size() / count + 1;
    std::vector<nft::Operation> pieces;
    for (auto first = add->elements.begin(); first != add->elements.end();) {
        const auto last =
            first + std::min<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(piece_size), add->elements.end() - first);
        pieces.push_back({operation.family, operation.table, nft::AddElements{add->set, add->key, {first, last}}});
        first = last;
    }
    return pieces;
}

std::size_t size_of(const nft::Batch& batch) {
    std::size_t size = 0;
    for (const nft::Operation& operation : batch)
        size += nft::encoded_size(operation);
    return size;
}

std::vector<nft::Batch> split(const nft::Ruleset& have, const nft::Batch& batch, std::size_t limit_bytes) {
    std::vector<nft::Batch> parts(1);
    nft::Batch last;
    std::size_t used = 0;
    std::map<std::pair<nft::Family, std::string>, IsPreparation> tables;
    for (const nft::Operation& operation : batch) {
        const std::pair table{operation.family, operation.table};
        auto& is_preparation = tables.try_emplace(table, have.table(table.first, table.second)).first->second;
        if (!std::visit(is_preparation, operation.action)) {
            last.push_back(operation);
            continue;
        }
        for (nft::Operation& piece : in_pieces(operation, limit_bytes)) {
            const std::size_t size = nft::encoded_size(piece);
            if (used + size > limit_bytes && !parts.back().empty()) {
                parts.emplace_back();
                used = 0;
            }
            used += size;
            parts.back().push_back(std::move(piece));
        }
    }
    parts.push_back(std::move(last));
    std::erase_if(parts, [](const nft::Batch& part) { return part.empty(); });
    return parts;
}

}  // namespace

bool fill_elements(nft::Ruleset& have, const Wanted& want, const std::vector<bool>& in_second_slot,
                   const Wanted& next) {
    for (nft::Table& table : have.tables) {
        const nft::Table* known = want.table(table.family, table.name);
        if (known == nullptr && next.table(table.family, table.name) != nullptr)
            return false;
        for (nft::Set& set : table.sets) {
            if (known == nullptr || !is_ours(set))
                continue;
            const bool second = in_second_slot.at(static_cast<std::size_t>(known - want.tables.data()));
            const nft::Set* same = known->set(second ? other_slot(set.name) : set.name);
            if (same == nullptr)
                return false;
            set.elements = same->elements;
            for (nft::Element& element : set.elements)
                element.counters = set.counter ? std::optional(nft::Counters{}) : std::nullopt;
        }
    }
    return true;
}

Transactions transactions(const nft::Ruleset& have, const Wanted& want, std::size_t limit_bytes, bool always_split,
                          Manner manner) {
    Transactions result{{}, second_slots(have, want, Slot::in_use)};
    nft::Batch whole = diff_in(have, want, result.in_second_slot, manner, &result.obstacles);
    if (whole.empty())
        return result;
    bool fits = size_of(whole) <= limit_bytes && !always_split;
    // A table that is replaced for speed alone need not be.
    if (!fits && replaces_table(whole, want)) {
        manner.replaces = false;
        whole = diff_in(have, want, result.in_second_slot, manner);
        fits = (size_of(whole) <= limit_bytes && !always_split) || replaces_table(whole, want);
    }
    if (fits) {
        result.batches.push_back(std::move(whole));
        return result;
    }
    manner.replaces = false;
    result.in_second_slot = second_slots(have, want, Slot::other);
    result.batches = split(have, diff_in(have, want, result.in_second_slot, manner), limit_bytes);
    return result;
}

}  // namespace nftlink::firewall
