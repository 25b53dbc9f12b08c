// Words in messages: how they are quoted, and which one was meant.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace nftlink::base {

// Fit for one line of a terminal: control characters as \x1b.
std::string escape(std::string_view text);

// In single quotes, escaped, and no more than its first 64 bytes.
std::string quote(std::string_view text);

// The number of letters to insert, delete, replace or swap with their neighbour to get from one word to the other;
// upper and lower case are the same.
std::size_t edit_distance(std::string_view a, std::string_view b);

// Keeps the closest of the words it is offered, if one is close enough to be what was meant.
class Suggestion {
public:
    explicit Suggestion(std::string_view misspelt);
    void offer(std::string_view word);
    // `; did you mean 'addresses'?`, or nothing.
    std::string to_string() const;

private:
    std::string_view misspelt_;
    std::string_view best_;
    std::size_t limit_;  // a word must be closer than this
};

}  // namespace nftlink::base
