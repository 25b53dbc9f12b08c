// Any bytes as the kernel's messages: decoding never crashes, and what is understood whole comes back the same when it
// is written again. The first byte chooses the kind of message.
#include "nftlink/nft/decode.hpp"

#include <cstdlib>
#include <cstring>

#include "nftlink/nft/encode.hpp"
#include "nftlink/nft/text.hpp"

namespace {

using namespace nftlink::nft;

// The payload of the first operation's message.
Bytes written(Action action) {
    const Datagram datagram = encode({{Family::inet, "t", std::move(action)}}, 0, {});
    std::uint32_t begin = 0, length = 0;
    std::memcpy(&begin, datagram.bytes.data(), sizeof begin);
    std::memcpy(&length, datagram.bytes.data() + begin, sizeof length);
    constexpr std::size_t header = 16;
    return {datagram.bytes.begin() + begin + header, datagram.bytes.begin() + begin + length};
}

void check(bool holds) {
    if (!holds)
        std::abort();
}

void rule(Payload payload) {
    if (const auto decoded = decode_rule(payload)) {
        static_cast<void>(to_text(decoded->object));
        check(same_rule(decoded->object, decoded->object));
    }
}

void elements(Payload payload) {
    const auto decoded = decode_elements(payload);
    if (!decoded || decoded->object.empty() || decoded->object.size() > 100)
        return;
    const auto again = decode_elements(written(AddElements{"s", {}, decoded->object}));
    check(again && again->object.size() == decoded->object.size());
    for (std::size_t index = 0; index < again->object.size(); ++index)
        check(again->object[index].key == decoded->object[index].key &&
              again->object[index].counters == decoded->object[index].counters);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0)
        return 0;
    const Bytes copy(data + 1, data + size);
    switch (data[0] % 6) {
        case 0:
            static_cast<void>(decode_table(copy));
            break;
        case 1:
            static_cast<void>(decode_chain(copy));
            break;
        case 2:
            static_cast<void>(decode_set(copy));
            break;
        case 3:
            rule(copy);
            break;
        case 4:
            elements(copy);
            break;
        default:
            static_cast<void>(decode_generation(copy));
    }
    return 0;
}
