#include "control_part.hpp"

#include <algorithm>

namespace nftlink::config {

namespace {

constexpr std::string_view key = "control";
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

// The beginnings of a top-level key besides its own letters; and of a document in another form.
constexpr std::string_view unusual = "\"'{?&*!%-[|>@`";

}  // namespace

std::string_view control_part(std::string_view text) {
    // A quoted key can be written with escapes.
    if (text.find(key) == std::string_view::npos && text.find('\\') == std::string_view::npos)
        return {};
    if (text.starts_with(byte_order_mark) || text.find('\r') != std::string_view::npos)
        return text;
    std::size_t begin = 0, size = 0;  // of the section
    bool inside = false, any_key = false;
    for (std::size_t start = 0; start < text.size();) {
        const std::size_t end = std::min(text.find('\n', start), text.size() - 1) + 1;
        const std::string_view line = text.substr(start, end - start);
        const bool is_at_edge = std::string_view(" \t#\r\n").find(line.front()) == std::string_view::npos;
        const bool is_section = line.starts_with(key);
        if (unusual.contains(line.front()) || (is_section && size != 0))
            return text;
        if (is_section)
            begin = start;
        if (is_at_edge)
            inside = is_section;
        any_key |= is_at_edge;
        if (inside)
            size = end - begin;
        start = end;
    }
    const std::string_view section = text.substr(begin, size);
    // A document may also be indented as a whole; and an alias stands for what is elsewhere.
    return !any_key || section.find_first_of("&*") != std::string_view::npos ? text : section;
}

}  // namespace nftlink::config
