#include "nftlink/api/json.hpp"

#include <algorithm>

#include "nftlink/base/utf8.hpp"

namespace nftlink::api::detail {

void Writer::write(std::string_view value) {
    const bool plain = std::ranges::all_of(value, [](char c) { return c >= ' ' && c < 0x7f && c != '"' && c != '\\'; });
    if (!plain) {
        text += boost::json::serialize(boost::json::string_view(base::utf8(value)));
        return;
    }
    text += '"';
    text += value;
    text += '"';
}

}  // namespace nftlink::api::detail
