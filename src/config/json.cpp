#include "json.hpp"

#include <fmt/format.h>

#include <boost/json/basic_parser_impl.hpp>
#include <limits>
#include <string>
#include <vector>

#include "tree_builder.hpp"

namespace nftlink::config {

namespace json = boost::json;

namespace {

// Boost.JSON's parser calls these for each part of the text, in order; a false would end it.
class JsonBuilder {
public:
    static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_array_size = max_object_size;
    static constexpr std::size_t max_key_size = max_object_size;
    static constexpr std::size_t max_string_size = max_object_size;

    JsonBuilder(std::uint32_t source, Arena& arena, Report& report)
        : source_(source), arena_(arena), report_(report), tree_(arena, report) {}

    const Node* root() const { return tree_.root(); }

    bool on_object_begin(json::error_code&) { return open(Kind::map); }
    bool on_object_end(std::size_t, json::error_code&) { return close(); }
    bool on_array_begin(json::error_code&) { return open(Kind::list); }
    bool on_array_end(std::size_t, json::error_code&) { return close(); }

    bool on_key_part(json::string_view part, std::size_t, json::error_code&) { return add_part(part); }
    bool on_key(json::string_view rest, std::size_t, json::error_code&) {
        add_part(rest);
        Node* key = add_scalar({}, false);
        key->place = {source_, places().add_member(open_.back().place, key->text)};
        return true;
    }
    bool on_string_part(json::string_view part, std::size_t, json::error_code&) { return add_part(part); }
    bool on_string(json::string_view rest, std::size_t, json::error_code&) {
        add_part(rest);
        return add_scalar(next_place(), false) != nullptr;
    }
    bool on_number_part(json::string_view part, json::error_code&) { return add_part(part); }
    bool on_int64(std::int64_t, json::string_view rest, json::error_code&) { return add_plain(rest); }
    bool on_uint64(std::uint64_t, json::string_view rest, json::error_code&) { return add_plain(rest); }
    bool on_double(double, json::string_view rest, json::error_code&) { return add_plain(rest); }
    bool on_bool(bool value, json::error_code&) { return add_plain(value ? "true" : "false"); }
    bool on_null(json::error_code&) {
        const Node* key = tree_.open_key();
        const Place place = next_place();
        tree_.add(new_node(arena_, Kind::null, key != nullptr ? key->place : place));
        return true;
    }

    bool on_document_begin(json::error_code&) { return true; }
    bool on_document_end(json::error_code&) { return true; }
    bool on_comment_part(json::string_view, json::error_code&) { return true; }
    bool on_comment(json::string_view, json::error_code&) { return true; }

private:
    // An object or list that hasn't ended.
    struct Open {
        std::uint32_t place;
        std::uint32_t count = 0;  // of a list: its items so far
    };

    JsonSource& places() { return report_.json(source_); }

    // Of the value that comes now.
    Place next_place() {
        if (open_.empty())
            return {source_, 0};
        Open& parent = open_.back();
        if (const Node* key = tree_.open_key())
            return {source_, places().add_member(parent.place, key->text)};
        return {source_, places().add_item(parent.place, parent.count++)};
    }

    bool open(Kind kind) {
        const Place place = next_place();
        tree_.open(kind, place);
        open_.push_back({place.offset});
        return true;
    }

    bool close() {
        open_.pop_back();
        tree_.close();
        return true;
    }

    bool add_part(json::string_view part) {
        text_ += part;
        return true;
    }

    Node* add_scalar(Place place, bool plain) {
        Node* node = tree_.add_scalar(text_, place, plain);
        text_.clear();
        return node;
    }

    bool add_plain(json::string_view rest) {
        add_part(rest);
        return add_scalar(next_place(), true) != nullptr;
    }

    std::uint32_t source_;
    Arena& arena_;
    Report& report_;
    TreeBuilder tree_;
    std::vector<Open> open_;
    std::string text_;  // of the key, string or number that is under way
};

}  // namespace

const Node* read_json(std::string_view text, std::uint32_t source, Arena& arena, Report& report) {
    // The tree refuses what is too deep before the parser does.
    json::basic_parser<JsonBuilder> parser({.max_depth = max_depth + 1}, source, arena, report);
    json::error_code error;
    try {
        std::size_t end = parser.write_some(false, text.data(), text.size(), error);
        if (!error && end < text.size())
            error = json::error::extra_data;
        if (!error)
            return parser.handler().root();
        report.error({source}, fmt::format("this is no JSON: {} at byte {}", error.message(), end));
    } catch (const Abort&) {
    }
    return nullptr;
}

}  // namespace nftlink::config
