// Text in columns.
#pragma once

#include <string>
#include <vector>

namespace nftlink::cli {

struct Column {
    std::string title;
    enum class Align { left, right } align = Align::left;
};

// The titles and a line for each row, without blanks at the ends of lines. A row has as many cells as there are
// columns. Without any title there is no line for them.
std::string to_table(const std::vector<Column>& columns, const std::vector<std::vector<std::string>>& rows);

}  // namespace nftlink::cli
