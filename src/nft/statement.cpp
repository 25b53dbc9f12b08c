#include "statement.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/if_ether.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>

#include "layout.hpp"
#include "nfnetlink.hpp"

namespace nftlink::nft {

namespace json = boost::json;

namespace {

enum class Kind {
    number,
    interface_name,
    address,
    network_protocol,
    ether_type,
    transport_protocol,
    icmpv6_type,
    state,
    status,
    direction
};

// The content of a register, in words.
struct Selector {
    std::string text = "<register>";
    json::value json;
    Kind kind = Kind::number;
};

std::string hexadecimal(std::span<const std::uint8_t> bytes) {
    std::string text = "0x";
    for (const std::uint8_t byte : bytes)
        text += fmt::format("{:02x}", byte);
    return text;
}

std::uint32_t big_endian(std::span<const std::uint8_t> bytes) {
    std::uint32_t value = 0;
    for (const std::uint8_t byte : bytes)
        value = value << 8 | byte;
    return value;
}

std::uint32_t host_number(std::span<const std::uint8_t> bytes) {
    std::uint32_t value = 0;
    std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof value));
    return value;
}

std::string address_text(std::span<const std::uint8_t> bytes) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (bytes.size() != 4 && bytes.size() != 16)
        return hexadecimal(bytes);
    if (bytes.size() == 4)  // inet_ntop goes by printf
        return fmt::format("{}.{}.{}.{}", bytes[0], bytes[1], bytes[2], bytes[3]);
    inet_ntop(AF_INET6, bytes.data(), text.data(), text.size());
    return text.data();
}

// nft's names of IP protocols that we meet; the others are numbers.
std::string transport_protocol_text(std::uint32_t number) {
    switch (number) {
        case IPPROTO_TCP:
            return "tcp";
        case IPPROTO_UDP:
            return "udp";
        case IPPROTO_SCTP:
            return "sctp";
        case IPPROTO_ICMP:
            return "icmp";
        case IPPROTO_ICMPV6:
            return "ipv6-icmp";
        default:
            return fmt::to_string(number);
    }
}

std::string ether_type_text(std::uint32_t number) {
    switch (number) {
        case ETH_P_IP:
            return "ip";
        case ETH_P_IPV6:
            return "ip6";
        case ETH_P_ARP:
            return "arp";
        case ETH_P_8021Q:
            return "8021q";
        case ETH_P_8021AD:
            return "8021ad";
        default:
            return fmt::format("0x{:04x}", number);
    }
}

std::string icmpv6_type_text(std::uint32_t number) {
    switch (number) {
        case 135:
            return "nd-neighbor-solicit";
        case 136:
            return "nd-neighbor-advert";
        default:
            return fmt::to_string(number);
    }
}

struct Value {
    std::string text;
    json::value json;
};

Value word(std::string text) {
    return {text, json::string(text)};
}

Value value_of(const Bytes& bytes, Kind kind) {
    switch (kind) {
        case Kind::interface_name: {
            const std::string name(bytes.begin(), std::ranges::find(bytes, 0));
            return {quoted(name), json::string(name)};
        }
        case Kind::address:
            return word(address_text(bytes));
        case Kind::network_protocol:
            return word(big_endian(bytes) == NFPROTO_IPV4 ? "ipv4" : "ipv6");
        case Kind::ether_type:
            return word(ether_type_text(big_endian(bytes)));
        case Kind::transport_protocol:
            return word(transport_protocol_text(big_endian(bytes)));
        case Kind::icmpv6_type:
            return word(icmpv6_type_text(big_endian(bytes)));
        case Kind::direction:
            return word(big_endian(bytes) == IP_CT_DIR_REPLY ? "reply" : "original");
        case Kind::state:
        case Kind::status:
        case Kind::number:
            break;
    }
    if (bytes.size() > sizeof(std::uint32_t))
        return word(hexadecimal(bytes));
    const std::uint32_t number = big_endian(bytes);
    return {fmt::to_string(number), number};
}

// The connection states or status words of a bit mask, in nft's order.
std::vector<std::string> bit_names(Kind kind, std::uint32_t mask) {
    constexpr std::array<std::string_view, 4> states{"invalid", "established", "related", "new"};
    constexpr std::array<std::string_view, 6> words{"expected", "seen-reply", "assured", "confirmed", "snat", "dnat"};
    const std::span<const std::string_view> names =
        kind == Kind::state ? std::span<const std::string_view>(states) : std::span<const std::string_view>(words);
    std::vector<std::string> found;
    for (std::size_t bit = 0; bit < names.size(); ++bit)
        if ((mask >> bit & 1) != 0)
            found.emplace_back(names[bit]);
    return found;
}

std::string_view verdict_word(std::int32_t code) {
    switch (code) {
        case NF_DROP:
            return "drop";
        case NF_ACCEPT:
            return "accept";
        case NFT_CONTINUE:
            return "continue";
        case NFT_JUMP:
            return "jump";
        case NFT_GOTO:
            return "goto";
        case NFT_RETURN:
            return "return";
        default:
            return "queue";
    }
}

json::value match(std::string_view operation, json::value left, json::value right) {
    return {{"match", {{"op", operation}, {"left", std::move(left)}, {"right", std::move(right)}}}};
}

// Follows the instructions with a picture of the registers in words.
class Reader {
public:
    std::vector<Statement> take() { return std::move(statements_); }

    void operator()(const MetaLoad& meta) { registers_[word_of(meta.destination)] = meta_selector(meta.key); }

    void operator()(const PayloadLoad& payload) {
        registers_[word_of(payload.destination)] = payload_selector(payload);
    }

    void operator()(const ConntrackLoad& conntrack) {
        registers_[word_of(conntrack.destination)] = conntrack_selector(conntrack);
    }

    void operator()(const Bitwise& bitwise) {
        masks_[word_of(bitwise.destination)] = bitwise.mask;
        registers_[word_of(bitwise.destination)] = registers_[word_of(bitwise.source)];
    }

    void operator()(const Compare& compare) {
        const Selector selector = registers_[word_of(compare.source)];
        if (selector.kind == Kind::state || selector.kind == Kind::status) {
            compare_bits(selector, masks_[word_of(compare.source)]);
            return;
        }
        const bool equal = compare.operation == NFT_CMP_EQ;
        const Value value = value_of(compare.value, selector.kind);
        statements_.push_back({fmt::format("{}{} {}", selector.text, equal ? "" : " !=", value.text),
                               match(equal ? "==" : "!=", selector.json, value.json)});
        if (equal)
            remember_protocol(selector.kind, big_endian(compare.value));
    }

    void operator()(const SetLookup& lookup) {
        // The key is what lies in consecutive registers from the first on.
        std::string left;
        json::array parts;
        for (auto selector = registers_.find(word_of(lookup.source)); selector != registers_.end(); ++selector) {
            left += (left.empty() ? "" : " . ") + selector->second.text;
            parts.push_back(selector->second.json);
        }
        json::value json_left = parts.size() == 1 ? parts.front() : json::value{{"concat", parts}};
        statements_.push_back(
            {fmt::format("{} {}@{}", left, lookup.inverted ? "!= " : "", lookup.set),
             match(lookup.inverted ? "!=" : "==", std::move(json_left), json::string("@" + lookup.set))});
    }

    void operator()(const Immediate& immediate) { constants_[word_of(immediate.destination)] = immediate.value; }

    void operator()(const MetaSet& meta) {
        const Selector target = meta_selector(meta.key);
        const std::uint32_t value = host_number(constants_[word_of(meta.source)]);
        statements_.push_back({fmt::format("{} set 0x{:08x}", target.text, value),
                               {{"mangle", {{"key", target.json}, {"value", value}}}}});
    }

    void operator()(const Verdict& verdict) {
        const std::string_view word = verdict_word(verdict.code);
        if (verdict.chain.empty())
            statements_.push_back({std::string(word), {{word, nullptr}}});
        else
            statements_.push_back({fmt::format("{} {}", word, verdict.chain), {{word, {{"target", verdict.chain}}}}});
    }

    void operator()(const Counter& counter) {
        const auto& [packets, bytes] = counter.counters;
        statements_.push_back({fmt::format("counter packets {} bytes {}", packets, bytes),
                               {{"counter", {{"packets", packets}, {"bytes", bytes}}}}});
    }

    void operator()(const RateLimit& limit) {
        const std::string_view unit = unit_name(limit.unit_seconds);
        statements_.push_back({fmt::format("limit rate {}/{} burst {} packets", limit.rate, unit, limit.burst),
                               {{"limit", {{"rate", limit.rate}, {"burst", limit.burst}, {"per", unit}}}}});
    }

    void operator()(const Log& log) {
        statements_.push_back({"log prefix " + quoted(log.prefix), {{"log", {{"prefix", log.prefix}}}}});
    }

    void operator()(const XtMatch& match) { add_extension("match", match.name); }
    void operator()(const XtTarget& target) { add_extension("target", target.name); }

    void operator()(const Unknown& unknown) {
        statements_.push_back({fmt::format("<{}>", unknown.name), {{unknown.name, nullptr}}});
    }

private:
    // As nft shows them when it was built without the extensions; it can't read them back.
    void add_extension(std::string_view type, const std::string& name) {
        statements_.push_back(
            {fmt::format("xt {} {}", type, quoted(name)), {{"xt", {{"type", type}, {"name", name}}}}});
    }

    // The 4-byte word that a register starts at.
    static std::uint32_t word_of(std::uint32_t number) {
        return number >= NFT_REG32_00 ? number - NFT_REG32_00 : (number - NFT_REG_1) * 4;
    }

    static std::string_view unit_name(std::uint64_t seconds) {
        switch (seconds) {
            case 1:
                return "second";
            case 60:
                return "minute";
            case 3600:
                return "hour";
            case 86400:
                return "day";
            default:
                return "week";
        }
    }

    static Selector meta_selector(std::uint32_t key) {
        const auto meta = [](std::string_view name) { return json::value{{"meta", {{"key", name}}}}; };
        switch (key) {
            case NFT_META_IIFNAME:
                return {"iifname", meta("iifname"), Kind::interface_name};
            case NFT_META_OIFNAME:
                return {"oifname", meta("oifname"), Kind::interface_name};
            case NFT_META_BRI_IIFNAME:
                return {"meta ibrname", meta("ibrname"), Kind::interface_name};
            case NFT_META_BRI_OIFNAME:
                return {"meta obrname", meta("obrname"), Kind::interface_name};
            case NFT_META_PROTOCOL:
                return {"meta protocol", meta("protocol"), Kind::ether_type};
            case NFT_META_NFPROTO:
                return {"meta nfproto", meta("nfproto"), Kind::network_protocol};
            case NFT_META_L4PROTO:
                return {"meta l4proto", meta("l4proto"), Kind::transport_protocol};
            case NFT_META_MARK:
                return {"meta mark", meta("mark"), Kind::number};
            default:
                return {fmt::format("meta <{}>", key), meta(fmt::format("<{}>", key)), Kind::number};
        }
    }

    static Selector conntrack_selector(const ConntrackLoad& load) {
        const auto plain = [](std::string_view key) { return json::value{{"ct", {{"key", key}}}}; };
        const auto directed = [&](std::string_view key, Kind kind) -> Selector {
            if (!load.direction)
                return {fmt::format("ct {}", key), plain(key), kind};
            const std::string_view way = *load.direction == IP_CT_DIR_REPLY ? "reply" : "original";
            return {fmt::format("ct {} {}", way, key), {{"ct", {{"key", key}, {"dir", way}}}}, kind};
        };
        switch (load.key) {
            case NFT_CT_STATE:
                return directed("state", Kind::state);
            case NFT_CT_STATUS:
                return directed("status", Kind::status);
            case NFT_CT_DIRECTION:
                return directed("direction", Kind::direction);
            case NFT_CT_PROTOCOL:
                return directed("protocol", Kind::transport_protocol);
            case NFT_CT_PROTO_SRC:
                return directed("proto-src", Kind::number);
            default:
                return directed(fmt::format("<{}>", load.key), Kind::number);
        }
    }

    static json::value field(std::string_view protocol, std::string_view name) {
        return {{"payload", {{"protocol", protocol}, {"field", name}}}};
    }

    static Selector raw_selector(const PayloadLoad& payload) {
        constexpr std::array<std::string_view, 3> bases{"ll", "nh", "th"};
        const std::string_view base = payload.base < bases.size() ? bases[payload.base] : "ih";
        return {fmt::format("@{},{},{}", base, payload.offset * 8, payload.length * 8),
                {{"payload", {{"base", base}, {"offset", payload.offset * 8}, {"len", payload.length * 8}}}},
                Kind::number};
    }

    Selector payload_selector(const PayloadLoad& payload) {
        if (payload.base == NFT_PAYLOAD_NETWORK_HEADER)
            return address_selector(payload);
        if (payload.base == NFT_PAYLOAD_TRANSPORT_HEADER)
            return transport_selector(payload);
        if (payload.base == NFT_PAYLOAD_LL_HEADER && payload.offset == layout::ether_type && payload.length == 2)
            return {"ether type", field("ether", "type"), Kind::ether_type};
        return raw_selector(payload);
    }

    Selector address_selector(const PayloadLoad& payload) {
        for (const Family family : {Family::ip, Family::ip6}) {
            const std::string_view protocol = family == Family::ip ? "ip" : "ip6";
            if (payload.length != layout::address_size(family))
                continue;
            if (payload.offset == layout::source(family) || payload.offset == layout::destination(family)) {
                const std::string_view name = payload.offset == layout::source(family) ? "saddr" : "daddr";
                drop_check(network_check_);
                return {fmt::format("{} {}", protocol, name), field(protocol, name), Kind::address};
            }
        }
        if (payload.offset == layout::ipv6_hop_limit && payload.length == 1 && is_ipv6_) {
            drop_check(network_check_);
            return {"ip6 hoplimit", field("ip6", "hoplimit"), Kind::number};
        }
        return raw_selector(payload);
    }

    Selector transport_selector(const PayloadLoad& payload) {
        if (transport_ == IPPROTO_ICMPV6 && payload.offset == layout::icmp_type && payload.length == 1) {
            drop_check(transport_check_);
            drop_check(network_check_);
            return {"icmpv6 type", field("icmpv6", "type"), Kind::icmpv6_type};
        }
        const bool is_port = payload.offset == layout::source_port || payload.offset == layout::destination_port;
        if (payload.length != 2 || !is_port)
            return raw_selector(payload);
        const std::string_view name = payload.offset == layout::source_port ? "sport" : "dport";
        const std::string protocol = transport_ == 0 ? "th" : transport_protocol_text(transport_);
        drop_check(transport_check_);
        return {fmt::format("{} {}", protocol, name), field(protocol, name), Kind::number};
    }

    void compare_bits(const Selector& selector, const Bytes& mask) {
        json::array names;
        std::string text;
        for (const std::string& name : bit_names(selector.kind, host_number(mask))) {
            names.push_back(json::string(name));
            text += (text.empty() ? "" : ",") + name;
        }
        statements_.push_back({selector.text + " " + text, match("in", selector.json, names)});
    }

    // A protocol's check needs no words of its own once a field of that protocol is named.
    void remember_protocol(Kind kind, std::uint32_t protocol) {
        if (kind == Kind::network_protocol || kind == Kind::ether_type) {
            network_check_ = statements_.size();
            is_ipv6_ = protocol == (kind == Kind::ether_type ? std::uint32_t{ETH_P_IPV6} : std::uint32_t{NFPROTO_IPV6});
        }
        if (kind == Kind::transport_protocol) {
            transport_check_ = statements_.size();
            transport_ = protocol;
        }
    }

    void drop_check(std::size_t& position) {
        if (position == 0)
            return;
        statements_.erase(statements_.begin() + static_cast<std::ptrdiff_t>(position - 1));
        for (std::size_t* other : {&network_check_, &transport_check_})
            if (*other > position)
                --*other;
        position = 0;
    }

    std::vector<Statement> statements_;
    std::map<std::uint32_t, Selector> registers_;
    std::map<std::uint32_t, Bytes> masks_;
    std::map<std::uint32_t, Bytes> constants_;
    // Where a check stands among the statements, counted from 1; 0: nowhere.
    std::size_t network_check_ = 0;
    std::size_t transport_check_ = 0;
    std::uint32_t transport_ = 0;
    bool is_ipv6_ = false;
};

}  // namespace

std::vector<Statement> statements(const Rule& rule) {
    Reader reader;
    for (const Expression& expression : rule.expressions)
        std::visit(reader, expression);
    return reader.take();
}

std::string to_text(std::span<const std::uint8_t> value, DataType type) {
    switch (type) {
        case DataType::ipv4_addr:
        case DataType::ipv6_addr:
            return address_text(value);
        case DataType::inet_proto:
            return transport_protocol_text(big_endian(value.first(1)));
        case DataType::inet_service:
            return fmt::to_string(big_endian(value.first(2)));
        case DataType::ifname:
            return quoted(std::string(value.begin(), std::ranges::find(value, 0)));
    }
    return hexadecimal(value);
}

std::string quoted(std::string_view text) {
    std::string quoted;
    quoted.reserve(text.size() + 2);
    return quoted.append("\"").append(text).append("\"");
}

}  // namespace nftlink::nft
