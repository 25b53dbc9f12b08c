// The wanted rules as a script for nft. Pure.
#pragma once

#include <string>
#include <vector>

#include "nftlink/firewall/wanted.hpp"

namespace nftlink::firewall {

// The wanted rules as far as nft's own language can say them, as a script that `nft -f` loads: our tables, and `insert
// rule` for what is attached. `left_out` gets, one each, what it can't say.
std::string render(const Wanted& want, std::vector<std::string>& left_out);
std::string render_json(const Wanted& want, std::vector<std::string>& left_out);

}  // namespace nftlink::firewall
