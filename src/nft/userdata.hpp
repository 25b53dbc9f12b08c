// The opaque bytes that nft keeps with objects: a list of type (1 byte), length (1 byte), value. A comment's value ends
// with NUL. Only types and layout are nft's; the kernel never looks inside.
#pragma once

#include <string>
#include <string_view>

#include "nftlink/nft/decode.hpp"

namespace nftlink::nft {

// The comment's type among the userdata of tables, chains, rules and elements, and of sets.
inline constexpr std::uint8_t comment_type = 0;
inline constexpr std::uint8_t set_comment_type = 7;
// The form in which nft is to print a set's keys.
inline constexpr std::uint8_t set_key_order_type = 0;
// The owner's, of tables, chains, rules and sets: a type of our own, far over nft's, which nft and iptables pass over.
inline constexpr std::uint8_t owner_type = 0x6e;

// Empty for an empty comment and no owner. Comments are cut at max_comment_length.
Bytes make_userdata(std::uint8_t type, std::string_view comment, std::string_view owner = {});

// Takes the comment, and where one is asked for the owner, out of userdata. False when there is more than these and
// entries of the types below `cosmetic_below`, which only guide nft's printing.
bool read_userdata(Payload userdata, std::uint8_t type, std::uint8_t cosmetic_below, std::string& comment,
                   std::string* owner = nullptr);

}  // namespace nftlink::nft
