// The messages of a datagram, for tests.
#pragma once

#include <linux/netlink.h>

#include <cstring>
#include <vector>

#include "nftlink/nft/decode.hpp"
#include "nftlink/nft/encode.hpp"

namespace nftlink::nft {

struct Message {
    nlmsghdr header;
    Payload payload;
};

inline std::vector<Message> messages(const Bytes& bytes) {
    std::vector<Message> found;
    for (std::size_t at = 0; at + sizeof(nlmsghdr) <= bytes.size();) {
        Message message;
        std::memcpy(&message.header, bytes.data() + at, sizeof message.header);
        message.payload = Payload(bytes).subspan(at + sizeof(nlmsghdr), message.header.nlmsg_len - sizeof(nlmsghdr));
        found.push_back(message);
        at += NLMSG_ALIGN(message.header.nlmsg_len);
    }
    return found;
}

// The payload of the one operation's (first) message.
inline Payload encoded(const Datagram& datagram) {
    return messages(datagram.bytes).at(1).payload;
}

}  // namespace nftlink::nft
