// The form of values and advice in messages.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "nftlink/base/suggestion.hpp"
#include "node.hpp"

namespace nftlink::config {

using base::edit_distance;
using base::escape;
using base::quote;
using base::Suggestion;

// The kind of a value, for "must be …, not …": `a map`, `a list`, `empty`, or the quoted text.
std::string describe(const Node& node);

// `a`, `a or b`, `a, b or c`
std::string either(std::span<const std::string_view> choices);

std::string suggest(std::string_view misspelt, std::span<const std::string_view> words);

}  // namespace nftlink::config
