#include "fields.hpp"

#include <boost/json/value.hpp>

namespace nftlink::engine {

namespace json = boost::json;

std::string text(const json::object& record, std::string_view key) {
    const json::value* value = record.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

bool flag(const json::object& record, std::string_view key) {
    const json::value* value = record.if_contains(key);
    return value != nullptr && value->is_bool() && value->get_bool();
}

std::int64_t number(const json::object& record, std::string_view key) {
    const json::value* value = record.if_contains(key);
    return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

const json::object& object(const json::object& record, std::string_view key) {
    static const json::object nothing;
    const json::value* value = record.if_contains(key);
    return value != nullptr && value->is_object() ? value->get_object() : nothing;
}

const json::array& array(const json::object& record, std::string_view key) {
    static const json::array nothing;
    const json::value* value = record.if_contains(key);
    return value != nullptr && value->is_array() ? value->get_array() : nothing;
}

}  // namespace nftlink::engine
