// Which of a table's two slots (see names.hpp) packets meet.
#pragma once

#include <algorithm>

#include "names.hpp"

namespace nftlink::firewall {

inline bool is_base(const nft::Chain& chain) {
    return chain.hook.has_value();
}

// Whether packets meet anything of the table.
inline bool is_live(const nft::Table& table) {
    return std::ranges::any_of(table.chains, is_base);
}

// Calls visit(name) for every chain and set that the chain's rules refer to.
template <typename ChainT, typename Visit>
void for_each_reference(ChainT& chain, Visit visit) {
    for (auto& rule : chain.rules)
        for (auto& expression : rule.expressions)
            if (auto* lookup = std::get_if<nft::SetLookup>(&expression))
                visit(lookup->set);
            else if (auto* verdict = std::get_if<nft::Verdict>(&expression); verdict && !verdict->chain.empty())
                visit(verdict->chain);
}

// By where its base chains lead.
inline bool uses_second_slot(const nft::Table& table) {
    bool found = false;
    for (const nft::Chain& chain : table.chains)
        if (is_base(chain))
            for_each_reference(chain, [&](const std::string& name) { found |= name.ends_with(second_slot); });
    return found;
}

}  // namespace nftlink::firewall
