// Several documents → one.
#pragma once

#include <span>
#include <string_view>

#include "node.hpp"
#include "report.hpp"

namespace nftlink::config {

// All top-level keys.
inline constexpr std::string_view section_names[] = {"firewall", "bridges", "containers", "env", "control",
                                                     "state",    "sources", "limits",     "log"};

// Merges the roots of documents, each a map or null. The sections merge, and so do the entries of one bridge. A
// container is a unit: given twice it is an error, as is a setting; both name both places, and the first one stands.
// What is no section of these may be in the result several times, for its reader to refuse each.
const Node* merge(std::span<const Node* const> roots, Arena& arena, Report& report);

}  // namespace nftlink::config
