// One JSON text → a tree of nodes, whose places are JSON pointers.
#pragma once

#include <cstdint>
#include <string_view>

#include "node.hpp"
#include "report.hpp"

namespace nftlink::config {

// Reads the text of a JSON source. Strings are quoted scalars; numbers are plain ones and stay as they are written.
// Null, with an error, for what is no JSON. Of a member that is given twice the first stands, with an error.
const Node* read_json(std::string_view text, std::uint32_t source, Arena& arena, Report& report);

}  // namespace nftlink::config
