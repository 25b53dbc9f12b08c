// Any bytes as a datagram of the kernel's: reading it and judging a batch by it never crashes.
#include "kernel/reply_reader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace nftlink;
    const std::vector<std::uint8_t> copy(data, data + size);
    const auto messages = kernel::read_messages(copy);
    if (!messages)
        return 0;
    kernel::Answers answers;
    for (const kernel::Message& message : *messages) {
        static_cast<void>(kernel::dump_error(message));
        if (auto ack = kernel::read_ack(message))
            answers.acks.push_back(std::move(*ack));
    }
    const nft::Datagram batch{{}, {nft::Datagram::no_operation, 0, 1, nft::Datagram::no_operation}};
    for (const bool some_lost : {false, true}) {
        answers.some_lost = some_lost;
        static_cast<void>(kernel::judge(answers, 100, batch));
    }
    return 0;
}
