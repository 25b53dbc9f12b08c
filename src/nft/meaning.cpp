#include "nftlink/nft/meaning.hpp"

// clang-format off
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <net/if.h>
// clang-format on
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <string_view>

#include "nftlink/nft/xt.hpp"

namespace nftlink::nft {

namespace {

constexpr std::size_t ipv4_protocol_offset = 9;

const Bits* find(const Pattern& pattern, const Byte& byte) {
    const auto found = std::ranges::lower_bound(pattern, byte, {}, &Pattern::value_type::first);
    return found != pattern.end() && found->first == byte ? &found->second : nullptr;
}

bool differ(const Bits& a, const Bits& b) {
    return ((a.value ^ b.value) & a.mask & b.mask) != 0;
}

// Sorts, and makes one of what is said of one byte; false when that contradicts itself.
bool tidy(Pattern& pattern) {
    std::ranges::stable_sort(pattern, {}, &Pattern::value_type::first);
    bool consistent = true;
    Pattern tidied;
    for (const auto& [byte, bits] : pattern) {
        if (bits.mask == 0)
            continue;
        if (tidied.empty() || tidied.back().first != byte) {
            tidied.emplace_back(byte, bits);
            continue;
        }
        Bits& known = tidied.back().second;
        consistent &= !differ(known, bits);
        known.mask |= bits.mask;
        known.value |= bits.value;
    }
    pattern = std::move(tidied);
    return consistent;
}

// Every packet that fits `narrow` fits `wide`.
bool fits(const Pattern& narrow, const Pattern& wide) {
    return std::ranges::all_of(wide, [&](const auto& wanted) {
        const Bits* given = find(narrow, wanted.first);
        return given != nullptr && (wanted.second.mask & ~given->mask) == 0 && !differ(*given, wanted.second);
    });
}

// No packet fits both.
bool contradict(const Pattern& a, const Pattern& b) {
    return std::ranges::any_of(a, [&](const auto& entry) {
        const Bits* other = find(b, entry.first);
        return other != nullptr && differ(entry.second, *other);
    });
}

// Follows a rule's instructions with a picture of the registers, byte by byte.
class Reader {
public:
    explicit Reader(Family family) : family_(family) {}

    Meaning take() {
        meaning_.never |= !tidy(meaning_.all);
        for (Pattern& pattern : meaning_.none)
            normalise(pattern);
        normalise(meaning_.all);
        meaning_.never |= !tidy(meaning_.all);
        std::ranges::sort(meaning_.none);
        const auto surplus = std::ranges::unique(meaning_.none);
        meaning_.none.erase(surplus.begin(), surplus.end());
        if (may_decide_)
            meaning_.decision = Decision::other;
        return std::move(meaning_);
    }

    void operator()(const MetaLoad& load) {
        this->load(load.destination, Byte::Of::meta, load.key, 0, size_of_meta(load.key));
    }
    void operator()(const PayloadLoad& load) {
        constexpr std::array headers{Byte::Of::link_header, Byte::Of::network_header, Byte::Of::transport_header};
        const bool known = load.base < headers.size();
        this->load(load.destination, known ? headers[load.base] : Byte::Of::other_header, known ? 0 : load.base,
                   load.offset, load.length);
    }
    void operator()(const ConntrackLoad& load) {
        constexpr std::uint32_t state_size = 4, largest = 16;
        const std::uint32_t place = load.direction ? largest * (1U + *load.direction) : 0;
        this->load(load.destination, Byte::Of::conntrack, load.key, place,
                   load.key == NFT_CT_STATE ? state_size : largest);
    }
    void operator()(const Bitwise& bitwise) {
        const auto size = static_cast<std::uint32_t>(bitwise.mask.size());
        std::map<std::uint32_t, Loaded> result;
        for (std::uint32_t at = 0; at < size; ++at)
            if (const auto source = registers_.find(byte_of(bitwise.source) + at);
                source != registers_.end() && bitwise.flip[at] == 0) {
                result[byte_of(bitwise.destination) + at] = source->second;
                result[byte_of(bitwise.destination) + at].mask &= bitwise.mask[at];
            }
        if (result.size() != size)  // nothing that can be compared here; two of these are not the same, though
            meaning_.effects.push_back(fmt::format("bitwise {} {}: & {} ^ {}", loaded_text(bitwise.source, size),
                                                   bitwise.destination, fmt::join(bitwise.mask, " "),
                                                   fmt::join(bitwise.flip, " ")));
        forget(bitwise.destination, size);
        registers_.merge(result);
    }
    void operator()(const Compare& compare) {
        const bool equal = compare.operation == NFT_CMP_EQ;
        if (!equal && compare.operation != NFT_CMP_NEQ)
            return leave_unread(compare);
        if (is_state(compare))
            return compare_states(compare, equal);
        Pattern pattern;
        bool possible = true;
        for (std::uint32_t at = 0; at < compare.value.size(); ++at) {
            const auto source = registers_.find(byte_of(compare.source) + at);
            if (source == registers_.end() || is_changed_by_rules(source->second.byte))
                return leave_unread(compare);
            possible &= (compare.value[at] & ~source->second.mask) == 0;
            pattern.emplace_back(source->second.byte, Bits{source->second.mask, compare.value[at]});
            // The NUL ends an interface's name, whether or not what is behind it is compared too.
            if (is_name(source->second.byte) && compare.value[at] == 0 && source->second.mask == 0xff)
                break;
        }
        if (possible && equal)
            require(pattern);
        else if (possible)
            exclude(std::move(pattern));
        else
            meaning_.never |= equal;
    }
    void operator()(const SetLookup& lookup) {
        constexpr std::uint32_t longest = 64;  // NFT_DATA_VALUE_MAXLEN
        leave_unread(fmt::format("lookup {} {} {}", lookup.set, loaded_text(lookup.source, longest), lookup.inverted));
    }
    void operator()(const RateLimit& limit) {
        leave_unread(fmt::format("limit {}/{} burst {}", limit.rate, limit.unit_seconds, limit.burst));
    }
    void operator()(const XtMatch& match) {
        if (xt_comment(match))
            return;
        if (const auto states = xt_states(match))
            meaning_.states &= *states;
        else if (const auto ports = xt_ports(match))
            require_ports(*ports, match);
        else if (const auto type = xt_icmp_type(match))
            require({{{Byte::Of::transport_header, 0, 0}, {0xff, *type}}});
        else
            leave_unread(text_of("match", match));
    }
    void operator()(const XtTarget& target) {
        // The kernel's targets after which a packet goes on to the next rule, with the headers that it came with.
        constexpr std::array<std::string_view, 20> go_on{
            "AUDIT", "CHECKSUM", "CLASSIFY", "CONNMARK", "CONNSECMARK", "CT",  "HMARK",  "IDLETIMER",   "LED", "LOG",
            "MARK",  "NFLOG",    "NOTRACK",  "RATEEST",  "SECMARK",     "SET", "TCPMSS", "TCPOPTSTRIP", "TEE", "TRACE"};
        // The kernel's and xtables-addons' targets that let nothing pass: they answer, or hold the sender up.
        constexpr std::array<std::string_view, 5> refusals{"REJECT", "TARPIT", "STEAL", "DELUDE", "CHAOS"};
        if (const auto prefix = xt_log_prefix(target))
            return meaning_.effects.push_back("log " + *prefix);
        if (const auto mark = xt_mark(target)) {
            meaning_.mark = *mark;
            return;
        }
        meaning_.effects.push_back(text_of("target", target));
        if (std::ranges::find(refusals, target.name) != refusals.end())
            meaning_.decision = Decision::refuse;
        else if (std::ranges::find(go_on, target.name) == go_on.end())
            meaning_.decision = Decision::other;
        else if (target.name == "MARK")
            meaning_.mark = 0;  // some bits of it, which `effects` tells
    }
    void operator()(const Verdict& verdict) {
        meaning_.chain = verdict.chain;
        meaning_.returns = verdict.code != NFT_GOTO;
        if (verdict.code == NF_ACCEPT)
            meaning_.decision = Decision::accept;
        else if (verdict.code == NF_DROP)
            meaning_.decision = Decision::drop;
        else if (verdict.code == NFT_RETURN)
            meaning_.decision = Decision::back;
        else if (verdict.code != NFT_CONTINUE && verdict.chain.empty())
            meaning_.decision = Decision::other;
    }
    void operator()(const Immediate& immediate) {
        forget(immediate.destination, static_cast<std::uint32_t>(immediate.value.size()));
        constants_[byte_of(immediate.destination)] = immediate.value;
    }
    void operator()(const MetaSet& meta) {
        const auto value = constants_.find(byte_of(meta.source));
        std::uint32_t number = 0;
        if (meta.key == NFT_META_MARK && value != constants_.end() && value->second.size() == sizeof number) {
            std::memcpy(&number, value->second.data(), sizeof number);
            meaning_.mark = number;
            return;
        }
        constexpr std::uint32_t longest = 16;
        meaning_.effects.push_back(
            fmt::format("set meta {} from {} {}", meta.key, loaded_text(meta.source, longest),
                        value == constants_.end() ? "" : fmt::format("{}", fmt::join(value->second, " "))));
        if (meta.key == NFT_META_MARK)
            meaning_.mark = 0;
    }
    void operator()(const Log& log) { meaning_.effects.push_back("log " + log.prefix); }
    void operator()(const Counter&) {}
    void operator()(const Unknown& unknown) {
        // They compare, count or tell; any other may decide, by a verdict map say.
        constexpr std::array<std::string_view, 17> decide_nothing{
            "byteorder", "connlimit", "counter", "ct",     "dynset", "exthdr", "fib",   "hash",  "last",
            "limit",     "log",       "numgen",  "objref", "osf",    "quota",  "range", "socket"};
        leave_unread(fmt::format("{} {}", unknown.name, fmt::join(unknown.raw, " ")));
        if (unknown.name == "reject")
            meaning_.decision = Decision::refuse;
        else if (std::ranges::find(decide_nothing, unknown.name) == decide_nothing.end())
            may_decide_ = true;
        registers_.clear();  // it may have written any of them
        constants_.clear();
    }

private:
    struct Loaded {
        Byte byte;
        std::uint8_t mask = 0xff;
    };

    // Where a register starts in the kernel's register file.
    static std::uint32_t byte_of(std::uint32_t number) {
        return number >= NFT_REG32_00 ? (number - NFT_REG32_00) * 4 : (number - NFT_REG_1) * 16;
    }

    static bool is_name(const Byte& byte) {
        return byte.of == Byte::Of::meta && (byte.key == NFT_META_IIFNAME || byte.key == NFT_META_OIFNAME ||
                                             byte.key == NFT_META_BRI_IIFNAME || byte.key == NFT_META_BRI_OIFNAME);
    }

    // So many bytes the kernel writes into the register; of keys that are newer than this, all that fit.
    static std::uint32_t size_of_meta(std::uint32_t key) {
        constexpr std::uint32_t number = 4, time = 8, name = IFNAMSIZ;
        switch (key) {
            case NFT_META_IIFNAME:
            case NFT_META_OIFNAME:
            case NFT_META_BRI_IIFNAME:
            case NFT_META_BRI_OIFNAME:
            case NFT_META_IIFKIND:
            case NFT_META_OIFKIND:
                return name;
            case NFT_META_TIME_NS:
                return time;
            default:
                return key <= NFT_META_TIME_HOUR ? number : name;
        }
    }

    // A rule that comes before may have written it, so that it says nothing about the packet as it came.
    static bool is_changed_by_rules(const Byte& byte) {
        return byte.of == Byte::Of::meta &&
               (byte.key == NFT_META_MARK || byte.key == NFT_META_PRIORITY || byte.key == NFT_META_NFTRACE ||
                byte.key == NFT_META_SECMARK || byte.key == NFT_META_PKTTYPE);
    }

    template <typename Extension>
    static std::string text_of(std::string_view kind, const Extension& extension) {
        return fmt::format("{} {} {} {}", kind, extension.name, extension.revision, fmt::join(extension.info, " "));
    }

    void load(std::uint32_t destination, Byte::Of of, std::uint32_t key, std::uint32_t offset, std::uint32_t length) {
        forget(destination, length);
        for (std::uint32_t at = 0; at < length; ++at)
            registers_[byte_of(destination) + at] = {{of, key, offset + at}};
    }

    // The bytes are written anew, and what they were part of is no whole any more.
    void forget(std::uint32_t destination, std::uint32_t length) {
        const std::uint32_t first = byte_of(destination), end = first + length;
        registers_.erase(registers_.lower_bound(first), registers_.lower_bound(end));
        std::erase_if(constants_, [&](const auto& constant) {
            return constant.first < end && first < constant.first + constant.second.size();
        });
    }

    // The bytes in a register, for conditions and effects that are only told apart.
    std::string loaded_text(std::uint32_t source, std::uint32_t length) const {
        std::string text;
        for (std::uint32_t at = 0; at < length; ++at)
            if (const auto loaded = registers_.find(byte_of(source) + at); loaded != registers_.end())
                text += fmt::format("{}:{}:{}&{} ", static_cast<int>(loaded->second.byte.of), loaded->second.byte.key,
                                    loaded->second.byte.offset, loaded->second.mask);
        return text;
    }

    void leave_unread(std::string text) { meaning_.unread.push_back(std::move(text)); }
    void leave_unread(const Compare& compare) {
        leave_unread(fmt::format("compare {}{} {}",
                                 loaded_text(compare.source, static_cast<std::uint32_t>(compare.value.size())),
                                 compare.operation, fmt::join(compare.value, " ")));
    }

    bool is_state(const Compare& compare) const {
        const auto source = registers_.find(byte_of(compare.source));
        return source != registers_.end() && source->second.byte.of == Byte::Of::conntrack;
    }

    // `ct state & (established | related) != 0` is a plain choice of states; anything else about a connection isn't.
    void compare_states(const Compare& compare, bool equal) {
        std::array<std::uint8_t, sizeof(std::uint32_t)> bytes{};
        bool plain = compare.value.size() == bytes.size();
        for (std::uint32_t at = 0; plain && at < bytes.size(); ++at) {
            const auto source = registers_.find(byte_of(compare.source) + at);
            plain = source != registers_.end() && source->second.byte.key == NFT_CT_STATE && compare.value[at] == 0;
            bytes[at] = plain ? source->second.mask : 0;
        }
        std::uint32_t mask = 0;
        std::memcpy(&mask, bytes.data(), sizeof mask);
        if (!plain || mask == 0xffffffff)
            leave_unread(compare);
        else
            meaning_.states &= equal ? ~mask : mask;
    }

    // That a table of IPv4 has IPv4 packets is nothing that is asked for; and an IPv4 packet's protocol, by its
    // header's byte or by what the kernel has read, is one thing.
    void normalise(Pattern& pattern) const {
        const Byte network{Byte::Of::meta, NFT_META_NFPROTO, 0};
        const Bits* asked = find(meaning_.all, network);
        const bool is_ip = family_ == Family::ip || (asked != nullptr && asked->value == NFPROTO_IPV4);
        const bool is_ip6 = family_ == Family::ip6;
        for (auto& entry : pattern)
            if (is_ip && entry.first == Byte{Byte::Of::network_header, 0, ipv4_protocol_offset})
                entry.first = {Byte::Of::meta, NFT_META_L4PROTO, 0};
        if (&pattern == &meaning_.all && family_ != Family::inet)
            std::erase_if(pattern, [&](const auto& entry) {
                return entry.first == network && entry.second.mask == 0xff &&
                       ((is_ip && entry.second.value == NFPROTO_IPV4) ||
                        (is_ip6 && entry.second.value == NFPROTO_IPV6));
            });
        std::ranges::sort(pattern, {}, &Pattern::value_type::first);
    }

    void require(const Pattern& pattern) { std::ranges::copy(pattern, std::back_inserter(meaning_.all)); }

    // Every packet differs from what contradicts itself, and none from nothing.
    void exclude(Pattern pattern) {
        if (!tidy(pattern))
            return;
        meaning_.never |= pattern.empty();
        meaning_.none.push_back(std::move(pattern));
    }

    void require_ports(const XtPorts& ports, const XtMatch& match) {
        const auto require_range = [&](const std::uint16_t(&range)[2], std::uint32_t offset) {
            if (range[0] == 0 && range[1] == 0xffff)
                return;
            if (range[0] != range[1])
                return leave_unread(text_of("match", match));
            require({{{Byte::Of::transport_header, 0, offset}, {0xff, static_cast<std::uint8_t>(range[0] >> 8)}},
                     {{Byte::Of::transport_header, 0, offset + 1}, {0xff, static_cast<std::uint8_t>(range[0])}}});
        };
        require_range(ports.source, 0);
        require_range(ports.destination, 2);
    }

    Family family_;
    Meaning meaning_;
    std::map<std::uint32_t, Loaded> registers_;  // by byte of the register file
    std::map<std::uint32_t, Bytes> constants_;   // by the byte that they start at
    bool may_decide_ = false;                    // an instruction that can't be read
};

}  // namespace

Meaning meaning_of(const Rule& rule, Family family) {
    Reader reader(family);
    for (const Expression& expression : rule.expressions)
        std::visit(reader, expression);
    Meaning meaning = reader.take();
    if (!rule.unknown.empty())
        meaning.unread.push_back(fmt::format("attributes {}", fmt::join(rule.unknown, " ")));
    return meaning;
}

Meaning both(Meaning a, const Meaning& b) {
    std::ranges::copy(b.all, std::back_inserter(a.all));
    a.never |= b.never | !tidy(a.all);
    std::ranges::copy(b.none, std::back_inserter(a.none));
    std::ranges::copy(b.unread, std::back_inserter(a.unread));
    a.states &= b.states;
    return a;
}

bool disjoint(const Meaning& a, const Meaning& b) {
    const auto is_excluded = [](const Meaning& given, const Meaning& by) {
        return std::ranges::any_of(by.none, [&](const Pattern& pattern) { return fits(given.all, pattern); });
    };
    return a.never || b.never || (a.states & b.states) == 0 || contradict(a.all, b.all) || is_excluded(a, b) ||
           is_excluded(b, a);
}

bool within(const Meaning& a, const Meaning& b) {
    return a.never || (b.unread.empty() && !b.never && (a.states & ~b.states) == 0 && fits(a.all, b.all) &&
                       std::ranges::all_of(b.none, [&](const Pattern& pattern) {
                           return contradict(a.all, pattern) || std::ranges::any_of(a.none, [&](const Pattern& given) {
                                      return fits(pattern, given);
                                  });
                       }));
}

}  // namespace nftlink::nft
