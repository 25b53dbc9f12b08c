// The errors of the sources, and their places: these are kept as numbers and become lines and columns, or JSON
// pointers, only when printed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "nftlink/base/error.hpp"

namespace nftlink::config {

// A byte of a YAML source, or a value of a JSON source. The order is the one in which sources are read.
struct Place {
    // Stands for the source as a whole.
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

// The values of a JSON text, each known by the way that leads to it. Members' names must outlive it.
class JsonSource {
public:
    // The outermost value, whose pointer is given, is at offset 0.
    explicit JsonSource(std::string root) : root_(std::move(root)), steps_(1) {}

    // Both return the offset of the new place below that of an object or a list.
    std::uint32_t add_member(std::uint32_t parent, std::string_view name) { return add({parent, 0, name}); }
    std::uint32_t add_item(std::uint32_t parent, std::uint32_t index) { return add({parent, index, std::nullopt}); }
    // A file without lines, whose name is the JSON pointer.
    base::Position position(std::uint32_t offset) const;

private:
    struct Step {
        std::uint32_t parent = 0, index = 0;
        std::optional<std::string_view> name;  // nothing: an item
    };
    std::uint32_t add(const Step& step);
    std::string pointer(std::uint32_t offset) const;

    std::string root_;
    std::vector<Step> steps_;  // by offset
};

class Report {
public:
    // Both return the index of the new source.
    std::uint32_t add_source(std::string_view name, std::string_view text);
    std::uint32_t add_json(std::string pointer);
    const SourceText& source(std::uint32_t index) const { return std::get<SourceText>(sources_[index]); }
    JsonSource& json(std::uint32_t index) { return std::get<JsonSource>(sources_[index]); }

    void error(Place place, std::string message) { errors_.push_back({place, std::move(message)}); }
    void warning(Place place, std::string message) { warnings_.push_back({place, std::move(message)}); }
    std::size_t error_count() const { return errors_.size(); }
    // `file:line:column` or the JSON pointer, for a message that names a second place.
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

    std::vector<std::variant<SourceText, JsonSource>> sources_;
    std::vector<Entry> errors_;
    std::vector<Entry> warnings_;
};

}  // namespace nftlink::config
