#include "reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace nftlink::config {

namespace {

constexpr std::string_view no_hints[] = {"no", "off", "n"};
constexpr std::string_view yes_hints[] = {"yes", "on", "y"};

bool matches(std::string_view text, std::span<const std::string_view> words) {
    return std::ranges::any_of(words, [text](std::string_view word) { return edit_distance(text, word) == 0; });
}

}  // namespace

std::string_view boolean_advice(const Node& node) {
    if (node.kind != Kind::scalar)
        return "";
    if (!node.plain && (node.text == "true" || node.text == "false"))
        return "; write it without quotes";
    if (matches(node.text, yes_hints))
        return "; write true";
    return matches(node.text, no_hints) ? "; write false" : "";
}

void refuse(Report& report, const Node& node, std::string_view name, std::string_view expected,
            std::string_view advice) {
    const bool quoted = node.kind == Kind::scalar && !node.plain;
    report.error(node.place, fmt::format("{} must be {}, not {}{}{}", quote(name), expected, quoted ? "the text " : "",
                                         describe(node), advice));
}

void refuse_item(Report& report, const Node& item, std::string_view name, std::string_view expected,
                 std::string_view advice) {
    report.error(item.place,
                 fmt::format("each of {} must be {}, not {}{}", quote(name), expected, describe(item), advice));
}

void refuse_later(Report& report, Place place, std::string_view name) {
    report.error(place, fmt::format("'{}' is not supported yet", name));
}

void refuse_unknown_key(Report& report, const Node& key, std::span<const std::string_view> known) {
    report.error(key.place, fmt::format("unknown key {}{}", quote(key.text), suggest(key.text, known)));
}

std::optional<bool> to_boolean(const Node& node) {
    if (node.kind != Kind::scalar || !node.plain)
        return std::nullopt;
    if (node.text == "true" || node.text == "True" || node.text == "TRUE")
        return true;
    if (node.text == "false" || node.text == "False" || node.text == "FALSE")
        return false;
    return std::nullopt;
}

std::optional<std::uint64_t> to_number(std::string_view text) {
    const int base = text.starts_with("0x") ? 16 : 10;
    const std::string_view digits = base == 16 ? text.substr(2) : text;
    if (base == 10 && digits.size() > 1 && digits.front() == '0')
        return std::nullopt;
    std::uint64_t number = 0;
    const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
    if (digits.empty() || problem != std::errc{} || end != digits.data() + digits.size())
        return std::nullopt;
    return number;
}

MapReader::MapReader(const Node& node, std::string_view name, std::span<const std::string_view> known, Report& report)
    : report_(report) {
    if (node.kind != Kind::map && node.kind != Kind::null) {
        refuse(report, node, name, "a map");
        return;
    }
    map_ = &node;
    for_each_entry(node, [&](const Node& key, const Node&) {
        if (std::ranges::find(known, key.text) == known.end())
            refuse_unknown_key(report, key, known);
    });
}

const Node* MapReader::get(std::string_view key) const {
    return map_ == nullptr ? nullptr : find(*map_, key);
}

void MapReader::read_boolean(std::string_view key, bool& value) {
    const Node* node = get(key);
    if (node == nullptr)
        return;
    if (const auto boolean = to_boolean(*node))
        value = *boolean;
    else
        refuse(report_, *node, key, "true or false", boolean_advice(*node));
}

const Node* MapReader::get_text(std::string_view key, std::string_view expected) {
    const Node* node = get(key);
    if (node == nullptr || node->kind == Kind::scalar)
        return node;
    refuse(report_, *node, key, expected);
    return nullptr;
}

const Node* MapReader::get_list(std::string_view key, std::string_view expected) {
    const Node* node = get(key);
    if (node == nullptr || node->kind == Kind::null)
        return nullptr;
    if (node->kind == Kind::list)
        return node;
    refuse(report_, *node, key, expected,
           node->kind == Kind::scalar ? fmt::format("; write [{}]", node->text.size() <= 64 ? node->text : "…") : "");
    return nullptr;
}

std::optional<std::size_t> MapReader::choose(std::string_view key, std::span<const std::string_view> words) {
    const Node* node = get(key);
    if (node == nullptr)
        return std::nullopt;
    if (node->kind == Kind::scalar) {
        const auto found = std::ranges::find(words, node->text);
        if (found != words.end())
            return static_cast<std::size_t>(found - words.begin());
    }
    const std::string advice = node->kind == Kind::scalar ? suggest(node->text, words) : "";
    report_.error(node->place, fmt::format("'{}' must be {}, not {}{}", key, either(words), describe(*node), advice));
    return std::nullopt;
}

void MapReader::only_false(std::string_view key) {
    const Node* node = get(key);
    if (node == nullptr)
        return;
    const auto boolean = to_boolean(*node);
    if (!boolean)
        refuse(report_, *node, key, "true or false", boolean_advice(*node));
    else if (*boolean)
        refuse_later(report_, node->place, fmt::format("{}: true", key));
}

}  // namespace nftlink::config
