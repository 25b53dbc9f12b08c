#include "nftlink/firewall/diff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "diff_attached.hpp"
#include "diff_table.hpp"
#include "names.hpp"
#include "nftlink/firewall/ownership.hpp"
#include "nftlink/nft/meaning.hpp"
#include "nftlink/nft/text.hpp"

namespace nftlink::firewall {

namespace {

using nft::Chain;
using nft::Rule;
using nft::Table;

// Without the copies for chains that aren't there: what somebody will put into them is no copy of ours.
Wanted attachable(const nft::Ruleset& have, Wanted want) {
    for (const Attachment& attachment : want.attached) {
        if (attachment.find(have) != nullptr)
            continue;
        const std::string name = copies_chain(attachment.table, attachment.chain);
        for (Table& table : want.tables)
            if (table.family == attachment.family)
                std::erase_if(table.chains, [&](const Chain& chain) { return chain.name == name; });
    }
    return want;
}

const Attachment* find_attachment(const Wanted& want, const Table& table, const Chain& chain) {
    const auto found = std::ranges::find_if(want.attached, [&](const Attachment& attachment) {
        return attachment.family == table.family && attachment.table == table.name && attachment.chain == chain.name;
    });
    return found == want.attached.end() ? nullptr : &*found;
}

// The change of a whole ruleset.
class RulesetDiff {
public:
    RulesetDiff(const nft::Ruleset& have, const Wanted& want, Manner manner)
        : have_(have), want_(want), manner_(manner), waits_(!idle_chains(have, want).empty()) {
        for (const Table& table : have.tables)
            ours_.push_back(is_ours(table, want.name));
    }

    nft::Batch make(std::vector<Obstacle>* obstacles) {
        change_attached(obstacles);
        nft::Batch batch;
        for (const Table& table : want_.tables)
            diff_table(have_.table(table.family, table.name), replaced_table(), table, manner_, kept_[table.family],
                       batch);
        std::ranges::move(attached_, std::back_inserter(batch));
        for (std::size_t index = 0; index < have_.tables.size(); ++index)
            if (const Table& table = have_.tables[index]; ours_[index] && is_to_go(table))
                batch.push_back({table.family, table.name, nft::DeleteTable{}});
        return batch;
    }

private:
    // The first of ours that goes.
    const Table* replaced_table() {
        for (std::size_t index = 0; index < have_.tables.size(); ++index)
            if (const Table& table = have_.tables[index]; ours_[index] && is_to_go(table))
                return &table;
        return nullptr;
    }

    bool is_to_go(const Table& table) {
        const bool has_kept = std::ranges::any_of(
            table.chains, [&](const Chain& chain) { return kept_[table.family].contains(chain.name); });
        return want_.table(table.family, table.name) == nullptr && !has_kept &&
               (manner_.force || strangers(table).empty());
    }

    void change_attached(std::vector<Obstacle>* obstacles) {
        for (std::size_t index = 0; index < have_.tables.size(); ++index)
            if (const Table& table = have_.tables[index]; !ours_[index])
                for (const Chain& chain : table.chains)
                    change_chain(table, chain, obstacles);
    }

    void change_chain(const Table& table, const Chain& chain, std::vector<Obstacle>* obstacles) {
        const Copies copies = copies_of(table, chain);
        const Attachment* attachment = find_attachment(want_, table, chain);
        std::vector<Rule> wanted = attachment == nullptr ? std::vector<Rule>{} : attachment->rules;
        if (attachment == nullptr && waits_) {
            if (!copies.were_attached)
                return;
            kept_[table.family].insert(copies_chain(table.name, chain.name));
            wanted = still_wanted(copies.rules, table.family);
        }
        const auto obstacle = diff_attached(table, chain, copies, wanted, manner_.moves, attached_);
        if (obstacle && attachment != nullptr && obstacles != nullptr)
            obstacles->push_back(
                {fmt::format("{} {} {}", nft::to_string(table.family), table.name, chain.name), *obstacle});
    }

    // The copies of what was attached to the chain. Where there are none (a restored chain after a reboot), what is
    // wanted there, if links are among it: Docker's base rules alone may be Docker's.
    Copies copies_of(const Table& table, const Chain& chain) const {
        const std::string name = copies_chain(table.name, chain.name);
        for (std::size_t index = 0; index < have_.tables.size(); ++index)
            if (const Table& own = have_.tables[index]; ours_[index] && own.family == table.family)
                if (const Chain* found = own.chain(name))
                    return {found->rules, true};
        for (const Table& own : want_.tables)
            if (own.family == table.family)
                if (const Chain* found = own.chain(name);
                    found != nullptr && std::ranges::any_of(found->rules, names_a_link))
                    return {found->rules, false};
        return {};
    }

    // Without the links that have ended since; where nothing of that family is wanted any more, that can't be told.
    std::vector<Rule> still_wanted(const std::vector<Rule>& copies, nft::Family family) const {
        std::set<nft::Meaning> wanted;
        for (const Attachment& attachment : want_.attached)
            if (attachment.family == family)
                for (const Rule& rule : attachment.rules)
                    wanted.insert(nft::meaning_of(rule, family));
        std::vector<Rule> rules;
        for (Rule copy : copies) {
            if (names_a_link(copy) && !wanted.empty() && !wanted.contains(nft::meaning_of(copy, family)))
                continue;
            copy.comment.clear();
            copy.owner = owner;
            rules.push_back(std::move(copy));
        }
        return rules;
    }

    const nft::Ruleset& have_;
    const Wanted& want_;
    Manner manner_;
    bool waits_;
    std::vector<bool> ours_;                             // of have's tables
    std::map<nft::Family, std::set<std::string>> kept_;  // chains of copies
    nft::Batch attached_;
};

// True if packets that are forwarded come to that chain. A verdict map may lead anywhere.
bool meets_forwarded(const Table& table, const Chain& wanted) {
    constexpr std::uint32_t forward_hook = 2;  // NF_INET_FORWARD
    if (table.dormant)
        return false;
    std::set<std::string, std::less<>> seen;
    std::vector<const Chain*> open;
    for (const Chain& chain : table.chains)
        if (chain.hook && chain.hook->number == forward_hook && chain.hook->type == "filter" &&
            seen.insert(chain.name).second)
            open.push_back(&chain);
    while (!open.empty()) {
        const Chain& chain = *open.back();
        open.pop_back();
        for (const Rule& rule : chain.rules)
            for (const nft::Expression& expression : rule.expressions) {
                if (const auto* unknown = std::get_if<nft::Unknown>(&expression); unknown && unknown->name == "lookup")
                    return true;
                const auto* verdict = std::get_if<nft::Verdict>(&expression);
                if (verdict == nullptr || verdict->chain.empty() || !seen.insert(verdict->chain).second)
                    continue;
                if (const Chain* next = table.chain(verdict->chain))
                    open.push_back(next);
            }
    }
    return seen.contains(wanted.name);
}

}  // namespace

std::vector<IdleChain> idle_chains(const nft::Ruleset& have, const Wanted& want) {
    std::vector<IdleChain> idle;
    for (const Attachment& attachment : want.attached) {
        const Chain* chain = attachment.find(have);
        if (chain == nullptr || !meets_forwarded(*have.table(attachment.family, attachment.table), *chain))
            idle.push_back({&attachment, chain != nullptr});
    }
    return idle;
}

nft::Batch diff(const nft::Ruleset& have, const Wanted& want, Manner manner, std::vector<Obstacle>* obstacles) {
    if (want.attached.empty())
        return RulesetDiff(have, want, manner).make(obstacles);
    const Wanted possible = attachable(have, want);
    return RulesetDiff(have, possible, manner).make(obstacles);
}

nft::Batch frame(const Wanted& want, const std::vector<const Table*>& there) {
    Wanted bare;
    for (const Table& table : want.tables) {
        if (std::ranges::find(there, &table) != there.end())
            continue;
        Table& copy = bare.tables.emplace_back(
            Table{table.family, table.name, table.comment, table.unknown, table.chains, {}, 0, table.owner});
        for (const nft::Set& set : table.sets)
            copy.sets.push_back(is_sized(set) ? without_elements(set) : set);
        for (Chain& chain : copy.chains)
            if (chain.name == links_chain)
                chain.rules.clear();
    }
    return diff({}, bare);
}

}  // namespace nftlink::firewall
