#include "nftlink/base/suggestion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace nftlink::base {

namespace {

constexpr std::size_t quoted_bytes = 64;
constexpr std::size_t longest_suggestion = 64;
constexpr std::size_t shortest_start = 3;  // `warn` is close to `warning`, `w` isn't

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// The end of the last whole character within the first `limit` bytes.
std::size_t character_end(std::string_view text, std::size_t limit) {
    if (text.size() <= limit)
        return text.size();
    while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xc0) == 0x80)
        --limit;
    return limit;
}

}  // namespace

std::string escape(std::string_view text) {
    std::string result;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f)
            result += fmt::format("\\x{:02x}", byte);
        else
            result += c;
    }
    return result;
}

std::string quote(std::string_view text) {
    const std::string_view shown = text.substr(0, character_end(text, quoted_bytes));
    return fmt::format("'{}{}'", escape(shown), shown.size() < text.size() ? "…" : "");
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::swap(before_last, last);
        std::swap(last, row);
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const bool same = lower(a[i - 1]) == lower(b[j - 1]);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
                row[j] = std::min(row[j], before_last[j - 2] + 1);
        }
    }
    return row[b.size()];
}

Suggestion::Suggestion(std::string_view misspelt)
    : misspelt_(misspelt), limit_(std::max<std::size_t>(1, misspelt.size() / 3) + 1) {
    if (misspelt.size() > longest_suggestion)
        limit_ = 0;
}

void Suggestion::offer(std::string_view word) {
    const bool longer = word.size() > misspelt_.size();
    const std::string_view start = longer ? misspelt_ : word;
    if (start.size() >= shortest_start && (longer ? word : misspelt_).starts_with(start) && limit_ > 1) {
        best_ = word;
        limit_ = 1;
    }
    const std::size_t lengths = std::max(word.size(), misspelt_.size()) - std::min(word.size(), misspelt_.size());
    if (lengths >= limit_)
        return;
    const std::size_t distance = edit_distance(misspelt_, word);
    // A word all of whose letters differ isn't what was meant, however short.
    if (distance < limit_ && distance < word.size()) {
        best_ = word;
        limit_ = distance;
    }
}

std::string Suggestion::to_string() const {
    return best_.empty() ? "" : fmt::format("; did you mean {}?", quote(best_));
}

}  // namespace nftlink::base
