// Objects as nftlink makes them, for tests.
#pragma once

#include <array>
#include <string>

#include "nftlink/nft/build.hpp"

namespace nftlink::nft {

inline constexpr std::array<std::uint8_t, 4> parent{172, 17, 0, 3}, child{172, 17, 0, 2};
inline constexpr std::array<std::uint8_t, 16> parent6{0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3};
inline constexpr std::array<std::uint8_t, 16> child6{0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};

inline Key link_key(std::span<const std::uint8_t> from, std::span<const std::uint8_t> to, std::uint8_t protocol,
                    std::uint16_t port) {
    Key key;
    key.append(from);
    key.append(to);
    key.append(std::array{protocol});
    key.append(std::array{static_cast<std::uint8_t>(port >> 8), static_cast<std::uint8_t>(port)});
    return key;
}

inline Element element(std::uint16_t port, std::string comment = {}, std::optional<Counters> counters = {}) {
    return {link_key(parent, child, 6, port), std::move(comment), counters, {}};
}

inline Set links_set(std::vector<Element> elements = {}) {
    Set set;
    set.name = "links4";
    set.key = link_key(Family::ip);
    set.size = 192;
    set.counter = true;
    set.comment = "nftlink: links";
    set.elements = std::move(elements);
    return set;
}

inline Chain base_chain() {
    Chain chain;
    chain.name = "forward";
    chain.comment = "nftlink: base";
    chain.hook = Hook{"filter", 2, 0, 1};
    return chain;
}

// What the frame looks up: of a packet to a child's port, of the answer, of an ICMP error about either.
inline constexpr std::initializer_list<Field> link_fields{Field::iifname, Field::source, Field::destination,
                                                          Field::protocol, Field::destination_port};
inline constexpr std::initializer_list<Field> reply_fields{Field::iifname, Field::source, Field::destination,
                                                           Field::protocol, Field::source_port};
inline constexpr std::initializer_list<Field> error_fields{Field::iifname, Field::source, Field::destination,
                                                           Field::connection_protocol, Field::reply_source_port};

inline RuleBuilder rule(Family family = Family::inet) {
    return RuleBuilder(family);
}

inline Ruleset small_ruleset() {
    Table table;
    table.name = "nftlink";
    table.comment = "nftlink: mine";
    table.sets.push_back(links_set({element(6379, "/web/db"), element(6380)}));
    table.chains.push_back(base_chain());
    table.chains.back().rules.push_back(
        rule()
            .in_set({Field::source, Field::destination, Field::protocol, Field::destination_port}, "links4")
            .accept()
            .build());
    return {{table}, 0};
}

}  // namespace nftlink::nft
