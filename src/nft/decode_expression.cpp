#include "decode_expression.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "nfnetlink.hpp"
#include "nftlink/netlink/attribute.hpp"

namespace nftlink::nft {

using netlink::AttributeWalk;
using netlink::Fields;
using netlink::number;
using netlink::text;

namespace {

using Maybe = std::optional<Expression>;

std::uint32_t u32(const Fields& fields, std::uint16_t type) {
    return number<std::uint32_t>(fields[type]).value_or(0);
}
std::uint64_t u64(const Fields& fields, std::uint16_t type) {
    return number<std::uint64_t>(fields[type]).value_or(0);
}

// Absent, or a number that is the default.
bool is_default(const Fields& fields, std::uint16_t type, std::uint32_t value) {
    return !fields.has(type) || number<std::uint32_t>(fields[type]) == value;
}

std::optional<Bytes> data_value(Payload nest) {
    const Fields data(nest);
    if (!data.are({NFTA_DATA_VALUE}))
        return {};
    const Payload value = data[NFTA_DATA_VALUE];
    return Bytes(value.begin(), value.end());
}

Maybe meta(const Fields& fields) {
    if (fields.are({NFTA_META_DREG, NFTA_META_KEY}))
        return MetaLoad{u32(fields, NFTA_META_KEY), u32(fields, NFTA_META_DREG)};
    if (fields.are({NFTA_META_SREG, NFTA_META_KEY}))
        return MetaSet{u32(fields, NFTA_META_KEY), u32(fields, NFTA_META_SREG)};
    return {};
}

Maybe payload(const Fields& fields) {
    if (!fields.are({NFTA_PAYLOAD_DREG, NFTA_PAYLOAD_BASE, NFTA_PAYLOAD_OFFSET, NFTA_PAYLOAD_LEN}))
        return {};
    return PayloadLoad{u32(fields, NFTA_PAYLOAD_BASE), u32(fields, NFTA_PAYLOAD_OFFSET), u32(fields, NFTA_PAYLOAD_LEN),
                       u32(fields, NFTA_PAYLOAD_DREG)};
}

Maybe conntrack(const Fields& fields) {
    if (!fields.are({NFTA_CT_DREG, NFTA_CT_KEY}, {NFTA_CT_DIRECTION}))
        return {};
    return ConntrackLoad{u32(fields, NFTA_CT_KEY), u32(fields, NFTA_CT_DREG),
                         number<std::uint8_t>(fields[NFTA_CT_DIRECTION])};
}

Maybe compare(const Fields& fields) {
    if (!fields.are({NFTA_CMP_SREG, NFTA_CMP_OP, NFTA_CMP_DATA}))
        return {};
    auto value = data_value(fields[NFTA_CMP_DATA]);
    if (!value)
        return {};
    return Compare{u32(fields, NFTA_CMP_SREG), u32(fields, NFTA_CMP_OP), std::move(*value)};
}

Maybe bitwise(const Fields& fields) {
    if (!fields.are({NFTA_BITWISE_SREG, NFTA_BITWISE_DREG, NFTA_BITWISE_LEN, NFTA_BITWISE_MASK, NFTA_BITWISE_XOR},
                    {NFTA_BITWISE_OP}) ||
        !is_default(fields, NFTA_BITWISE_OP, NFT_BITWISE_BOOL))
        return {};
    auto mask = data_value(fields[NFTA_BITWISE_MASK]);
    auto flip = data_value(fields[NFTA_BITWISE_XOR]);
    if (!mask || !flip || mask->size() != u32(fields, NFTA_BITWISE_LEN) || flip->size() != mask->size())
        return {};
    return Bitwise{u32(fields, NFTA_BITWISE_SREG), u32(fields, NFTA_BITWISE_DREG), std::move(*mask), std::move(*flip)};
}

Maybe lookup(const Fields& fields) {
    if (!fields.are({NFTA_LOOKUP_SET, NFTA_LOOKUP_SREG}, {NFTA_LOOKUP_FLAGS}))
        return {};
    const std::uint32_t flags = u32(fields, NFTA_LOOKUP_FLAGS);
    if ((flags & ~std::uint32_t{NFT_LOOKUP_F_INV}) != 0)
        return {};
    return SetLookup{text(fields[NFTA_LOOKUP_SET]), u32(fields, NFTA_LOOKUP_SREG), flags != 0};
}

Maybe verdict(Payload nest) {
    const Fields fields(nest);
    if (!fields.are({NFTA_VERDICT_CODE}, {NFTA_VERDICT_CHAIN}))
        return {};
    return Verdict{static_cast<std::int32_t>(u32(fields, NFTA_VERDICT_CODE)), text(fields[NFTA_VERDICT_CHAIN])};
}

Maybe immediate(const Fields& fields) {
    if (!fields.are({NFTA_IMMEDIATE_DREG, NFTA_IMMEDIATE_DATA}))
        return {};
    const std::uint32_t destination = u32(fields, NFTA_IMMEDIATE_DREG);
    const Fields data(fields[NFTA_IMMEDIATE_DATA]);
    if (data.are({NFTA_DATA_VERDICT}) && destination == NFT_REG_VERDICT)
        return verdict(data[NFTA_DATA_VERDICT]);
    if (data.are({NFTA_DATA_VALUE}))
        return Immediate{destination, {data[NFTA_DATA_VALUE].begin(), data[NFTA_DATA_VALUE].end()}};
    return {};
}

Maybe counter(const Fields& fields) {
    if (!fields.are({NFTA_COUNTER_BYTES, NFTA_COUNTER_PACKETS}, {NFTA_COUNTER_PAD}))
        return {};
    return Counter{{u64(fields, NFTA_COUNTER_PACKETS), u64(fields, NFTA_COUNTER_BYTES)}};
}

// The same, quicker: a dump has one for each element.
std::optional<Counters> counts(Payload nest) {
    Counters counters;
    unsigned seen = 0;
    AttributeWalk walk(nest);
    while (const auto attribute = walk.next()) {
        if (attribute->type == NFTA_COUNTER_PAD)
            continue;
        const bool is_bytes = attribute->type == NFTA_COUNTER_BYTES;
        const auto value = number<std::uint64_t>(attribute->payload);
        const unsigned bit = is_bytes ? 1 : 2;
        if ((!is_bytes && attribute->type != NFTA_COUNTER_PACKETS) || !value || (seen & bit) != 0)
            return {};
        seen |= bit;
        (is_bytes ? counters.bytes : counters.packets) = *value;
    }
    return seen == 3 && !walk.malformed() ? std::optional(counters) : std::nullopt;
}

// With or without its NUL.
bool is_text(Payload payload, std::string_view text) {
    return std::string_view(reinterpret_cast<const char*>(payload.data()), payload.size()).substr(0, text.size()) ==
               text &&
           (payload.size() == text.size() || payload[text.size()] == 0);
}

Maybe limit(const Fields& fields) {
    if (!fields.are({NFTA_LIMIT_RATE, NFTA_LIMIT_UNIT, NFTA_LIMIT_BURST},
                    {NFTA_LIMIT_TYPE, NFTA_LIMIT_FLAGS, NFTA_LIMIT_PAD}) ||
        !is_default(fields, NFTA_LIMIT_TYPE, NFT_LIMIT_PKTS) || !is_default(fields, NFTA_LIMIT_FLAGS, 0))
        return {};
    return RateLimit{u64(fields, NFTA_LIMIT_RATE), u64(fields, NFTA_LIMIT_UNIT), u32(fields, NFTA_LIMIT_BURST)};
}

Maybe log(const Fields& fields) {
    constexpr std::uint32_t default_level = 4;  // LOGLEVEL_WARNING, what the kernel gives a log without one
    if (!fields.are({NFTA_LOG_PREFIX}, {NFTA_LOG_LEVEL, NFTA_LOG_FLAGS}) ||
        !is_default(fields, NFTA_LOG_LEVEL, default_level) || !is_default(fields, NFTA_LOG_FLAGS, 0))
        return {};
    return Log{text(fields[NFTA_LOG_PREFIX])};
}

// Matches and targets number their attributes alike.
template <typename Xt>
Maybe extension(const Fields& fields) {
    static_assert(int{NFTA_MATCH_NAME} == int{NFTA_TARGET_NAME} && int{NFTA_MATCH_REV} == int{NFTA_TARGET_REV} &&
                  int{NFTA_MATCH_INFO} == int{NFTA_TARGET_INFO});
    if (!fields.are({NFTA_MATCH_NAME, NFTA_MATCH_REV, NFTA_MATCH_INFO}))
        return {};
    const Payload info = fields[NFTA_MATCH_INFO];
    return Xt{text(fields[NFTA_MATCH_NAME]), u32(fields, NFTA_MATCH_REV), {info.begin(), info.end()}};
}

constexpr std::array<std::pair<std::string_view, Maybe (*)(const Fields&)>, 12> decoders{
    {{"meta", meta},
     {"payload", payload},
     {"ct", conntrack},
     {"cmp", compare},
     {"bitwise", bitwise},
     {"lookup", lookup},
     {"immediate", immediate},
     {"counter", counter},
     {"limit", limit},
     {"log", log},
     {"match", extension<XtMatch>},
     {"target", extension<XtTarget>}}};

}  // namespace

Expression decode_expression(Payload expression) {
    const Fields fields(expression);
    const std::string name = text(fields[NFTA_EXPR_NAME]);
    const auto decoder = std::ranges::find(decoders, name, &decltype(decoders)::value_type::first);
    if (fields.are({NFTA_EXPR_NAME, NFTA_EXPR_DATA}) && decoder != decoders.end())
        if (auto known = decoder->second(Fields(fields[NFTA_EXPR_DATA])))
            return std::move(*known);
    return Unknown{name, {expression.begin(), expression.end()}};
}

std::optional<Counters> decode_counter(Payload expression) {
    AttributeWalk walk(expression);
    const auto name = walk.next();
    if (!name || name->type != NFTA_EXPR_NAME || !is_text(name->payload, "counter"))
        return {};
    const auto data = walk.next();
    if (!data || data->type != NFTA_EXPR_DATA || walk.next() || walk.malformed())
        return {};
    return counts(data->payload);
}

}  // namespace nftlink::nft
