#include "nftlink/nft/decode.hpp"

#include <algorithm>
#include <cstring>

#include "decode_expression.hpp"
#include "nfnetlink.hpp"
#include "nftlink/netlink/attribute.hpp"
#include "userdata.hpp"

namespace nftlink::nft {

using netlink::Attribute;
using netlink::AttributeWalk;
using netlink::Fields;
using netlink::number;
using netlink::text;

namespace {

void keep(Bytes& unknown, const Attribute& attribute) {
    unknown.insert(unknown.end(), attribute.raw.begin(), attribute.raw.end());
}

// Reads the object's comment and owner; userdata that holds more than that is kept.
template <typename T>
bool read_words(const Attribute& attribute, T& object, std::uint8_t type = comment_type,
                std::uint8_t cosmetic_below = comment_type) {
    if (!read_userdata(attribute.payload, type, cosmetic_below, object.comment, &object.owner))
        keep(object.unknown, attribute);
    return true;
}

// Walks a message's attributes. `visit` returns false for one whose value has the wrong size.
template <typename T, typename Visit>
DecodeResult<T> decode(Payload payload, Decoded<T>& decoded, Visit visit) {
    if (payload.size() < sizeof(nfgenmsg))
        return std::unexpected("message too short");
    decoded.place.family = static_cast<Family>(payload[offsetof(nfgenmsg, nfgen_family)]);
    AttributeWalk walk(payload.subspan(sizeof(nfgenmsg)));
    while (const auto attribute = walk.next())
        if (!visit(*attribute))
            return std::unexpected("attribute " + std::to_string(attribute->type) + " has a wrong size");
    if (walk.malformed())
        return std::unexpected("malformed attribute");
    return std::move(decoded);
}

template <typename T>
bool read(const Attribute& attribute, T& value) {
    const auto read = number<T>(attribute.payload);
    if (read)
        value = *read;
    return read.has_value();
}

// A number that is usually absent or zero; anything else is kept as unknown.
bool expect_zero(const Attribute& attribute, Bytes& unknown) {
    if (std::ranges::any_of(attribute.payload, [](std::uint8_t byte) { return byte != 0; }))
        keep(unknown, attribute);
    return true;
}

bool read_hook(Payload nest, Hook& hook, Bytes& unknown) {
    AttributeWalk walk(nest);
    while (const auto attribute = walk.next()) {
        std::uint32_t value = 0;
        if (attribute->type != NFTA_HOOK_HOOKNUM && attribute->type != NFTA_HOOK_PRIORITY)
            keep(unknown, *attribute);
        else if (!read(*attribute, value))
            return false;
        else if (attribute->type == NFTA_HOOK_HOOKNUM)
            hook.number = value;
        else
            hook.priority = static_cast<std::int32_t>(value);
    }
    return !walk.malformed();
}

// Key types are packed 6 bits each, the first field highest; one that we don't know makes the whole key unknown.
std::vector<DataType> key_types(std::uint32_t packed) {
    constexpr unsigned bits = 6;
    std::vector<DataType> types;
    for (; packed != 0; packed >>= bits) {
        const auto type = static_cast<DataType>(packed & ((1u << bits) - 1));
        if (type != DataType::ipv4_addr && type != DataType::ipv6_addr && type != DataType::inet_proto &&
            type != DataType::inet_service && type != DataType::ifname)
            return {};
        types.insert(types.begin(), type);
    }
    return types;
}

std::uint32_t key_length(const std::vector<DataType>& types) {
    std::uint32_t length = 0;
    for (const DataType type : types)
        length += static_cast<std::uint32_t>(field_size(type));
    return length;
}

bool read_set_description(const Attribute& attribute, Set& set) {
    const Fields description(attribute.payload);
    if (description.has(NFTA_SET_DESC_SIZE))
        set.size = number<std::uint32_t>(description[NFTA_SET_DESC_SIZE]).value_or(0);
    if (!description.are({}, {NFTA_SET_DESC_SIZE}))
        keep(set.unknown, attribute);
    return true;
}

// The one attribute of a nest that has nothing else; of another type, or with others, none.
std::optional<Payload> only(Payload nest, std::uint16_t type) {
    AttributeWalk walk(nest);
    const auto attribute = walk.next();
    if (!attribute || attribute->type != type || walk.next() || walk.malformed())
        return {};
    return attribute->payload;
}

bool read_element(Payload nest, Element& element) {
    AttributeWalk walk(nest);
    while (const auto attribute = walk.next()) {
        switch (attribute->type) {
            case NFTA_SET_ELEM_KEY: {
                const auto key = only(attribute->payload, NFTA_DATA_VALUE);
                if (!key || key->size() > Key::max_size)
                    return false;
                element.key = {};
                element.key.append(*key);
                break;
            }
            case NFTA_SET_ELEM_USERDATA:
                if (!read_userdata(attribute->payload, comment_type, comment_type, element.comment))
                    keep(element.unknown, *attribute);
                break;
            case NFTA_SET_ELEM_EXPR:
                element.counters = decode_counter(attribute->payload);
                if (!element.counters)
                    keep(element.unknown, *attribute);
                break;
            case NFTA_SET_ELEM_PAD:
                break;
            default:
                keep(element.unknown, *attribute);
        }
    }
    return !walk.malformed();
}

}  // namespace

DecodeResult<Table> decode_table(Payload payload) {
    Decoded<Table> decoded;
    Table& table = decoded.object;
    auto result = decode(payload, decoded, [&](const Attribute& attribute) {
        switch (attribute.type) {
            case NFTA_TABLE_NAME:
                decoded.place.table = table.name = text(attribute.payload);
                return true;
            case NFTA_TABLE_USE:
                return read(attribute, table.other_object_count);
            case NFTA_TABLE_USERDATA:
                return read_words(attribute, table);
            case NFTA_TABLE_FLAGS:
                table.dormant = (number<std::uint32_t>(attribute.payload).value_or(0) & NFT_TABLE_F_DORMANT) != 0;
                return expect_zero(attribute, table.unknown);
            case NFTA_TABLE_HANDLE:
            case NFTA_TABLE_PAD:
                return true;
            default:
                return keep(table.unknown, attribute), true;
        }
    });
    if (result)
        result->object.family = result->place.family;
    return result;
}

DecodeResult<Chain> decode_chain(Payload payload) {
    Decoded<Chain> decoded;
    Chain& chain = decoded.object;
    Hook hook;
    bool is_base = false;
    auto result = decode(payload, decoded, [&](const Attribute& attribute) {
        switch (attribute.type) {
            case NFTA_CHAIN_TABLE:
                decoded.place.table = text(attribute.payload);
                return true;
            case NFTA_CHAIN_NAME:
                chain.name = text(attribute.payload);
                return true;
            case NFTA_CHAIN_HOOK:
                is_base = true;
                return read_hook(attribute.payload, hook, chain.unknown);
            case NFTA_CHAIN_TYPE:
                hook.type = text(attribute.payload);
                return true;
            case NFTA_CHAIN_POLICY:
                return read(attribute, hook.policy);
            case NFTA_CHAIN_USERDATA:
                return read_words(attribute, chain);
            case NFTA_CHAIN_FLAGS: {
                std::uint32_t flags = 0;
                if (!read(attribute, flags))
                    return false;
                if ((flags & ~std::uint32_t{NFT_CHAIN_BASE}) != 0)
                    keep(chain.unknown, attribute);
                return true;
            }
            case NFTA_CHAIN_HANDLE:
            case NFTA_CHAIN_USE:
            case NFTA_CHAIN_ID:
            case NFTA_CHAIN_PAD:
                return true;
            default:
                return keep(chain.unknown, attribute), true;
        }
    });
    if (result && is_base)
        result->object.hook = std::move(hook);
    return result;
}

DecodeResult<Set> decode_set(Payload payload) {
    // A set's inside, of which kernels from 6.16 on tell (its backend and its number of elements), is no property of
    // it; the number says how much room its elements will need.
    constexpr std::size_t most_room = std::size_t{1} << 17;
    constexpr std::uint16_t backend = 19, element_count = 20;
    Decoded<Set> decoded;
    Set& set = decoded.object;
    std::uint32_t length = 0;
    auto result = decode(payload, decoded, [&](const Attribute& attribute) {
        switch (attribute.type) {
            case NFTA_SET_TABLE:
                decoded.place.table = text(attribute.payload);
                return true;
            case NFTA_SET_NAME:
                set.name = text(attribute.payload);
                return true;
            case NFTA_SET_KEY_TYPE: {
                const auto packed = number<std::uint32_t>(attribute.payload);
                set.key = key_types(packed.value_or(0));
                if (set.key.empty())
                    keep(set.unknown, attribute);
                return packed.has_value();
            }
            case NFTA_SET_KEY_LEN:
                return read(attribute, length);
            case NFTA_SET_DESC:
                return read_set_description(attribute, set);
            case NFTA_SET_FLAGS: {
                const auto flags = number<std::uint32_t>(attribute.payload);
                set.anonymous = (flags.value_or(0) & NFT_SET_ANONYMOUS) != 0;
                return expect_zero(attribute, set.unknown) && flags.has_value();
            }
            case NFTA_SET_EXPR:
                set.counter = decode_counter(attribute.payload).has_value();
                if (!set.counter)
                    keep(set.unknown, attribute);
                return true;
            case NFTA_SET_USERDATA:
                return read_words(attribute, set, set_comment_type, set_comment_type);
            case NFTA_SET_HANDLE:
            case NFTA_SET_PAD:
            case backend:
                return true;
            case element_count:
                set.elements.reserve(
                    std::min<std::size_t>(number<std::uint32_t>(attribute.payload).value_or(0), most_room));
                return true;
            default:
                return keep(set.unknown, attribute), true;
        }
    });
    if (result && !result->object.key.empty() && key_length(result->object.key) != length)
        result->object.key.clear();
    return result;
}

DecodeResult<Rule> decode_rule(Payload payload) {
    Decoded<Rule> decoded;
    Rule& rule = decoded.object;
    return decode(payload, decoded, [&](const Attribute& attribute) {
        switch (attribute.type) {
            case NFTA_RULE_TABLE:
                decoded.place.table = text(attribute.payload);
                return true;
            case NFTA_RULE_CHAIN:
                decoded.place.container = text(attribute.payload);
                return true;
            case NFTA_RULE_HANDLE:
                return read(attribute, rule.handle);
            case NFTA_RULE_EXPRESSIONS: {
                AttributeWalk walk(attribute.payload);
                while (const auto expression = walk.next())
                    rule.expressions.push_back(decode_expression(expression->payload));
                return !walk.malformed();
            }
            case NFTA_RULE_USERDATA:
                return read_words(attribute, rule);
            case NFTA_RULE_POSITION:
            case NFTA_RULE_PAD:
                return true;
            default:
                return keep(rule.unknown, attribute), true;
        }
    });
}

std::expected<Place, std::string> decode_elements(Payload payload, std::vector<Element>& elements) {
    struct Nothing {};
    Decoded<Nothing> decoded;
    auto result = decode(payload, decoded, [&](const Attribute& attribute) {
        switch (attribute.type) {
            case NFTA_SET_ELEM_LIST_TABLE:
                decoded.place.table = text(attribute.payload);
                return true;
            case NFTA_SET_ELEM_LIST_SET:
                decoded.place.container = text(attribute.payload);
                return true;
            case NFTA_SET_ELEM_LIST_ELEMENTS: {
                AttributeWalk walk(attribute.payload);
                while (const auto element = walk.next())
                    if (!read_element(element->payload, elements.emplace_back()))
                        return false;
                return !walk.malformed();
            }
            default:
                return true;
        }
    });
    if (!result)
        return std::unexpected(std::move(result.error()));
    return std::move(result->place);
}

DecodeResult<std::vector<Element>> decode_elements(Payload payload) {
    std::vector<Element> elements;
    auto place = decode_elements(payload, elements);
    if (!place)
        return std::unexpected(std::move(place.error()));
    return Decoded<std::vector<Element>>{std::move(*place), std::move(elements)};
}

std::expected<Generation, std::string> decode_generation(Payload payload) {
    Decoded<Generation> decoded;
    auto result = decode(payload, decoded, [&](const Attribute& attribute) {
        switch (attribute.type) {
            case NFTA_GEN_ID:
                return read(attribute, decoded.object.id);
            case NFTA_GEN_PROC_PID:
                return read(attribute, decoded.object.process);
            case NFTA_GEN_PROC_NAME:
                decoded.object.program = text(attribute.payload);
                return true;
            default:
                return true;
        }
    });
    if (!result)
        return std::unexpected(result.error());
    return std::move(result->object);
}

}  // namespace nftlink::nft
