#include "repeated_member.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/error.hpp>
#include <limits>
#include <unordered_set>
#include <vector>

namespace nftlink::api {

namespace json = boost::json;

namespace {

// The parser calls these for each part of the text; a false ends it. Only objects and their members' names matter.
struct Handler {
    static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_array_size = max_object_size;
    static constexpr std::size_t max_key_size = max_object_size;
    static constexpr std::size_t max_string_size = max_object_size;

    std::vector<std::unordered_set<std::string>> objects;  // the names so far, of each object that hasn't ended
    std::string name;

    bool on_object_begin(json::error_code&) {
        objects.emplace_back();
        return true;
    }
    bool on_object_end(std::size_t, json::error_code&) {
        objects.pop_back();
        return true;
    }
    bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
        name += part;
        return true;
    }
    bool on_key(json::string_view rest, std::size_t, json::error_code& error) {
        name += rest;
        if (!objects.back().insert(name).second) {
            error = json::error::syntax;
            return false;
        }
        name.clear();
        return true;
    }

    bool on_document_begin(json::error_code&) { return true; }
    bool on_document_end(json::error_code&) { return true; }
    bool on_array_begin(json::error_code&) { return true; }
    bool on_array_end(std::size_t, json::error_code&) { return true; }
    bool on_string_part(json::string_view, std::size_t, json::error_code&) { return true; }
    bool on_string(json::string_view, std::size_t, json::error_code&) { return true; }
    bool on_number_part(json::string_view, json::error_code&) { return true; }
    bool on_int64(std::int64_t, json::string_view, json::error_code&) { return true; }
    bool on_uint64(std::uint64_t, json::string_view, json::error_code&) { return true; }
    bool on_double(double, json::string_view, json::error_code&) { return true; }
    bool on_bool(bool, json::error_code&) { return true; }
    bool on_null(json::error_code&) { return true; }
    bool on_comment_part(json::string_view, json::error_code&) { return true; }
    bool on_comment(json::string_view, json::error_code&) { return true; }
};

}  // namespace

std::optional<RepeatedMember> find_repeated_member(std::string_view text, std::size_t max_depth) {
    json::basic_parser<Handler> parser({.max_depth = max_depth});
    json::error_code error;
    const std::size_t end = parser.write_some(false, text.data(), text.size(), error);
    if (!error)
        return {};
    return RepeatedMember{std::move(parser.handler().name), end};
}

}  // namespace nftlink::api
