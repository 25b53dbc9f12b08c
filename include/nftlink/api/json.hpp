// JSON of described structs (Boost.Describe): their members by name, in the order of their declaration.
#pragma once

#include <fmt/format.h>

#include <boost/describe/enum_to_string.hpp>
#include <boost/describe/members.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/mp11/algorithm.hpp>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nftlink::api {

// A member that is null in JSON when it has no value. A plain std::optional is left out then.
template <typename T>
struct Nullable : std::optional<T> {
    Nullable() = default;
    Nullable(T value) : std::optional<T>(std::move(value)) {}
};

// An object whose members are named by what they are about, in this order.
template <typename T>
using Named = std::vector<std::pair<std::string, T>>;

template <typename T>
concept Record = std::is_class_v<T> && boost::describe::has_describe_members<T>::value;

template <Record T>
using Members = boost::describe::describe_members<T, boost::describe::mod_public | boost::describe::mod_inherited>;

namespace detail {

template <typename T>
constexpr bool is_optional = false;
template <typename T>
constexpr bool is_optional<std::optional<T>> = true;

// Appends a value's JSON text, the same that Boost.JSON would write of it. Texts may be any bytes: what is no UTF-8
// becomes U+FFFD.
class Writer {
public:
    std::string text;

    void write(bool value) { text += value ? "true" : "false"; }
    void write(std::integral auto value) {
        const fmt::format_int digits(value);
        text.append(digits.data(), digits.size());
    }
    void write(double value) { text += boost::json::serialize(boost::json::value(value)); }
    void write(std::string_view value);
    void write(const std::string& value) { write(std::string_view(value)); }
    template <typename E>
        requires std::is_enum_v<E>
    void write(E value) {
        write(std::string_view(boost::describe::enum_to_string(value, "unknown")));
    }
    void write(const boost::json::object& value) { text += boost::json::serialize(value); }

    template <typename T>
    void write(const Nullable<T>& value) {
        if (value)
            write(*value);
        else
            text += "null";
    }

    template <typename T>
    void write(const std::vector<T>& values) {
        char separator = '[';
        for (const T& value : values) {
            text += separator;
            write(value);
            separator = ',';
        }
        text += values.empty() ? "[]" : "]";
    }

    template <typename T>
    void write(const Named<T>& values) {
        char separator = '{';
        for (const auto& [name, value] : values) {
            text += separator;
            write(name);
            text += ':';
            write(value);
            separator = ',';
        }
        text += values.empty() ? "{}" : "}";
    }

    template <Record T>
    void write(const T& record) {
        const std::size_t begin = text.size();
        write_members(record);
        if (text.size() == begin)
            text += '{';
        text[begin] = '{';
        text += '}';
    }

    // Each member with a comma before it.
    template <Record T>
    void write_members(const T& record) {
        boost::mp11::mp_for_each<Members<T>>([&](auto member) { write_member(member.name, record.*member.pointer); });
    }

    template <typename T>
    void write_member(std::string_view name, const T& value) {
        if constexpr (is_optional<T>) {
            if (value)
                write_member(name, *value);
        } else {
            text += ",\"";
            text += name;
            text += "\":";
            write(value);
        }
    }
};

}  // namespace detail

template <Record T>
std::string to_text(const T& record) {
    detail::Writer writer;
    writer.write(record);
    return std::move(writer.text);
}

}  // namespace nftlink::api
