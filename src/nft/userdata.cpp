#include "userdata.hpp"

#include "nftlink/netlink/attribute.hpp"

namespace nftlink::nft {

using netlink::text;

namespace {

void append(Bytes& out, std::uint8_t type, std::string_view text) {
    if (text.empty())
        return;
    out.push_back(type);
    out.push_back(static_cast<std::uint8_t>(text.size() + 1));
    out.insert(out.end(), text.begin(), text.end());
    out.push_back(0);
}

}  // namespace

Bytes make_userdata(std::uint8_t type, std::string_view comment, std::string_view owner) {
    Bytes out;
    append(out, type, comment.substr(0, max_comment_length));
    append(out, owner_type, owner);
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
