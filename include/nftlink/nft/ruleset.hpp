// nf_tables' objects as plain values.
//
// `unknown` holds, as dumped, every attribute that we don't know: two objects that differ there are different. What the
// kernel alone decides (handles, use counts) is no part of an object's identity and isn't compared by the same_…
// functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nftlink/nft/expression.hpp"

namespace nftlink::nft {

// The values are the NFPROTO_ numbers.
enum class Family : std::uint8_t { unspecified = 0, inet = 1, ip = 2, arp = 3, netdev = 5, bridge = 7, ip6 = 10 };

// nft's word: `inet`, `ip`, …
std::string_view to_string(Family family);

// The number that nft calls `priority filter` there: NF_IP_PRI_FILTER, NF_BR_PRI_FILTER_BRIDGED.
constexpr std::int32_t filter_priority(Family family) {
    return family == Family::bridge ? -200 : 0;
}

// At most so many characters fit a comment (nft's own limit).
inline constexpr std::size_t max_comment_length = 128;

// `owner` says whose a rule, chain, set or table is, in userdata that neither nft nor iptables shows or writes: nobody
// types it, and it is lost when another program saves and loads the object. Like a comment it is no part of what the
// object is.
struct Rule {
    std::vector<Expression> expressions;
    std::string comment;
    std::string owner;
    Bytes unknown;
    std::uint64_t handle = 0;  // 0: not in the kernel
};

// Same instructions in the same order, whatever the counters, comment, owner and handle.
bool same_rule(const Rule& a, const Rule& b);
// The rule's counter; null when it has none.
const Counters* counters(const Rule& rule);
Counters* counters(Rule& rule);

// The properties that make a chain a base chain.
struct Hook {
    std::string type;          // `filter`
    std::uint32_t number = 0;  // NF_INET_FORWARD …
    std::int32_t priority = 0;
    std::uint32_t policy = 1;  // NF_ACCEPT or NF_DROP

    bool operator==(const Hook&) const = default;
};

struct Chain {
    std::string name;
    std::optional<Hook> hook;
    std::string comment;
    Bytes unknown;
    std::vector<Rule> rules;
    std::string owner = {};
};

// nft's data types, by the numbers that it writes into a set's key type.
enum class DataType : std::uint8_t { ipv4_addr = 7, ipv6_addr = 8, inet_proto = 12, inet_service = 13, ifname = 41 };

// The bytes of a field in a key, padding included.
std::size_t field_size(DataType type);

// The bytes of one element's key: the fields of the concatenation in network order, each padded to 4 bytes.
class Key {
public:
    static constexpr std::size_t max_size = 64;  // NFT_DATA_VALUE_MAXLEN

    Key() = default;
    // Appends a field and pads it with zeros. Must fit max_size.
    void append(std::span<const std::uint8_t> field);
    std::span<const std::uint8_t> bytes() const { return {bytes_.data(), size_}; }
    // max_size bytes: the key, and zeros after it.
    const std::uint8_t* padded_bytes() const { return bytes_.data(); }

    bool operator==(const Key& other) const {
        return size_ == other.size_ && std::memcmp(bytes_.data(), other.bytes_.data(), size_) == 0;
    }
    std::strong_ordering operator<=>(const Key& other) const;

private:
    std::array<std::uint8_t, max_size> bytes_{};
    std::uint8_t size_ = 0;
};

struct Element {
    Key key;
    std::string comment;
    std::optional<Counters> counters;
    Bytes unknown;
};

struct Set {
    std::string name;
    std::vector<DataType> key;  // the fields of the concatenation; empty when they are none that we know
    std::uint32_t size = 0;     // how many elements it can hold; 0: no limit
    bool counter = false;       // elements are counted
    bool anonymous = false;     // part of a rule: comes and goes with it
    std::string comment;
    Bytes unknown;                  // flags, key type and length of a set that isn't one of ours included
    std::vector<Element> elements;  // sorted by key, each once
    std::string owner = {};
};

struct Table {
    Family family = Family::inet;
    std::string name;
    std::string comment;
    Bytes unknown;  // table flags included
    std::vector<Chain> chains;
    std::vector<Set> sets;
    std::uint32_t other_object_count = 0;  // flowtables, stateful objects: the kernel counts them, we don't read them
    std::string owner = {};
    bool dormant = false;  // no packet meets any of its chains; `unknown` has that flag too

    const Chain* chain(std::string_view name) const;
    const Set* set(std::string_view name) const;
};

struct Ruleset {
    std::vector<Table> tables;
    std::uint32_t generation = 0;  // of the kernel's ruleset when this was read

    const Table* table(Family family, std::string_view name) const;
};

}  // namespace nftlink::nft
