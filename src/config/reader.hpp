// Typed reading of a map, with messages in one voice: `'layout' must be sets or rules, not 'set'`.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "node.hpp"
#include "report.hpp"
#include "words.hpp"

namespace nftlink::config {

// Reports `'name' must be EXPECTED, not FOUND` and then the advice.
void refuse(Report& report, const Node& node, std::string_view name, std::string_view expected,
            std::string_view advice = "");
// Reports `each of 'name' must be EXPECTED, not FOUND` of an item of a list.
void refuse_item(Report& report, const Node& item, std::string_view name, std::string_view expected,
                 std::string_view advice = "");
// Reports `'name' is not supported yet`.
void refuse_later(Report& report, Place place, std::string_view name);
void refuse_unknown_key(Report& report, const Node& key, std::span<const std::string_view> known);

// A word of the configuration and the value it stands for.
template <typename T>
struct Choice {
    std::string_view word;
    T value;
};

// Reads the keys of one map. Nothing it finds wrong stops it; a setting that is wrong keeps its default.
class MapReader {
public:
    // `known` are all keys the map may have; it must outlive the reader. A null is an empty map. Reports what isn't a
    // map, and unknown keys.
    MapReader(const Node& node, std::string_view name, std::span<const std::string_view> known, Report& report);

    bool is_map() const { return map_ != nullptr; }
    // Null when the key is absent; one of `known`.
    const Node* get(std::string_view key) const;

    void read_boolean(std::string_view key, bool& value);
    // Any scalar, quoted or not, as it is written. Null when absent or refused.
    const Node* get_text(std::string_view key, std::string_view expected);
    // Null when absent, empty or refused.
    const Node* get_list(std::string_view key, std::string_view expected);

    template <typename T, std::size_t N>
    void read_choice(std::string_view key, const Choice<T> (&choices)[N], T& value) {
        std::string_view words[N];
        for (std::size_t i = 0; i < N; ++i)
            words[i] = choices[i].word;
        if (const auto index = choose(key, words))
            value = choices[*index].value;
    }

    // A key whose default asks for nothing and whose other value a later version will have.
    void only_false(std::string_view key);

private:
    std::optional<std::size_t> choose(std::string_view key, std::span<const std::string_view> words);

    const Node* map_ = nullptr;
    Report& report_;
};

// The advice for a value that isn't a boolean but looks like one; empty when it doesn't.
std::string_view boolean_advice(const Node& node);
// `true` and `false` as YAML 1.2 spells them.
std::optional<bool> to_boolean(const Node& node);
// A plain decimal number without leading zeros, or a hexadecimal one after 0x.
std::optional<std::uint64_t> to_number(std::string_view text);

}  // namespace nftlink::config
