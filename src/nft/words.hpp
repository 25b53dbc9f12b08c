// nft's words for numbers that stand in tables, chains and sets.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "nftlink/nft/ruleset.hpp"

namespace nftlink::nft {

// `ipv4_addr`
std::string_view type_name(DataType type);
// `forward`: NF_INET_ and NF_BR_ numbers agree up to postrouting.
std::string_view hook_name(std::uint32_t number);
std::string_view policy_name(std::uint32_t policy);
// `filter`, `filter - 5`, or the number when it is farther than 10 from 0.
std::string priority_text(Family family, std::int32_t priority);

}  // namespace nftlink::nft
