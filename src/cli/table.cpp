#include "table.hpp"

#include <algorithm>
#include <cassert>
#include <string_view>

namespace nftlink::cli {

namespace {

// In characters, not bytes.
std::size_t width(std::string_view text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string to_line(const std::vector<Column>& columns, const std::vector<std::size_t>& widths,
                    const std::vector<std::string>& cells) {
    assert(cells.size() == columns.size());
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const std::string padding(widths[i] - width(cells[i]), ' ');
        line += i == 0 ? "" : "  ";
        line += columns[i].align == Column::Align::right ? padding + cells[i] : cells[i] + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return line + "\n";
}

}  // namespace

std::string to_table(const std::vector<Column>& columns, const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::string> titles;
    std::vector<std::size_t> widths;
    for (const Column& column : columns) {
        titles.push_back(column.title);
        widths.push_back(width(column.title));
    }
    for (const auto& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], width(row[i]));
    const bool titled = std::ranges::any_of(titles, [](const std::string& title) { return !title.empty(); });
    std::string text = titled ? to_line(columns, widths, titles) : "";
    for (const auto& row : rows)
        text += to_line(columns, widths, row);
    return text;
}

}  // namespace nftlink::cli
