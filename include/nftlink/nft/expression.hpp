// The instructions of a rule, as the kernel's nf_tables machine runs them.
//
// Keys, registers and operators are the numbers of <linux/netfilter/nf_tables.h>; values are in network byte order
// unless they are said to be in the host's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "nftlink/netlink/attribute.hpp"

namespace nftlink::nft {

using netlink::Bytes;

struct Counters {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;

    bool operator==(const Counters&) const = default;
};

// meta KEY → register
struct MetaLoad {
    std::uint32_t key = 0;
    std::uint32_t destination = 0;
    bool operator==(const MetaLoad&) const = default;
};

// register → meta KEY
struct MetaSet {
    std::uint32_t key = 0;
    std::uint32_t source = 0;
    bool operator==(const MetaSet&) const = default;
};

// bytes of the packet → register
struct PayloadLoad {
    std::uint32_t base = 0;
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
    std::uint32_t destination = 0;
    bool operator==(const PayloadLoad&) const = default;
};

// ct KEY → register; of some keys in one direction (IP_CT_DIR_REPLY …)
struct ConntrackLoad {
    std::uint32_t key = 0;
    std::uint32_t destination = 0;
    std::optional<std::uint8_t> direction = {};
    bool operator==(const ConntrackLoad&) const = default;
};

// goes on only if the register compares so with the value
struct Compare {
    std::uint32_t source = 0;
    std::uint32_t operation = 0;
    Bytes value;
    bool operator==(const Compare&) const = default;
};

// destination = (source & mask) ^ flip
struct Bitwise {
    std::uint32_t source = 0;
    std::uint32_t destination = 0;
    Bytes mask;
    Bytes flip;
    bool operator==(const Bitwise&) const = default;
};

// goes on only if the registers are (or, inverted, aren't) an element of the set
struct SetLookup {
    std::string set;
    std::uint32_t source = 0;
    bool inverted = false;
    bool operator==(const SetLookup&) const = default;
};

// value → register
struct Immediate {
    std::uint32_t destination = 0;
    Bytes value;
    bool operator==(const Immediate&) const = default;
};

// Ends the rule: the code is NF_ACCEPT, NF_DROP or an nft_verdicts value.
struct Verdict {
    std::int32_t code = 0;
    std::string chain;  // of a jump or goto
    bool operator==(const Verdict&) const = default;
};

struct Counter {
    Counters counters;  // no part of a rule's identity: see same_rule
    bool operator==(const Counter&) const = default;
};

// goes on at most so often (packets per time unit)
struct RateLimit {
    std::uint64_t rate = 0;
    std::uint64_t unit_seconds = 1;
    std::uint32_t burst = 5;
    bool operator==(const RateLimit&) const = default;
};

struct Log {
    std::string prefix;
    bool operator==(const Log&) const = default;
};

// An extension of the old xtables kind, as iptables-nft writes it: goes on only if it matches. The info is the
// extension's own structure, in the host's layout.
struct XtMatch {
    std::string name;
    std::uint32_t revision = 0;
    Bytes info;
    bool operator==(const XtMatch&) const = default;
};

// The same for a target: LOG, MARK.
struct XtTarget {
    std::string name;
    std::uint32_t revision = 0;
    Bytes info;
    bool operator==(const XtTarget&) const = default;
};

// Anything else that a dump holds: never lost, so that two different rules never compare equal.
struct Unknown {
    std::string name;
    Bytes raw;  // the expression's attributes as dumped
    bool operator==(const Unknown&) const = default;
};

using Expression = std::variant<MetaLoad, MetaSet, PayloadLoad, ConntrackLoad, Compare, Bitwise, SetLookup, Immediate,
                                Verdict, Counter, RateLimit, Log, XtMatch, XtTarget, Unknown>;

}  // namespace nftlink::nft
