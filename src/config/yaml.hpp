// One YAML document → a tree of nodes; all that yaml-cpp is used for.
#pragma once

#include <cstddef>
#include <cstdint>

#include "node.hpp"
#include "report.hpp"

namespace nftlink::config {

// Limits against texts made to exhaust us, far above any honest configuration.
inline constexpr std::size_t max_source_bytes = std::size_t{64} << 20;
inline constexpr std::size_t max_alias_nodes = 1'000'000;

struct Document {
    const Node* root = nullptr;  // null: nothing of it can be read
    bool whole = false;          // false: there was more in the source that root doesn't have
};

// Reads a source as one document; the root of an empty one is a null node. Everything wrong with it as YAML goes to the
// report, and also what we don't take: a second document, keys that are lists or maps, merge keys, tags of one's own,
// aliases within their own anchor, and a key that one map has twice, whose first value stands.
Document read_yaml(std::uint32_t source, Arena& arena, Report& report);

}  // namespace nftlink::config
