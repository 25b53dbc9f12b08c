#include "nftlink/nft/ruleset.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace nftlink::nft {

namespace {

// An expression's counts are state, not meaning.
bool same_expression(const Expression& a, const Expression& b) {
    return a.index() == b.index() && (std::holds_alternative<Counter>(a) || a == b);
}

template <typename T>
const T* find_by_name(const std::vector<T>& objects, std::string_view name) {
    const auto found = std::ranges::find(objects, name, &T::name);
    return found == objects.end() ? nullptr : &*found;
}

}  // namespace

std::string_view to_string(Family family) {
    switch (family) {
        case Family::unspecified:
            break;
        case Family::inet:
            return "inet";
        case Family::ip:
            return "ip";
        case Family::arp:
            return "arp";
        case Family::netdev:
            return "netdev";
        case Family::bridge:
            return "bridge";
        case Family::ip6:
            return "ip6";
    }
    return "unspec";
}

bool same_rule(const Rule& a, const Rule& b) {
    return a.unknown == b.unknown && std::ranges::equal(a.expressions, b.expressions, same_expression);
}

const Counters* counters(const Rule& rule) {
    for (const Expression& expression : rule.expressions)
        if (const auto* counter = std::get_if<Counter>(&expression))
            return &counter->counters;
    return nullptr;
}

Counters* counters(Rule& rule) {
    return const_cast<Counters*>(counters(std::as_const(rule)));
}

std::size_t field_size(DataType type) {
    return type == DataType::ipv6_addr || type == DataType::ifname ? 16 : 4;
}

void Key::append(std::span<const std::uint8_t> field) {
    const std::size_t padded = (field.size() + 3) & ~std::size_t{3};
    assert(size_ + padded <= max_size);
    std::ranges::copy(field, bytes_.begin() + size_);
    size_ = static_cast<std::uint8_t>(size_ + padded);
}

std::strong_ordering Key::operator<=>(const Key& other) const {
    const int order = std::memcmp(bytes_.data(), other.bytes_.data(), std::min(size_, other.size_));
    return order != 0 ? order <=> 0 : size_ <=> other.size_;
}

const Chain* Table::chain(std::string_view wanted) const {
    return find_by_name(chains, wanted);
}
const Set* Table::set(std::string_view wanted) const {
    return find_by_name(sets, wanted);
}

const Table* Ruleset::table(Family family, std::string_view name) const {
    const auto found =
        std::ranges::find_if(tables, [&](const Table& table) { return table.family == family && table.name == name; });
    return found == tables.end() ? nullptr : &*found;
}

}  // namespace nftlink::nft
