#include "tree_builder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "words.hpp"
#include "yaml.hpp"

namespace nftlink::config {

namespace {

constexpr std::string_view yaml_tags = "tag:yaml.org,2002:";
// yaml-cpp's tags for what has none: plain, and quoted or `!`.
constexpr std::string_view no_tag = "?";
constexpr std::string_view quoted = "!";

std::string tag_message(std::string_view tag) {
    if (tag.starts_with(yaml_tags))
        return fmt::format("the tag {} is not supported here; write the value without it",
                           quote("!!" + std::string(tag.substr(yaml_tags.size()))));
    return fmt::format("the tag {} is not supported; write the value without it", quote(tag));
}

bool is_yaml_tag(std::string_view tag, std::string_view name) {
    return tag.starts_with(yaml_tags) && tag.substr(yaml_tags.size()) == name;
}

std::uint32_t add_saturating(std::uint32_t a, std::uint32_t b) {
    return a > std::numeric_limits<std::uint32_t>::max() - b ? std::numeric_limits<std::uint32_t>::max() : a + b;
}

}  // namespace

void TreeBuilder::abort(Place place, std::string message) {
    report_.error(place, std::move(message));
    throw Abort{};
}

void TreeBuilder::OnDocumentStart(const YAML::Mark& mark) {
    if (root_ == nullptr)
        return;
    const Place place = place_of(mark);
    if (report_.source(source_).text().substr(place.offset).starts_with("---"))
        abort(place, "a second YAML document starts here; a configuration is one document");
    abort(place, "the configuration has ended before this; is the indentation right?");
}

// yaml-cpp puts an absent value at the token after it: give it the place of its key, or of the dash or comma before it.
Place TreeBuilder::place_of_null(const YAML::Mark& mark) const {
    const Place place = place_of(mark);
    if (awaits_value())
        return pending_.back()->place;
    const std::string_view text = report_.source(source_).text();
    if (place.offset < text.size() && std::string_view("~nN&!").find(text[place.offset]) != std::string_view::npos)
        return place;
    const auto before = text.substr(0, place.offset).find_last_not_of(" \t\r\n");
    if (before != std::string_view::npos && std::string_view("-,[?").find(text[before]) != std::string_view::npos)
        return {source_, static_cast<std::uint32_t>(before)};
    return place;
}

bool TreeBuilder::awaits_value() const {
    return !frames_.empty() && frames_.back().node->kind == Kind::map &&
           (pending_.size() - frames_.back().first_child) % 2 == 1;
}

void TreeBuilder::name_anchor(YAML::anchor_t anchor, const Node* node) {
    if (anchor == 0)
        return;
    if (anchors_.size() <= anchor)
        anchors_.resize(anchor + 1);
    anchors_[anchor] = node;
}

void TreeBuilder::add(const Node* node) {
    if (frames_.empty())
        root_ = node;
    else
        pending_.push_back(node);
}

void TreeBuilder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
    const Node* node = new_node(arena_, Kind::null, place_of_null(mark));
    name_anchor(anchor, node);
    add(node);
}

void TreeBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
    const Place place = place_of(mark);
    const Node* node = anchor < anchors_.size() ? anchors_[anchor] : nullptr;
    if (node == nullptr || node->open)
        abort(place, "this alias stands inside the value that it refers to");
    alias_nodes_ += node->weight;
    if (alias_nodes_ > max_alias_nodes)
        abort(place, fmt::format("the aliases up to here stand for more than {} values", max_alias_nodes));
    add(node);
}

void TreeBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                           const std::string& value) {
    Node* node = new_node(arena_, Kind::scalar, place_of(mark));
    node->plain = tag == no_tag;
    if (!node->plain)
        last_quoted_ = node;
    node->text = copy(arena_, value);
    if (!node->plain && tag != quoted && !is_yaml_tag(tag, "str"))
        report_.error(node->place, tag_message(tag));
    name_anchor(anchor, node);
    add(node);
}

void TreeBuilder::open(Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    const Place place = place_of(mark);
    if (frames_.size() >= max_depth)
        abort(place, fmt::format("values are nested more than {} deep here", max_depth));
    Node* node = new_node(arena_, kind, place);
    node->open = true;
    name_anchor(anchor, node);
    frames_.push_back({node, pending_.size()});
}

Node* TreeBuilder::close() {
    const auto [node, first_child] = frames_.back();
    frames_.pop_back();
    node->children = copy(arena_, std::span(pending_).subspan(first_child));
    pending_.resize(first_child);
    for (const Node* child : node->children)
        node->weight = add_saturating(node->weight, child->weight);
    node->open = false;
    add(node);
    return node;
}

void TreeBuilder::OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                                  YAML::EmitterStyle::value) {
    if (tag != no_tag && !is_yaml_tag(tag, "seq"))
        report_.error(place_of(mark), tag_message(tag));
    open(Kind::list, mark, anchor);
}

void TreeBuilder::OnSequenceEnd() {
    close();
}

void TreeBuilder::OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                             YAML::EmitterStyle::value) {
    if (tag != no_tag && !is_yaml_tag(tag, "map"))
        report_.error(place_of(mark), tag_message(tag));
    open(Kind::map, mark, anchor);
}

void TreeBuilder::OnMapEnd() {
    drop_bad_entries(frames_.back().first_child);
    close();
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
