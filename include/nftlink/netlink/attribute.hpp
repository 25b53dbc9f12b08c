// Netlink attributes (struct nlattr) as bytes. Any input is read safely.
#pragma once

#include <linux/netlink.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace nftlink::netlink {

using Bytes = std::vector<std::uint8_t>;
using Payload = std::span<const std::uint8_t>;

struct Attribute {
    std::uint16_t type = 0;  // without the nested and byte-order flags
    Payload payload;
    Payload raw;  // header included, padding not
};

// The attributes of one message or nest, one after the other. A malformed one ends the walk and is remembered.
class AttributeWalk {
public:
    explicit AttributeWalk(Payload bytes) : rest_(bytes) {}

    // The next attribute, or none at the end and at malformed bytes.
    std::optional<Attribute> next() {
        if (rest_.empty() || malformed_)
            return {};
        nlattr header;
        if (rest_.size() >= sizeof header)
            std::memcpy(&header, rest_.data(), sizeof header);
        if (rest_.size() < sizeof header || header.nla_len < sizeof header || header.nla_len > rest_.size()) {
            malformed_ = true;
            return {};
        }
        const Payload raw = rest_.first(header.nla_len);
        rest_ = rest_.subspan(std::min<std::size_t>(NLA_ALIGN(header.nla_len), rest_.size()));
        return Attribute{static_cast<std::uint16_t>(header.nla_type & NLA_TYPE_MASK), raw.subspan(sizeof header), raw};
    }
    bool malformed() const { return malformed_; }

private:
    Payload rest_;
    bool malformed_ = false;
};

// Calls visit(type, payload) for each attribute behind a fixed header of that size; ends at a malformed one.
template <typename Visit>
void for_each_attribute(Payload payload, std::size_t header_size, Visit visit) {
    if (payload.size() < header_size)
        return;
    AttributeWalk walk(payload.subspan(header_size));
    while (const auto attribute = walk.next())
        visit(attribute->type, attribute->payload);
}

// A number in network order, as nf_tables has them. Nothing when the size is another.
template <typename T>
std::optional<T> number(Payload payload);
// A string with or without its NUL.
std::string text(Payload payload);

// The attributes of a small nest by their type, to be asked "are you exactly these?".
class Fields {
public:
    explicit Fields(Payload nest);

    // Well-formed, and holds all of `wanted` and nothing but them and `ignored`.
    bool are(std::initializer_list<std::uint16_t> wanted, std::initializer_list<std::uint16_t> ignored = {}) const;
    Payload operator[](std::uint16_t type) const { return payloads_[type]; }
    bool has(std::uint16_t type) const { return present_[type]; }

private:
    static constexpr std::size_t limit = 32;  // every nest of nf_tables that is read has fewer types

    std::array<Payload, limit> payloads_{};
    std::bitset<limit> present_;
    bool strange_ = false;
};

}  // namespace nftlink::netlink
