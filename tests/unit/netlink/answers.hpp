// Answers as the kernel writes them.
#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "nftlink/netlink/attribute.hpp"

namespace nftlink::netlink {

template <typename T>
void append(Bytes& bytes, const T& object) {
    const auto* start = reinterpret_cast<const std::uint8_t*>(&object);
    bytes.insert(bytes.end(), start, start + sizeof object);
}

// An NLMSG_ERROR as the kernel writes it: capped, with an extended ack's text and offset.
inline Bytes error_message(std::uint32_t sequence, int error, const std::string& text = {}, std::uint32_t offset = 0) {
    Bytes bytes;
    append(bytes,
           nlmsghdr{0, NLMSG_ERROR, static_cast<std::uint16_t>(NLM_F_CAPPED | (text.empty() ? 0 : NLM_F_ACK_TLVS)),
                    sequence, 0});
    append(bytes, nlmsgerr{error, {sizeof(nlmsghdr), 0, 0, sequence, 0}});
    if (!text.empty()) {
        append(bytes, nlattr{static_cast<std::uint16_t>(sizeof(nlattr) + text.size() + 1), NLMSGERR_ATTR_MSG});
        bytes.insert(bytes.end(), text.begin(), text.end());
        bytes.resize((bytes.size() + 4) & ~std::size_t{3});
        append(bytes, nlattr{8, NLMSGERR_ATTR_OFFS});
        append(bytes, offset);
    }
    const auto length = static_cast<std::uint32_t>(bytes.size());
    std::memcpy(bytes.data(), &length, sizeof length);
    return bytes;
}

}  // namespace nftlink::netlink
