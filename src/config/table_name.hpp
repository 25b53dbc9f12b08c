// Names that nft's grammar can read back where it expects a table.
#pragma once

#include <string>
#include <string_view>

namespace nftlink::config {

// The fault of a table name, for "'table' …"; empty when there is none.
std::string table_name_fault(std::string_view name);

}  // namespace nftlink::config
