#include "target.hpp"

#include <algorithm>
#include <charconv>

namespace nftlink::http {

namespace {

std::optional<std::string> decode(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        std::size_t size = 1;
        char byte = text[0];
        if (byte == '%') {
            unsigned value = 0;
            size = 3;
            if (text.size() < size)
                return {};
            const auto [end, error] = std::from_chars(text.data() + 1, text.data() + size, value, 16);
            if (error != std::errc() || end != text.data() + size)
                return {};
            byte = static_cast<char>(value);
        }
        result += byte;
        text.remove_prefix(size);
    }
    return result;
}

// Calls use(part) for each part between separators; false as soon as it says so.
bool for_each_part(std::string_view text, char separator, auto use) {
    for (;;) {
        const std::size_t end = std::min(text.find(separator), text.size());
        if (!use(text.substr(0, end)))
            return false;
        if (end == text.size())
            return true;
        text.remove_prefix(end + 1);
    }
}

}  // namespace

std::optional<Target> parse_target(std::string_view text) {
    // The absolute form, as a proxy gets it: the host's name means nothing here.
    constexpr std::string_view scheme = "http://";
    if (text.starts_with(scheme))
        text.remove_prefix(std::min(text.find('/', scheme.size()), text.size()));
    if (!text.starts_with('/'))
        return {};
    text = text.substr(1, text.find('#') - 1);
    const std::size_t path_end = std::min(text.find('?'), text.size());
    Target target;
    const bool good_path = for_each_part(text.substr(0, path_end), '/', [&](std::string_view segment) {
        auto decoded = decode(segment);
        if (decoded)
            target.path.push_back(std::move(*decoded));
        return decoded.has_value();
    });
    if (!good_path)
        return {};
    if (path_end == text.size())
        return target;
    const bool good_query = for_each_part(text.substr(path_end + 1), '&', [&](std::string_view pair) {
        const std::size_t equals = std::min(pair.find('='), pair.size());
        const auto name = decode(pair.substr(0, equals));
        const auto value = decode(equals == pair.size() ? "" : pair.substr(equals + 1));
        if (name && value && !pair.empty())
            target.query[*name] = *value;
        return name && value;
    });
    return good_query ? std::optional(std::move(target)) : std::nullopt;
}

}  // namespace nftlink::http
