#include "nftlink/firewall/ownership.hpp"

// The signs of what is ours.
#include <fmt/format.h>

#include <algorithm>

#include "form.hpp"
#include "names.hpp"
#include "nftlink/base/words.hpp"

namespace nftlink::firewall {

namespace {

bool has_name(const nft::Table& table, std::string_view name) {
    return table.name == name || table.name == frames_table(name) ||
           table.name == std::string(name).append(old_routed_suffix);
}

bool has_mark(const nft::Table& table) {
    return is_marked(table) || std::ranges::any_of(table.chains, is_marked<nft::Chain>);
}

// Its rules, which a listing hasn't got, may tell otherwise.
bool may_be_ours(const nft::Table& table, std::string_view name) {
    return has_mark(table) || has_name(table, name) || may_have_form(table);
}

// A table that was written anew after another program had loaded it without our marks.
bool has_marked_parts(const nft::Table& table) {
    return std::ranges::any_of(table.sets, is_marked<nft::Set>) ||
           std::ranges::any_of(table.chains, [](const nft::Chain& chain) {
               return std::ranges::any_of(chain.rules, is_marked<nft::Rule>);
           });
}

}  // namespace

bool is_ours(const nft::Table& table, std::string_view name) {
    return has_mark(table) || ((has_name(table, name) || has_marked_parts(table)) && has_core_of_form(table));
}

bool is_frames_table(nft::Family family, std::string_view name) {
    return family == nft::Family::bridge && name.ends_with(model::frames_ending);
}

bool is_of_0_1(const nft::Table& table) {
    return std::ranges::any_of(
        table.chains, [](const nft::Chain& chain) { return !chain.hook && chain.name.starts_with(old_chain_prefix); });
}

bool is_ours(const nft::Table& table, const nft::Chain& chain) {
    // Nobody but us, who mark them, makes copies in a table with our mark.
    return is_marked(chain) || (has_form(table, chain) && !(has_mark(table) && is_copies_chain(chain.name)));
}

bool is_ours(const nft::Table& table, const nft::Set& set) {
    return is_marked(set) || has_form(table, set);
}

std::vector<std::string> strangers(const nft::Table& table) {
    std::vector<std::string> found;
    for (const nft::Chain& chain : table.chains) {
        if (!is_marked(chain) && !has_kind_of_form(table, chain)) {
            found.push_back("chain " + chain.name);
            continue;
        }
        if (!is_marked(chain) && has_form(table, chain))
            continue;
        for (const nft::Rule& rule : chain.rules)
            if (!is_marked(rule) && !has_form(table, chain, rule))
                found.push_back(fmt::format("the rule with handle {} in chain {}", rule.handle, chain.name));
    }
    for (const nft::Set& set : table.sets)
        if (!set.anonymous && !is_ours(table, set))
            found.push_back("set " + set.name);
    if (table.other_object_count != 0)
        found.push_back(base::count(table.other_object_count, "other object") + " (counters, flowtables …)");
    return found;
}

bool has_form_alone(const nft::Table& table, std::string_view name) {
    return !is_ours(table, name) && has_form(table);
}

bool is_relevant(const nft::Table& table, const nft::Ruleset& listing, const Wanted& want) {
    const auto attaches = [&](const Attachment& attachment) {
        return attachment.family == table.family && attachment.table == table.name;
    };
    const auto has_copies = [&](const nft::Table& own) {
        return own.family == table.family && may_be_ours(own, want.name) &&
               std::ranges::any_of(own.chains, [&](const nft::Chain& chain) {
                   return chain.name.starts_with(copies_chain(table.name, ""));
               });
    };
    return may_be_ours(table, want.name) || want.table(table.family, table.name) != nullptr ||
           std::ranges::any_of(want.attached, attaches) || std::ranges::any_of(listing.tables, has_copies);
}

}  // namespace nftlink::firewall
