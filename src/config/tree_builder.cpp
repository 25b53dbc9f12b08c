#include "tree_builder.hpp"

#include <fmt/format.h>

#include <limits>
#include <span>

#include "words.hpp"

namespace nftlink::config {

namespace {

std::uint32_t add_saturating(std::uint32_t a, std::uint32_t b) {
    return a > std::numeric_limits<std::uint32_t>::max() - b ? std::numeric_limits<std::uint32_t>::max() : a + b;
}

}  // namespace

void TreeBuilder::abort(Place place, std::string message) {
    report_.error(place, std::move(message));
    throw Abort{};
}

const Node* TreeBuilder::open_key() const {
    const bool awaits_value = !frames_.empty() && frames_.back().node->kind == Kind::map &&
                              (pending_.size() - frames_.back().first_child) % 2 == 1;
    return awaits_value ? pending_.back() : nullptr;
}

void TreeBuilder::add(const Node* node) {
    if (frames_.empty())
        root_ = node;
    else
        pending_.push_back(node);
}

Node* TreeBuilder::add_scalar(std::string_view text, Place place, bool plain) {
    Node* node = new_node(arena_, Kind::scalar, place);
    node->plain = plain;
    node->text = copy(arena_, text);
    add(node);
    return node;
}

Node* TreeBuilder::open(Kind kind, Place place) {
    if (frames_.size() >= max_depth)
        abort(place, fmt::format("values are nested more than {} deep here", max_depth));
    Node* node = new_node(arena_, kind, place);
    node->open = true;
    frames_.push_back({node, pending_.size()});
    return node;
}

void TreeBuilder::close() {
    const auto [node, first_child] = frames_.back();
    if (node->kind == Kind::map)
        drop_bad_entries(first_child);
    frames_.pop_back();
    node->children = copy(arena_, std::span(pending_).subspan(first_child));
    pending_.resize(first_child);
    for (const Node* child : node->children)
        node->weight = add_saturating(node->weight, child->weight);
    node->open = false;
    add(node);
}

bool TreeBuilder::is_good_key(const Node& key) {
    if (key.kind != Kind::scalar) {
        report_.error(key.place, key.kind == Kind::null ? std::string("a key is missing here")
                                                        : fmt::format("a key must be a word, not {}", describe(key)));
        return false;
    }
    if (key.plain && key.text == "<<") {
        report_.error(key.place, "merge keys ('<<') are not supported; write the settings out");
        return false;
    }
    const auto [first, added] = keys_.emplace(key.text, &key);
    if (!added)
        report_.error(key.place, fmt::format("{} is given twice; the first is at {}", quote(key.text),
                                             report_.at(first->second->place)));
    return added;
}

void TreeBuilder::drop_bad_entries(std::size_t first_child) {
    keys_.clear();
    std::size_t kept = first_child;
    for (std::size_t i = first_child; i + 1 < pending_.size(); i += 2) {
        if (!is_good_key(*pending_[i]))
            continue;
        pending_[kept++] = pending_[i];
        pending_[kept++] = pending_[i + 1];
    }
    pending_.resize(kept);
}

}  // namespace nftlink::config
