#include "words.hpp"

namespace nftlink::config {

std::string describe(const Node& node) {
    switch (node.kind) {
        case Kind::null:
            return "empty";
        case Kind::list:
            return "a list";
        case Kind::map:
            return "a map";
        case Kind::scalar:
            break;
    }
    return quote(node.text);
}

std::string either(std::span<const std::string_view> choices) {
    std::string result;
    for (std::size_t i = 0; i < choices.size(); ++i) {
        if (i > 0)
            result += i + 1 == choices.size() ? " or " : ", ";
        result += choices[i];
    }
    return result;
}

std::string suggest(std::string_view misspelt, std::span<const std::string_view> words) {
    Suggestion suggestion(misspelt);
    for (const std::string_view word : words)
        suggestion.offer(word);
    return suggestion.to_string();
}

}  // namespace nftlink::config
