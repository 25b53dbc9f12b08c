// What the kernel in memory has of the frame.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "nftlink/kernel/fake_kernel.hpp"

namespace nftlink::service {

// A set of our table; one without elements where there is none.
inline nft::Set set_in(kernel::FakeKernel& kernel, std::string_view name) {
    const nft::Table* table = kernel.ruleset().table(nft::Family::inet, "nftlink");
    const nft::Set* set = table == nullptr ? nullptr : table->set(name);
    return set == nullptr ? nft::Set{} : *set;
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

}  // namespace nftlink::service
