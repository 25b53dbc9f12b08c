#include "words.hpp"

#include <fmt/format.h>

#include <array>

namespace nftlink::nft {

std::string_view type_name(DataType type) {
    switch (type) {
        case DataType::ipv4_addr:
            return "ipv4_addr";
        case DataType::ipv6_addr:
            return "ipv6_addr";
        case DataType::inet_proto:
            return "inet_proto";
        case DataType::inet_service:
            return "inet_service";
    }
    return "invalid";
}

std::string_view hook_name(std::uint32_t number) {
    constexpr std::array<std::string_view, 5> names{"prerouting", "input", "forward", "output", "postrouting"};
    return number < names.size() ? names[number] : "ingress";
}

std::string_view policy_name(std::uint32_t policy) {
    return policy == 0 ? "drop" : "accept";
}

std::string priority_text(std::int32_t priority) {
    constexpr std::int32_t near = 10;
    if (priority == 0)
        return "filter";
    if (priority < -near || priority > near)
        return fmt::to_string(priority);
    return priority < 0 ? fmt::format("filter - {}", -priority) : fmt::format("filter + {}", priority);
}

}  // namespace nftlink::nft
