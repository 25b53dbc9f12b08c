#include "yaml_builder.hpp"

#include <fmt/format.h>

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

}  // namespace

void YamlBuilder::OnDocumentStart(const YAML::Mark& mark) {
    if (root() == nullptr)
        return;
    const Place place = place_of(mark);
    if (report_.source(source_).text().substr(place.offset).starts_with("---"))
        tree_.abort(place, "a second YAML document starts here; a configuration is one document");
    tree_.abort(place, "the configuration has ended before this; is the indentation right?");
}

// yaml-cpp puts an absent value at the token after it: give it the place of its key, or of the dash or comma before it.
Place YamlBuilder::place_of_null(const YAML::Mark& mark) const {
    const Place place = place_of(mark);
    if (const Node* key = tree_.open_key())
        return key->place;
    const std::string_view text = report_.source(source_).text();
    if (place.offset < text.size() && std::string_view("~nN&!").find(text[place.offset]) != std::string_view::npos)
        return place;
    const auto before = text.substr(0, place.offset).find_last_not_of(" \t\r\n");
    if (before != std::string_view::npos && std::string_view("-,[?").find(text[before]) != std::string_view::npos)
        return {source_, static_cast<std::uint32_t>(before)};
    return place;
}

void YamlBuilder::name_anchor(YAML::anchor_t anchor, const Node* node) {
    if (anchor == 0)
        return;
    if (anchors_.size() <= anchor)
        anchors_.resize(anchor + 1);
    anchors_[anchor] = node;
}

void YamlBuilder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
    const Node* node = new_node(arena_, Kind::null, place_of_null(mark));
    name_anchor(anchor, node);
    tree_.add(node);
}

void YamlBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
    const Place place = place_of(mark);
    const Node* node = anchor < anchors_.size() ? anchors_[anchor] : nullptr;
    if (node == nullptr || node->open)
        tree_.abort(place, "this alias stands inside the value that it refers to");
    alias_nodes_ += node->weight;
    if (alias_nodes_ > max_alias_nodes)
        tree_.abort(place, fmt::format("the aliases up to here stand for more than {} values", max_alias_nodes));
    tree_.add(node);
}

void YamlBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                           const std::string& value) {
    const Node* node = tree_.add_scalar(value, place_of(mark), tag == no_tag);
    if (!node->plain)
        last_quoted_ = node;
    if (!node->plain && tag != quoted && !is_yaml_tag(tag, "str"))
        report_.error(node->place, tag_message(tag));
    name_anchor(anchor, node);
}

void YamlBuilder::OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                                  YAML::EmitterStyle::value) {
    if (tag != no_tag && !is_yaml_tag(tag, "seq"))
        report_.error(place_of(mark), tag_message(tag));
    name_anchor(anchor, tree_.open(Kind::list, place_of(mark)));
}

void YamlBuilder::OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                             YAML::EmitterStyle::value) {
    if (tag != no_tag && !is_yaml_tag(tag, "map"))
        report_.error(place_of(mark), tag_message(tag));
    name_anchor(anchor, tree_.open(Kind::map, place_of(mark)));
}

}  // namespace nftlink::config
