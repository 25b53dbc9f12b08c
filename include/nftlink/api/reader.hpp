// Described structs out of JSON, as tolerantly as a client must read: the service may be older or newer than it is.
#pragma once

#include <boost/describe/enum_from_string.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <boost/mp11/algorithm.hpp>
#include <concepts>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "nftlink/api/json.hpp"

namespace nftlink::api {

namespace detail {

// Each says whether the value is of the member's kind; if it isn't, the member stays as it is.
struct Reader {
    static bool read(const boost::json::value& from, bool& to);
    static bool read(const boost::json::value& from, std::string& to);
    static bool read(const boost::json::value& from, boost::json::object& to);

    template <typename T>
        requires std::integral<T> || std::floating_point<T>
    static bool read(const boost::json::value& from, T& to) {
        boost::system::error_code no_number;
        const T number = from.to_number<T>(no_number);
        if (!no_number)
            to = number;
        return !no_number;
    }

    // By its enumerator's name.
    template <typename E>
        requires std::is_enum_v<E>
    static bool read(const boost::json::value& from, E& to) {
        return from.is_string() && boost::describe::enum_from_string(from.get_string().c_str(), to);
    }

    template <typename T>
    static bool read(const boost::json::value& from, std::optional<T>& to) {
        T value{};
        if (!read(from, value))
            return false;
        to = std::move(value);
        return true;
    }

    // A record keeps its place even when it is none: whoever counts them counts all. Other items are left out.
    template <typename T>
    static bool read(const boost::json::value& from, std::vector<T>& to) {
        if (!from.is_array())
            return false;
        for (const boost::json::value& item : from.get_array()) {
            T value{};
            if (read(item, value) || Record<T>)
                to.push_back(std::move(value));
        }
        return true;
    }

    template <typename T>
    static bool read(const boost::json::value& from, Named<T>& to) {
        if (!from.is_object())
            return false;
        for (const auto& [name, value] : from.get_object())
            read(value, to.emplace_back(name, T{}).second);
        return true;
    }

    template <Record T>
    static bool read(const boost::json::value& from, T& to) {
        if (from.is_object())
            read_members(from.get_object(), to);
        return from.is_object();
    }

    template <Record T>
    static void read_members(const boost::json::object& from, T& to) {
        boost::mp11::mp_for_each<Members<T>>([&](auto member) {
            if (const boost::json::value* value = from.if_contains(member.name))
                read(*value, to.*member.pointer);
        });
    }
};

}  // namespace detail

// Members that the struct doesn't have are passed over; those that aren't there, or are of another kind, keep the
// struct's own values.
template <Record T>
T read(const boost::json::object& record) {
    T found;
    detail::Reader::read_members(record, found);
    return found;
}

// The same; what isn't an object has no members.
template <Record T>
T read(const boost::json::value& record) {
    T found;
    detail::Reader::read(record, found);
    return found;
}

}  // namespace nftlink::api
