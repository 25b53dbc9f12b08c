#include "nftlink/firewall/wanted.hpp"

#include <algorithm>
#include <utility>

namespace nftlink::firewall {

const nft::Chain* Attachment::find(const nft::Ruleset& have) const {
    const nft::Table* found = have.table(family, table);
    return found == nullptr ? nullptr : found->chain(chain);
}

Wanted joined(Wanted attached, const Wanted& own) {
    for (const nft::Table& table : own.tables) {
        const auto same = std::ranges::find_if(attached.tables, [&](const nft::Table& copies) {
            return copies.family == table.family && copies.name == table.name;
        });
        if (same == attached.tables.end()) {
            attached.tables.push_back(table);
            continue;
        }
        std::vector<nft::Chain> copies = std::move(same->chains);
        *same = table;
        for (nft::Chain& chain : copies)
            if (same->chain(chain.name) == nullptr)
                same->chains.push_back(std::move(chain));
    }
    return attached;
}

}  // namespace nftlink::firewall
