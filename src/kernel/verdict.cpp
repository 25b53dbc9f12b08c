#include "verdict.hpp"

#include <cerrno>

namespace nftlink::kernel {

BatchVerdict judge(const netlink::Answers& answers, std::uint32_t first_sequence, const nft::Datagram& datagram) {
    const auto message_count = static_cast<std::uint32_t>(datagram.operation_of_message.size());
    BatchVerdict verdict;
    bool committed = false;
    for (const netlink::Ack& ack : answers.acks) {
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
