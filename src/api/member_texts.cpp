#include "member_texts.hpp"

#include <cstddef>

namespace nftlink::api {

namespace {

// The place of the quote that ends the string that `start` is the first quote of.
std::size_t end_of_string(std::string_view text, std::size_t start) {
    std::size_t end = start + 1;
    while (text[end] != '"')
        end += text[end] == '\\' ? 2 : 1;
    return end;
}

}  // namespace

std::vector<std::string_view> member_texts(std::string_view text) {
    std::vector<std::string_view> texts;
    std::size_t depth = 0, start = 0;  // 0: no value of the object has begun
    const auto end_value = [&](std::size_t end) {
        if (depth == 1 && start > 0)
            texts.push_back(text.substr(start, end - start));
    };
    for (std::size_t i = 0; i < text.size(); ++i)
        switch (text[i]) {
            case '"':
                i = end_of_string(text, i);
                break;
            case ':':
                start = depth == 1 ? i + 1 : start;
                break;
            case ',':
                end_value(i);
                break;
            case '{':
            case '[':
                ++depth;
                break;
            case '}':
            case ']':
                end_value(i);
                --depth;
                break;
            default:
                break;
        }
    return texts;
}

}  // namespace nftlink::api
