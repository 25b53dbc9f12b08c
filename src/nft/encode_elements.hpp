// Set elements as attributes, written flat: no object per element, the bytes that libnftnl gives for the same elements.
#pragma once

#include <cstddef>
#include <span>

#include "nftlink/nft/ruleset.hpp"

namespace nftlink::nft {

// The part of an element that a message holds: to add one, all of it; to delete one, its key.
enum class ElementPart { whole, key };

// The bytes of one element, padding included.
std::size_t encoded_size(const Element& element, ElementPart part);

// Appends NFTA_SET_ELEM_LIST_ELEMENTS with as many of the elements, which aren't empty, as one attribute can hold. How
// many those are.
std::size_t append_elements(Bytes& out, std::span<const Element> elements, ElementPart part);

}  // namespace nftlink::nft
