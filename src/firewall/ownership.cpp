// What is ours.
#include <algorithm>

#include "names.hpp"
#include "nftlink/firewall/firewall.hpp"

namespace nftlink::firewall {

bool is_ours(const nft::Table& table) {
    const auto has_tag = [](const auto& object) { return object.comment.starts_with(tag); };
    const auto is_tagged_jump = [&](const nft::Rule& rule) {
        const auto* verdict = rule.expressions.empty() ? nullptr : std::get_if<nft::Verdict>(&rule.expressions.back());
        return has_tag(rule) && verdict != nullptr && table.chain(verdict->chain) != nullptr;
    };
    const auto has_tagged_jump = [&](const nft::Chain& chain) {
        return std::ranges::any_of(chain.rules, is_tagged_jump);
    };
    return has_tag(table) || std::ranges::any_of(table.chains, has_tag) || std::ranges::any_of(table.sets, has_tag) ||
           std::ranges::any_of(table.chains, has_tagged_jump);
}

bool is_relevant(const nft::Table& table, const nft::Ruleset& listing, const Wanted& want) {
    const auto attaches = [&](const Attachment& attachment) {
        return attachment.family == table.family && attachment.table == table.name;
    };
    const auto has_copies = [&](const nft::Table& own) {
        return own.family == table.family && is_ours(own) &&
               std::ranges::any_of(own.chains, [&](const nft::Chain& chain) {
                   return chain.name.starts_with(copies_chain(table.name, ""));
               });
    };
    return is_ours(table) || want.table(table.family, table.name) != nullptr ||
           std::ranges::any_of(want.attached, attaches) || std::ranges::any_of(listing.tables, has_copies);
}

}  // namespace nftlink::firewall
