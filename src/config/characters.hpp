// The characters of a configuration text, checked before yaml-cpp sees it: yaml-cpp takes broken UTF-8 in silence,
// guesses at other encodings and ends the text at a byte 4.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace nftlink::config {

struct BadCharacter {
    std::size_t offset;
    std::string message;
};

// The first thing that isn't UTF-8 or that YAML doesn't call printable: control characters except tab, line feed,
// carriage return before a line feed, and U+0085; surrogates; U+FFFE and U+FFFF.
std::optional<BadCharacter> find_bad_character(std::string_view text);

}  // namespace nftlink::config
