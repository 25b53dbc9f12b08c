#include "report.hpp"

#include <algorithm>

#include "nftlink/base/json_pointer.hpp"

namespace nftlink::config {

namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
constexpr std::uint32_t milestone_distance = 4096;

bool starts_character(char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0) != 0x80;
}

}  // namespace

SourceText::SourceText(std::string_view name, std::string_view text) : name_(name), text_(text) {
    if (text_.starts_with(byte_order_mark))
        text_.remove_prefix(byte_order_mark.size());
}

void SourceText::set_milestones() const {
    std::uint32_t line = 1, column = 1, offset = 0;
    milestones_.push_back({0, 1, 1});
    for (const char byte : text_) {
        ++offset;
        if (byte == '\n') {
            ++line;
            column = 1;
        } else if (starts_character(byte)) {
            ++column;
        }
        // Continuation bytes may follow a milestone inside a line: they count for no column.
        if (byte == '\n' || offset - milestones_.back().offset >= milestone_distance)
            milestones_.push_back({offset, line, column});
    }
}

base::Position SourceText::position(std::uint32_t offset) const {
    if (offset == Place::whole)
        return {.file = std::string(name_)};
    if (milestones_.empty())
        set_milestones();
    auto next = std::ranges::upper_bound(milestones_, offset, {}, &Milestone::offset);
    const Milestone& milestone = *--next;
    const auto stretch = text_.substr(milestone.offset, offset - milestone.offset);
    const auto characters = static_cast<std::size_t>(std::ranges::count_if(stretch, starts_character));
    return {.file = std::string(name_), .line = milestone.line, .column = milestone.column + characters};
}

std::uint32_t JsonSource::add(const Step& step) {
    steps_.push_back(step);
    return static_cast<std::uint32_t>(steps_.size() - 1);
}

std::string JsonSource::pointer(std::uint32_t offset) const {
    if (offset == 0 || offset == Place::whole)
        return root_;
    const Step& step = steps_[offset];
    const std::string parent = pointer(step.parent);
    return step.name ? base::below(parent, *step.name) : base::below(parent, step.index);
}

base::Position JsonSource::position(std::uint32_t offset) const {
    return {.file = pointer(offset)};
}

std::uint32_t Report::add_source(std::string_view name, std::string_view text) {
    sources_.emplace_back(SourceText(name, text));
    return static_cast<std::uint32_t>(sources_.size() - 1);
}

std::uint32_t Report::add_json(std::string pointer) {
    sources_.emplace_back(JsonSource(std::move(pointer)));
    return static_cast<std::uint32_t>(sources_.size() - 1);
}

base::Position Report::position(Place place) const {
    return std::visit([place](const auto& source) { return source.position(place.offset); }, sources_[place.source]);
}

std::string Report::at(Place place) const {
    return position(place).to_string();
}

base::Errors Report::sorted(std::vector<Entry> entries) const {
    std::ranges::sort(entries);
    const auto repeated = std::ranges::unique(entries);
    entries.erase(repeated.begin(), repeated.end());
    base::Errors result;
    result.reserve(entries.size());
    for (Entry& entry : entries)
        result.push_back({position(entry.place), std::move(entry.message)});
    return result;
}

}  // namespace nftlink::config
