#include "fields.hpp"

#include <boost/json/value.hpp>

#include "nftlink/base/suggestion.hpp"

namespace nftlink::cli {

namespace json = boost::json;

namespace {

const json::object& nothing() {
    static const json::object empty;
    return empty;
}

}  // namespace

Fields::Fields(const json::value& value) : record_(value.is_object() ? &value.get_object() : &nothing()) {}

const json::value* Fields::value(std::string_view key) const {
    const json::value* found = record_->if_contains(key);
    return found == nullptr || found->is_null() ? nullptr : found;
}

std::string Fields::text(std::string_view key) const {
    const json::value* found = value(key);
    return found != nullptr && found->is_string() ? base::escape(found->get_string()) : "";
}

std::string Fields::text(std::string_view key, std::string_view otherwise) const {
    const std::string found = text(key);
    return found.empty() ? std::string(otherwise) : found;
}

std::optional<std::uint64_t> Fields::number(std::string_view key) const {
    const json::value* found = value(key);
    boost::system::error_code no_number;
    const auto number = found != nullptr ? found->to_number<std::uint64_t>(no_number) : 0;
    return found == nullptr || no_number ? std::nullopt : std::optional(number);
}

std::string Fields::number_text(std::string_view key) const {
    const auto found = number(key);
    return found ? std::to_string(*found) : "?";
}

std::optional<double> Fields::real(std::string_view key) const {
    const json::value* found = value(key);
    boost::system::error_code no_number;
    const auto number = found != nullptr ? found->to_number<double>(no_number) : 0;
    return found == nullptr || no_number ? std::nullopt : std::optional(number);
}

bool Fields::flag(std::string_view key) const {
    const json::value* found = value(key);
    return found != nullptr && found->is_bool() && found->get_bool();
}

Fields Fields::record(std::string_view key) const {
    const json::value* found = value(key);
    return found != nullptr ? Fields(*found) : Fields(nothing());
}

const json::array& Fields::list(std::string_view key) const {
    static const json::array empty;
    const json::value* found = value(key);
    return found != nullptr && found->is_array() ? found->get_array() : empty;
}

std::vector<std::string> Fields::texts(std::string_view key) const {
    std::vector<std::string> found;
    for (const json::value& item : list(key))
        if (item.is_string())
            found.push_back(base::escape(item.get_string()));
    return found;
}

}  // namespace nftlink::cli
