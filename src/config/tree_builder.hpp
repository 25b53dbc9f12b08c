// Builds the tree of a text from its parts in their order, whatever the text is written in.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "node.hpp"
#include "report.hpp"

namespace nftlink::config {

// Far above any honest configuration's.
inline constexpr std::size_t max_depth = 64;

// Thrown through a parser when reading on makes no sense; the reason has been reported.
struct Abort {};

class TreeBuilder {
public:
    TreeBuilder(Arena& arena, Report& report) : arena_(arena), report_(report) {}

    // Null until the outermost value has been read.
    const Node* root() const { return root_; }
    // The key whose value comes next; null when the next value has none.
    const Node* open_key() const;

    // A map's keys and values come in turn.
    void add(const Node* node);
    Node* add_scalar(std::string_view text, Place place, bool plain);
    // The list or map begins; close() ends the one that began last. Throws Abort when it is nested too deep.
    Node* open(Kind kind, Place place);
    // Keys that can't be, and those that a map has already, are reported and dropped with their values.
    void close();

    [[noreturn]] void abort(Place place, std::string message);

private:
    // A list or map whose end hasn't come yet; its children are the top of pending_, from first_child on.
    struct Frame {
        Node* node;
        std::size_t first_child;
    };

    void drop_bad_entries(std::size_t first_child);
    bool is_good_key(const Node& key);

    Arena& arena_;
    Report& report_;
    const Node* root_ = nullptr;
    std::vector<Frame> frames_;
    std::vector<const Node*> pending_;
    std::unordered_map<std::string_view, const Node*> keys_;  // of the map that ends
};

}  // namespace nftlink::config
