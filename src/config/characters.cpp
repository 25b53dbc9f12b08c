#include "characters.hpp"

#include <fmt/format.h>

#include <cstdint>

namespace nftlink::config {

namespace {

struct Decoded {
    char32_t character;
    std::size_t size;  // 0: not UTF-8
};

// The character at the start of `text`, which isn't empty. Overlong forms and values past U+10FFFF are refused.
Decoded decode(std::string_view text) {
    const auto byte = [text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const std::uint8_t first = byte(0);
    if (first < 0x80)
        return {first, 1};
    const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < size)
        return {0, 0};
    char32_t character = first & (0xffU >> (size + 1));
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte(i) & 0xc0) != 0x80)
            return {0, 0};
        character = character << 6 | (byte(i) & 0x3fU);
    }
    constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (character < smallest[size] || character > 0x10ffff)
        return {0, 0};
    return {character, size};
}

bool is_printable(char32_t c) {
    if (c < 0x20 || c == 0x7f)
        return c == '\t' || c == '\n';
    if (c >= 0x80 && c < 0xa0)
        return c == 0x85;
    return !(c >= 0xd800 && c <= 0xdfff) && c != 0xfffe && c != 0xffff;
}

std::string name_of(char32_t c) {
    if (c == 0)
        return "a NUL byte";
    if (c == '\r')
        return "a carriage return without a line feed after it";
    return fmt::format("the character U+{:04X}", static_cast<std::uint32_t>(c));
}

}  // namespace

std::optional<BadCharacter> find_bad_character(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const auto byte = static_cast<std::uint8_t>(text[i]);
        if (byte >= 0x20 && byte < 0x7f) {
            ++i;
            continue;
        }
        const auto [character, size] = decode(text.substr(i));
        if (size == 0)
            return BadCharacter{i, fmt::format("the byte 0x{:02x} here is not UTF-8", byte)};
        const bool line_end = character == '\r' && text.substr(i + 1).starts_with('\n');
        if (!line_end && !is_printable(character))
            return BadCharacter{i, name_of(character) + " cannot stand in a configuration"};
        i += size;
    }
    return std::nullopt;
}

}  // namespace nftlink::config
