// A rule's meaning, whatever the order and form of its instructions: iptables, its later versions and nft write the
// same condition differently (addresses before interfaces, the protocol as a byte of the header, one load for two
// fields, an extension of xtables), and what one of them has saved and loaded is still the same rule.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nftlink/nft/ruleset.hpp"

namespace nftlink::nft {

// A byte that a rule can compare: of the packet, or of what the kernel knows of it.
struct Byte {
    enum class Of : std::uint8_t { meta, link_header, network_header, transport_header, other_header, conntrack };
    Of of = Of::meta;
    std::uint32_t key = 0;     // of meta and conntrack; of other headers the kernel's number of them
    std::uint32_t offset = 0;  // from where the header, or the value, starts

    auto operator<=>(const Byte&) const = default;
};

// Of a byte, the bits under the mask are the value's.
struct Bits {
    std::uint8_t mask = 0, value = 0;

    auto operator<=>(const Bits&) const = default;
};

// By byte, sorted, each once.
using Pattern = std::vector<std::pair<Byte, Bits>>;

enum class Decision { none, accept, drop, refuse, back, other };

struct Meaning {
    // For which packets it is: for those that fit `all` and none of `none`, in one of these states of their connection
    // (NF_CT_STATE_BITs), for which the conditions hold that can't be read here.
    Pattern all;
    std::vector<Pattern> none;  // sorted, each once
    std::uint32_t states = any_state;
    std::vector<std::string> unread;
    bool never = false;  // its conditions exclude each other

    // Its effect on them, counting aside.
    Decision decision = Decision::none;
    std::string chain;    // that it leads to
    bool returns = true;  // from there
    std::optional<std::uint32_t> mark;
    std::vector<std::string> effects;  // others, in words of our own

    static constexpr std::uint32_t any_state = 0x4f;

    auto operator<=>(const Meaning&) const = default;
};

// Of a rule in a table of that family.
Meaning meaning_of(const Rule& rule, Family family);

// For which packets both are; what they do is `a`'s.
Meaning both(Meaning a, const Meaning& b);
// No packet is for both.
bool disjoint(const Meaning& a, const Meaning& b);
// Every packet for `a` is one for `b`. Where that can't be told, false.
bool within(const Meaning& a, const Meaning& b);

}  // namespace nftlink::nft
