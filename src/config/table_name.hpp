// Names that nft's grammar can read back where it expects a table.
#pragma once

#include <string>
#include <string_view>

namespace nftlink::config {

// What is wrong with a table name, for "'table' …"; empty when nothing is.
std::string table_name_fault(std::string_view name);

}  // namespace nftlink::config
