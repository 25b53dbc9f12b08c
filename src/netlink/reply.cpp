#include "nftlink/netlink/reply.hpp"

#include <linux/netlink.h>

#include <cstring>
#include <limits>

namespace nftlink::netlink {

namespace {

// The extended ack's attributes lie behind the copy of the request, of which only the header is there when it was
// capped.
Payload extended_ack(const Message& message, const nlmsgerr& error) {
    if ((message.flags & NLM_F_ACK_TLVS) == 0)
        return {};
    std::size_t offset = sizeof(nlmsgerr);
    if (error.error != 0 && (message.flags & NLM_F_CAPPED) == 0)
        offset = sizeof error.error + std::size_t{NLMSG_ALIGN(std::size_t{error.msg.nlmsg_len})};
    return offset < message.payload.size() ? message.payload.subspan(offset) : Payload{};
}

}  // namespace

std::optional<Ack> read_ack(const Message& message) {
    nlmsgerr error;
    if (message.type != NLMSG_ERROR || message.payload.size() < sizeof error)
        return {};
    std::memcpy(&error, message.payload.data(), sizeof error);
    if (error.error > 0 || error.error == std::numeric_limits<int>::min())
        return {};
    Ack ack{message.sequence, -error.error, {}, {}};
    for_each_attribute(extended_ack(message, error), 0, [&](std::uint16_t type, Payload value) {
        if (type == NLMSGERR_ATTR_MSG)
            ack.text = text(value);
        if (std::uint32_t offset; type == NLMSGERR_ATTR_OFFS && value.size() == sizeof offset) {
            std::memcpy(&offset, value.data(), sizeof offset);
            ack.offset = offset;
        }
    });
    return ack;
}

int dump_error(const Message& done) {
    int error = 0;
    if (done.payload.size() >= sizeof error)
        std::memcpy(&error, done.payload.data(), sizeof error);
    return error < 0 && error != std::numeric_limits<int>::min() ? -error : 0;
}

}  // namespace nftlink::netlink
