// The names that a shell takes for variables.
#pragma once

#include <algorithm>
#include <string_view>

namespace nftlink::linkenv {

// [A-Za-z_][A-Za-z0-9_]*
inline bool is_identifier(std::string_view name) {
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    return !name.empty() && is_letter(name.front()) &&
           std::ranges::all_of(name, [&](char c) { return is_letter(c) || is_digit(c); });
}

}  // namespace nftlink::linkenv
