// The control section's part of a text, found without reading the rest.
#pragma once

#include <string_view>

namespace nftlink::config {

// A text that says the same about `control` as the given one: empty where that can't say anything, the section alone
// where it stands once, as a block at the left edge; else all of it.
std::string_view control_part(std::string_view text);

}  // namespace nftlink::config
