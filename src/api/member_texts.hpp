// The texts of an object's values, for whom they are to be as they were written.
#pragma once

#include <string_view>
#include <vector>

namespace nftlink::api {

// In the order in which they are written; `text` is JSON, and an object.
std::vector<std::string_view> member_texts(std::string_view text);

}  // namespace nftlink::api
