#include "same_reading.hpp"

#include <algorithm>

namespace nftlink::kernel {

namespace {

bool same_element(const nft::Element& a, const nft::Element& b) {
    return a.key == b.key && a.comment == b.comment && a.unknown == b.unknown &&
           a.counters.has_value() == b.counters.has_value();
}

bool same_set(const nft::Set& a, const nft::Set& b) {
    return a.name == b.name && a.key == b.key && a.size == b.size && a.counter == b.counter &&
           a.anonymous == b.anonymous && a.comment == b.comment && a.owner == b.owner && a.unknown == b.unknown &&
           std::ranges::equal(a.elements, b.elements, same_element);
}

bool same_rule(const nft::Rule& a, const nft::Rule& b) {
    return a.handle == b.handle && a.comment == b.comment && a.owner == b.owner && nft::same_rule(a, b);
}

bool same_chain(const nft::Chain& a, const nft::Chain& b) {
    return a.name == b.name && a.hook == b.hook && a.comment == b.comment && a.owner == b.owner &&
           a.unknown == b.unknown && std::ranges::equal(a.rules, b.rules, same_rule);
}

bool same_table(const nft::Table& a, const nft::Table& b) {
    return a.family == b.family && a.name == b.name && a.comment == b.comment && a.owner == b.owner &&
           a.unknown == b.unknown && a.other_object_count == b.other_object_count &&
           std::ranges::equal(a.chains, b.chains, same_chain) && std::ranges::equal(a.sets, b.sets, same_set);
}

}  // namespace

bool same_reading(const nft::Ruleset& a, const nft::Ruleset& b) {
    return std::ranges::equal(a.tables, b.tables, same_table);
}

}  // namespace nftlink::kernel
