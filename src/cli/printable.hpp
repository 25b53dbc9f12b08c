// Records of the service as a terminal may have them: whoever writes their texts is not to be trusted with it.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <type_traits>

#include "nftlink/api/reader.hpp"
#include "nftlink/base/suggestion.hpp"

namespace nftlink::cli {

// Escapes every text in it. A JSON object stays as it is, since it is for programs.
template <typename T>
void make_printable(T& value) {
    if constexpr (std::is_same_v<T, std::string>)
        value = base::escape(value);
    else if constexpr (api::Record<T>)
        boost::mp11::mp_for_each<api::Members<T>>([&](auto member) { make_printable(value.*member.pointer); });
    else if constexpr (requires { value.has_value(); }) {
        if (value)
            make_printable(*value);
    } else if constexpr (requires { value.push_back({}); }) {
        for (auto& item : value)
            make_printable(item);
    } else
        static_assert(std::is_arithmetic_v<T> || std::is_enum_v<T> || std::is_same_v<T, boost::json::object>);
}

// The record of an answer, with texts that each are one line and no more than text.
template <api::Record T>
T read_printable(const auto& record) {
    T found = api::read<T>(record);
    make_printable(found);
    return found;
}

}  // namespace nftlink::cli
