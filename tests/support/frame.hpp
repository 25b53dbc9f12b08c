// What the kernel in memory has of the frame.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nftlink/kernel/fake_kernel.hpp"

namespace nftlink {

// A set of one of our tables; one without elements where there is none.
inline nft::Set set_in(kernel::FakeKernel& kernel, std::string_view name) {
    for (const auto& [family, of] : {std::pair(nft::Family::inet, "nftlink"), {nft::Family::bridge, "nftlink-frames"}})
        if (const nft::Table* table = kernel.ruleset().table(family, of);
            table != nullptr && table->set(name) != nullptr)
            return *table->set(name);
    return {};
}

// How many links' elements there are.
inline std::size_t link_elements(kernel::FakeKernel& kernel) {
    return set_in(kernel, "links4").elements.size();
}

// The names in a set of bridges, or the first ones in a set of pairs.
inline std::vector<std::string> bridges_in(kernel::FakeKernel& kernel, std::string_view name) {
    std::vector<std::string> bridges;
    for (const nft::Element& element : set_in(kernel, name).elements)
        bridges.emplace_back(reinterpret_cast<const char*>(element.key.bytes().data()));
    return bridges;
}

}  // namespace nftlink
