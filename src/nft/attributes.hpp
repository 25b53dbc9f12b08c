// Netlink attributes (struct nlattr) as bytes: reading any input safely, and writing flat.
#pragma once

#include <linux/netlink.h>

#include <algorithm>
#include <bitset>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "nftlink/nft/decode.hpp"

namespace nftlink::nft {

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

// The numbers of nf_tables are in network order. Nothing when the size is another.
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
    static constexpr std::size_t limit = 32;  // every nf_tables nest that we read has fewer types

    std::array<Payload, limit> payloads_{};
    std::bitset<limit> present_;
    bool strange_ = false;
};

// Appends messages and attributes to a buffer. Sizes are filled in when the nest or message is closed.
class MessageWriter {
public:
    explicit MessageWriter(Bytes& out) : out_(out) {}

    // A message with struct nfgenmsg; returns where it starts, for end().
    std::size_t begin(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence, std::uint8_t family,
                      std::uint16_t resource);
    void end(std::size_t message);

    std::size_t begin_nest(std::uint16_t type);
    void end_nest(std::size_t nest);

    void put(std::uint16_t type, Payload payload);
    void put(std::uint16_t type, std::string_view text);  // with a NUL after it
    void put_u32(std::uint16_t type, std::uint32_t value);
    void put_u64(std::uint16_t type, std::uint64_t value);

private:
    Bytes& out_;
};

}  // namespace nftlink::nft
