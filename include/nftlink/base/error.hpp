// Errors that a person reads: what is wrong, and where.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace nftlink::base {

// A place in a text file. Line and column count from 1; line 0 means "the file as a whole". Of a JSON text, `file` is
// the JSON pointer of a value, and there is no line.
struct Position {
    std::string file;
    std::size_t line = 0;
    std::size_t column = 0;

    // `file:line:column`, or `file` alone when there is no line.
    std::string to_string() const;
    auto operator<=>(const Position&) const = default;
};

// Something that a person got wrong in a file.
struct Error {
    Position where;
    std::string message;

    // `file:line:column: message`, or the message alone when there is no place.
    std::string to_string() const;
    auto operator<=>(const Error&) const = default;
};

using Errors = std::vector<Error>;

}  // namespace nftlink::base
