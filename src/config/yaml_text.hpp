// Text as a scalar of YAML.
#pragma once

#include <string>
#include <string_view>

namespace nftlink::config {

// The text, which is UTF-8, in double quotes: on one line, and read back as it is by every reader of YAML.
std::string yaml_string(std::string_view text);

}  // namespace nftlink::config
