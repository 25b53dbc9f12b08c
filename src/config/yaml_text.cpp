#include "yaml_text.hpp"

#include <fmt/format.h>

namespace nftlink::config {

namespace {

// Characters beyond ASCII that YAML doesn't take as they are, or takes for ends of lines, in UTF-8, and their escapes.
struct Special {
    std::string_view bytes;
    std::string_view escape;
};
constexpr Special specials[] = {{"\u2028", "\\u2028"},
                                {"\u2029", "\\u2029"},
                                {"\uFEFF", "\\uFEFF"},
                                {"\xef\xbf\xbe", "\\uFFFE"},
                                {"\xef\xbf\xbf", "\\uFFFF"}};

// The escape for what the text starts with, and how many bytes that is; nothing when it can stand as it is.
std::pair<std::string, std::size_t> escape(std::string_view text) {
    const auto byte = static_cast<unsigned char>(text[0]);
    if (byte == '"' || byte == '\\')
        return {std::string("\\") + text[0], 1};
    if (byte < 0x20 || byte == 0x7f)
        return {fmt::format("\\x{:02x}", byte), 1};
    // U+0080 to U+009F
    if (byte == 0xc2 && text.size() > 1 && static_cast<unsigned char>(text[1]) < 0xa0)
        return {fmt::format("\\x{:02x}", static_cast<unsigned char>(text[1])), 2};
    for (const Special& special : specials)
        if (text.starts_with(special.bytes))
            return {std::string(special.escape), special.bytes.size()};
    return {};
}

}  // namespace

std::string yaml_string(std::string_view text) {
    std::string result = "\"";
    while (!text.empty()) {
        const auto [escaped, size] = escape(text);
        result += size == 0 ? text.substr(0, 1) : std::string_view(escaped);
        text.remove_prefix(size == 0 ? 1 : size);
    }
    return result + "\"";
}

}  // namespace nftlink::config
