#include "userdata.hpp"

#include "attributes.hpp"

namespace nftlink::nft {

Bytes make_userdata(std::uint8_t type, std::string_view comment) {
    if (comment.empty())
        return {};
    comment = comment.substr(0, max_comment_length);
    Bytes out{type, static_cast<std::uint8_t>(comment.size() + 1)};
    out.insert(out.end(), comment.begin(), comment.end());
    out.push_back(0);
    return out;
}

bool read_userdata(Payload userdata, std::uint8_t type, std::uint8_t cosmetic_below, std::string& comment,
                   std::string* owner) {
    bool understood = true;
    while (userdata.size() >= 2 && userdata.size() >= 2u + userdata[1]) {
        const Payload value = userdata.subspan(2, userdata[1]);
        if (userdata[0] == type)
            comment = text(value);
        else if (userdata[0] == owner_type && owner != nullptr)
            *owner = text(value);
        else if (userdata[0] >= cosmetic_below)
            understood = false;
        userdata = userdata.subspan(2 + value.size());
    }
    return understood && userdata.empty();
}

}  // namespace nftlink::nft
