// Any bytes as a datagram of the kernel's: reading it and judging a batch by it never crashes.
#include "kernel/verdict.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace nftlink;
    const std::vector<std::uint8_t> copy(data, data + size);
    const auto messages = netlink::read_messages(copy);
    if (!messages)
        return 0;
    netlink::Answers answers;
    for (const netlink::Message& message : *messages) {
        static_cast<void>(netlink::dump_error(message));
        if (auto ack = netlink::read_ack(message))
            answers.acks.push_back(std::move(*ack));
    }
    const nft::Datagram batch{{}, {nft::Datagram::no_operation, 0, 1, nft::Datagram::no_operation}};
    for (const bool some_lost : {false, true}) {
        answers.some_lost = some_lost;
        static_cast<void>(kernel::judge(answers, 100, batch));
    }
    return 0;
}
