// The change of one table of ours.
#pragma once

#include <set>
#include <string>

#include "nftlink/firewall/diff.hpp"

namespace nftlink::firewall {

// Appends what makes the table the wanted one; `have` is null when it isn't there. `kept`: names of chains of copies
// that stay though they aren't wanted. `old`, if not null, is the table whose place a new one takes: its counts go
// along. See diff().
void diff_table(const nft::Table* have, const nft::Table* old, const nft::Table& want, Manner manner,
                const std::set<std::string>& kept, nft::Batch& batch);

// The set can be the wanted one as it is, its elements aside.
bool holds(const nft::Set& have, const nft::Set& want);

nft::Set without_elements(const nft::Set& set);

}  // namespace nftlink::firewall
