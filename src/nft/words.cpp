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
        case DataType::ifname:
            return "ifname";
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

std::string priority_text(Family family, std::int32_t priority) {
    constexpr std::int32_t near = 10;
    const std::int64_t offset = std::int64_t{priority} - filter_priority(family);
    if (offset == 0)
        return "filter";
    if (offset < -near || offset > near)
        return fmt::to_string(priority);
    return offset < 0 ? fmt::format("filter - {}", -offset) : fmt::format("filter + {}", offset);
}

}  // namespace nftlink::nft
