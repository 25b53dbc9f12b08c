// YAML as a tree of plain values that know their places. Anchors and tags are resolved: an alias is its anchor's node.
#pragma once

#include <cstdint>
#include <memory_resource>
#include <span>
#include <string_view>

#include "report.hpp"

namespace nftlink::config {

enum class Kind : std::uint8_t { null, scalar, list, map };

struct Node {
    Kind kind = Kind::null;
    bool plain = false;                     // of a scalar: written without quotes and without a tag
    bool open = false;                      // its end hasn't been read yet
    std::uint32_t weight = 1;               // how many nodes it stands for, aliases expanded
    Place place;                            // of a null in a map: its key's place
    std::string_view text;                  // of a scalar
    std::span<const Node* const> children;  // of a list: its items; of a map: key, value, key, value…; keys are scalars
};

// Owns nodes and their texts; all go together.
using Arena = std::pmr::monotonic_buffer_resource;

Node* new_node(Arena& arena, Kind kind, Place place);
std::string_view copy(Arena& arena, std::string_view text);
std::span<const Node* const> copy(Arena& arena, std::span<const Node* const> nodes);

// A map's key, or null.
const Node* find_key(const Node& map, std::string_view key);
// The value of a map's key, or null.
const Node* find(const Node& map, std::string_view key);

// Calls use(key, value) for each entry of a map, in the order given; there are none in a null.
void for_each_entry(const Node& map, auto&& use) {
    for (std::size_t i = 0; i + 1 < map.children.size(); i += 2)
        use(*map.children[i], *map.children[i + 1]);
}

}  // namespace nftlink::config
