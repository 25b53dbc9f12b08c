// A container's own variables.
#pragma once

#include <string>
#include <vector>

#include "node.hpp"
#include "report.hpp"

namespace nftlink::config {

// Reads a map, whose values are taken as they are written, or a list of KEY=VALUE, taken as they are. A key without a
// value is kept as KEY alone, with a warning: links leave it out. A name that is empty or given twice, and a NUL byte,
// are errors.
std::vector<std::string> read_environment(const Node& node, Report& report);

}  // namespace nftlink::config
