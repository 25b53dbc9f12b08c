// Rulesets in nft's JSON schema (libnftables-json(5)).
#pragma once

#include <string>
#include <vector>

#include "nftlink/nft/text.hpp"

namespace nftlink::nft {

// The script of render(), as JSON.
std::string render_json(const Ruleset& ruleset, const std::vector<RuleOnTop>& on_top = {});

}  // namespace nftlink::nft
