// Records that name a place in a file: `file`, `line` and `column`, each only where there is one.
#pragma once

#include "nftlink/base/error.hpp"

namespace nftlink::api {

void set_place(auto& record, const base::Position& place) {
    if (!place.file.empty())
        record.file = place.file;
    if (place.line != 0) {
        record.line = place.line;
        record.column = place.column;
    }
}

base::Position place_of(const auto& record) {
    return {record.file.value_or(""), record.line.value_or(0), record.column.value_or(0)};
}

}  // namespace nftlink::api
