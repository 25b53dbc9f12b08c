// A container's record as the control API has it, in JSON.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "nftlink/base/error.hpp"
#include "nftlink/model/fit.hpp"
#include "nftlink/model/topology.hpp"

namespace nftlink::config {

struct Record {
    model::Container container;
    std::vector<std::string> addresses;  // the JSON pointer of each, network after network
};

// Reads `{"bridge": …, "addresses": […], …}`, with the keys of a container of the configuration; `pointer` is the
// record's own. The container is checked by itself, not against others. Errors have JSON pointers for files, and no
// lines.
std::expected<Record, base::Errors> parse_record(std::string_view json, std::string pointer, std::string_view name,
                                                 model::Unplaced unplaced = model::Unplaced::refused);

}  // namespace nftlink::config
