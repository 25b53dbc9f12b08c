#include "change_over.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include "diff_rules.hpp"
#include "names.hpp"

namespace nftlink::firewall {

namespace {

constexpr std::size_t name_size = 16;  // of a bridge's name in a key

// By that name, or after it the second of the two that 0.1 had.
template <typename T>
const T* find_old(const nft::Table& have, const T* (nft::Table::*find)(std::string_view) const,
                  const std::string& name) {
    const T* found = (have.*find)(name);
    return found != nullptr ? found : (have.*find)(name + std::string(old_second_slot));
}

// The bridge of a rule that begins with `iifname X oifname X` or `meta ibrname X`; the rest of the rule.
std::optional<std::string> take_bridge(nft::Rule& rule, nft::Family family) {
    const std::size_t count = family == nft::Family::bridge ? 2 : 4;  // load and compare each
    if (rule.expressions.size() < count)
        return {};
    const auto* compare = std::get_if<nft::Compare>(&rule.expressions[1]);
    if (compare == nullptr)
        return {};
    std::string bridge(compare->value.begin(), std::ranges::find(compare->value, 0));
    rule.expressions.erase(rule.expressions.begin(), rule.expressions.begin() + static_cast<std::ptrdiff_t>(count));
    return bridge;
}

}  // namespace

void carry_old_counts(const nft::Table& have, const nft::Set& set, std::vector<nft::Element>& elements) {
    const nft::Set* old = nullptr;
    std::span<const std::uint8_t> bridge;
    std::vector<nft::Element>::const_iterator place;
    for (nft::Element& element : elements) {
        const auto name = element.key.bytes().first(name_size);
        if (!std::ranges::equal(name, bridge)) {
            bridge = name;
            old = find_old(have, &nft::Table::set,
                           std::string(plain_name(set.name)) + "-" +
                               old_escaped(std::string(name.begin(), std::ranges::find(name, 0))));
            if (old != nullptr)
                place = old->elements.begin();
        }
        if (old == nullptr)
            continue;
        const auto rest = element.key.bytes().subspan(name_size);
        const auto is_before = [&](const nft::Element& other) {
            return std::ranges::lexicographical_compare(other.key.bytes(), rest);
        };
        while (place != old->elements.end() && is_before(*place))
            ++place;
        if (place != old->elements.end() && std::ranges::equal(place->key.bytes(), rest))
            element.counters = place->counters;
    }
}

void carry_old_counts(const nft::Table& have, std::vector<nft::Rule>& rules) {
    std::map<std::string, RulePool> pools;
    std::map<std::string, const nft::Chain*> chains;
    for (nft::Rule& rule : rules) {
        nft::Rule rest = rule;
        nft::Counters* counters = nft::counters(rule);
        const auto bridge = counters == nullptr ? std::nullopt : take_bridge(rest, have.family);
        if (!bridge)
            continue;
        const auto [place, is_new] = chains.try_emplace(*bridge);
        if (is_new)
            place->second = find_old(have, &nft::Table::chain, std::string(old_chain_prefix) + old_escaped(*bridge));
        if (place->second == nullptr)
            continue;
        RulePool& pool =
            pools.try_emplace(*bridge, place->second->rules, [](const nft::Rule&) { return true; }).first->second;
        if (const auto index = pool.take(rest))
            if (const nft::Counters* old = nft::counters(place->second->rules[*index]))
                *counters = *old;
    }
}

}  // namespace nftlink::firewall
