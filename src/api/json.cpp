#include "nftlink/api/json.hpp"

#include <algorithm>

namespace nftlink::api::detail {

void Writer::write(std::string_view value) {
    const bool plain = std::ranges::none_of(
        value, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '"' || c == '\\'; });
    if (!plain) {
        text += boost::json::serialize(boost::json::string_view(value.data(), value.size()));
        return;
    }
    text += '"';
    text += value;
    text += '"';
}

}  // namespace nftlink::api::detail
