#include "reply_reader.hpp"

#include <libmnl/libmnl.h>
#include <linux/netlink.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

namespace nftlink::kernel {

namespace {

// The extended ack's attributes lie behind the copy of the request, of which only the header is there when it was
// capped.
Payload extended_ack(const Message& message, const nlmsgerr& error) {
    if ((message.flags & NLM_F_ACK_TLVS) == 0)
        return {};
    std::size_t offset = sizeof(nlmsgerr);
    if (error.error != 0 && (message.flags & NLM_F_CAPPED) == 0)
        offset = sizeof error.error + std::size_t{MNL_ALIGN(std::size_t{error.msg.nlmsg_len})};
    return offset < message.payload.size() ? message.payload.subspan(offset) : Payload{};
}

void read_attribute(const nlattr* attribute, Ack& ack) {
    const auto size = mnl_attr_get_payload_len(attribute);
    const auto* value = static_cast<const char*>(mnl_attr_get_payload(attribute));
    switch (mnl_attr_get_type(attribute)) {
        case NLMSGERR_ATTR_MSG:
            ack.text.assign(value, std::find(value, value + size, '\0'));
            break;
        case NLMSGERR_ATTR_OFFS:
            if (size == sizeof(std::uint32_t)) {
                std::uint32_t offset;
                std::memcpy(&offset, value, sizeof offset);
                ack.offset = offset;
            }
            break;
        default:
            break;
    }
}

}  // namespace

// Not with mnl_nlmsg_ok: libmnl 1.0.4 takes a length of 2 GiB or more for a negative number, which fits anything.
std::expected<std::vector<Message>, std::string> read_messages(Payload datagram) {
    std::vector<Message> messages;
    while (!datagram.empty()) {
        nlmsghdr header;
        if (datagram.size() < sizeof header)
            return std::unexpected("malformed netlink message");
        std::memcpy(&header, datagram.data(), sizeof header);
        if (header.nlmsg_len < sizeof header || header.nlmsg_len > datagram.size())
            return std::unexpected("malformed netlink message");
        messages.push_back({header.nlmsg_type, header.nlmsg_flags, header.nlmsg_seq,
                            datagram.subspan(sizeof header, header.nlmsg_len - sizeof header)});
        datagram = datagram.subspan(std::min<std::size_t>(MNL_ALIGN(std::size_t{header.nlmsg_len}), datagram.size()));
    }
    return messages;
}

std::optional<Ack> read_ack(const Message& message) {
    nlmsgerr error;
    if (message.type != NLMSG_ERROR || message.payload.size() < sizeof error)
        return {};
    std::memcpy(&error, message.payload.data(), sizeof error);
    if (error.error > 0 || error.error == std::numeric_limits<int>::min())
        return {};
    Ack ack{message.sequence, -error.error, {}, {}};
    const Payload attributes = extended_ack(message, error);
    auto rest = static_cast<int>(attributes.size());
    for (auto* attribute = reinterpret_cast<const nlattr*>(attributes.data()); mnl_attr_ok(attribute, rest);) {
        read_attribute(attribute, ack);
        rest -= static_cast<int>(MNL_ALIGN(attribute->nla_len));
        attribute = mnl_attr_next(attribute);
    }
    return ack;
}

int dump_error(const Message& done) {
    int error = 0;
    if (done.payload.size() >= sizeof error)
        std::memcpy(&error, done.payload.data(), sizeof error);
    return error < 0 && error != std::numeric_limits<int>::min() ? -error : 0;
}

BatchVerdict judge(const Answers& answers, std::uint32_t first_sequence, const nft::Datagram& datagram) {
    const auto message_count = static_cast<std::uint32_t>(datagram.operation_of_message.size());
    BatchVerdict verdict;
    bool committed = false;
    for (const Ack& ack : answers.acks) {
        const std::uint32_t index = ack.sequence - first_sequence;
        if (index >= message_count)
            continue;
        const bool is_end = index + 1 == message_count, is_last_operation = index + 2 == message_count;
        if (ack.error_number == 0)
            committed |= is_end || (is_last_operation && !answers.some_lost);
        else if (datagram.operation_of_message[index] != nft::Datagram::no_operation)
            verdict.errors.push_back(ack);
        else if (ack.error_number == ERESTART)
            verdict.kind = BatchVerdict::Kind::stale;
        else if (ack.error_number == EPERM)
            verdict.kind = BatchVerdict::Kind::permission;
        else
            verdict.errors.push_back(ack);
    }
    if (verdict.kind == BatchVerdict::Kind::unknown && !verdict.errors.empty())
        verdict.kind = BatchVerdict::Kind::refused;
    if (verdict.kind == BatchVerdict::Kind::unknown && committed)
        verdict.kind = BatchVerdict::Kind::committed;
    return verdict;
}

}  // namespace nftlink::kernel
