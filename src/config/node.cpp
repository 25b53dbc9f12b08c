#include "node.hpp"

#include <algorithm>

namespace nftlink::config {

Node* new_node(Arena& arena, Kind kind, Place place) {
    std::pmr::polymorphic_allocator<> allocator(&arena);
    Node* node = allocator.new_object<Node>();
    node->kind = kind;
    node->place = place;
    return node;
}

std::string_view copy(Arena& arena, std::string_view text) {
    char* bytes = std::pmr::polymorphic_allocator<char>(&arena).allocate(text.size());
    std::ranges::copy(text, bytes);
    return {bytes, text.size()};
}

std::span<const Node* const> copy(Arena& arena, std::span<const Node* const> nodes) {
    const Node** pointers = std::pmr::polymorphic_allocator<const Node*>(&arena).allocate(nodes.size());
    std::ranges::copy(nodes, pointers);
    return {pointers, nodes.size()};
}

namespace {

// The index of the key among a map's children; their number when it has none.
std::size_t index_of(const Node& map, std::string_view key) {
    std::size_t i = 0;
    while (i < map.children.size() && map.children[i]->text != key)
        i += 2;
    return i;
}

}  // namespace

const Node* find_key(const Node& map, std::string_view key) {
    const std::size_t index = index_of(map, key);
    return index < map.children.size() ? map.children[index] : nullptr;
}

const Node* find(const Node& map, std::string_view key) {
    const std::size_t index = index_of(map, key);
    return index + 1 < map.children.size() ? map.children[index + 1] : nullptr;
}

}  // namespace nftlink::config
