#include "elements.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <tuple>

namespace nftlink::enforce {

void follow_bridges(firewall::Wanted& want, const nft::Batch& batch) {
    for (const nft::Operation& operation : batch)
        for (nft::Table& table : want.tables)
            for (nft::Set& set : table.sets) {
                if (table.family != operation.family || table.name != operation.table || set.size != 0)
                    continue;
                const auto place = [&](const nft::Element& element) {
                    return std::ranges::lower_bound(set.elements, element.key, {}, &nft::Element::key);
                };
                if (const auto* add = std::get_if<nft::AddElements>(&operation.action); add && add->set == set.name)
                    for (const nft::Element& element : add->elements)
                        set.elements.insert(place(element), element);
                if (const auto* gone = std::get_if<nft::DeleteElements>(&operation.action);
                    gone && gone->set == set.name)
                    for (const nft::Element& element : gone->elements)
                        if (const auto at = place(element); at != set.elements.end() && at->key == element.key)
                            set.elements.erase(at);
            }
}

void keep_counts(kernel::Kernel& kernel, nft::Batch& batch) {
    std::set<std::tuple<std::string_view, std::string_view, nft::Key>> gone;
    for (const nft::Operation& operation : batch)
        if (const auto* remove = std::get_if<nft::DeleteElements>(&operation.action))
            for (const nft::Element& element : remove->elements)
                gone.emplace(operation.table, remove->set, element.key);
    for (nft::Operation& operation : batch)
        if (auto* add = std::get_if<nft::AddElements>(&operation.action))
            for (nft::Element& element : add->elements)
                if (gone.contains({operation.table, add->set, element.key}))
                    if (const auto have = kernel.element(operation.family, operation.table, add->set, element.key))
                        element.counters = have->counters;
}

}  // namespace nftlink::enforce
