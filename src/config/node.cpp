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

const Node* find(const Node& map, std::string_view key) {
    for (std::size_t i = 0; i + 1 < map.children.size(); i += 2)
        if (map.children[i]->text == key)
            return map.children[i + 1];
    return nullptr;
}

}  // namespace nftlink::config
