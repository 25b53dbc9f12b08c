// What is wrong with the sources, and where: places are kept as offsets and become lines and columns only when printed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "nftlink/base/error.hpp"

namespace nftlink::config {

// A byte of a source. The order is the one in which sources are read.
struct Place {
    // Stands for the file as a whole.
    static constexpr std::uint32_t whole = std::numeric_limits<std::uint32_t>::max();

    std::uint32_t source = 0;
    std::uint32_t offset = whole;

    auto operator<=>(const Place&) const = default;
};

// A named text and where its lines are. A byte order mark at its start is no part of it. Both strings must outlive it.
class SourceText {
public:
    SourceText(std::string_view name, std::string_view text);

    std::string_view text() const { return text_; }
    // Lines end with a line feed; a column is a character (code point), not a byte. Both count from 1.
    base::Position position(std::uint32_t offset) const;

private:
    // A place whose line and column are known; there is one at each line's start and every few kilobytes.
    struct Milestone {
        std::uint32_t offset, line, column;
    };
    void set_milestones() const;

    std::string_view name_;
    std::string_view text_;
    mutable std::vector<Milestone> milestones_;  // made when the first position is asked for
};

class Report {
public:
    // Returns the index of the new source.
    std::uint32_t add_source(std::string_view name, std::string_view text);
    const SourceText& source(std::uint32_t index) const { return sources_[index]; }

    void error(Place place, std::string message) { errors_.push_back({place, std::move(message)}); }
    void warning(Place place, std::string message) { warnings_.push_back({place, std::move(message)}); }
    std::size_t error_count() const { return errors_.size(); }
    // `file:line:column`, for a message that names a second place.
    std::string at(Place place) const;

    base::Position position(Place place) const;

    // In the order of source, line and column, each once.
    base::Errors errors() const { return sorted(errors_); }
    base::Errors warnings() const { return sorted(warnings_); }

private:
    struct Entry {
        Place place;
        std::string message;

        auto operator<=>(const Entry&) const = default;
    };
    base::Errors sorted(std::vector<Entry> entries) const;

    std::vector<SourceText> sources_;
    std::vector<Entry> errors_;
    std::vector<Entry> warnings_;
};

}  // namespace nftlink::config
