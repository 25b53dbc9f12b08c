#include "nftlink/kernel/kernel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

namespace nftlink::kernel {

namespace {

std::string describe(const RefusedOperation& refused) {
    std::string text = fmt::format("#{} {}", refused.index + 1, refused.operation);
    if (!refused.object.empty())
        text += fmt::format(" ({})", refused.object);
    text += ": " + std::generic_category().message(refused.error_number);
    if (!refused.kernel_message.empty())
        text += fmt::format(" ({})", refused.kernel_message);
    return text;
}

}  // namespace

std::string Refusal::to_string() const {
    switch (reason) {
        case Reason::operations:
            break;
        case Reason::stale:
            return "the ruleset was changed by another program meanwhile";
        case Reason::too_large:
            return "the change is larger than one netlink transaction may be here";
        case Reason::permission:
            return "not permitted: CAP_NET_ADMIN is needed (try sudo)";
        case Reason::unknown:
            return "the kernel's answer was lost: whether the change was made is not known";
    }
    std::string text = fmt::format("kernel refused {} of {}", operations.size(), operation_count);
    for (std::string_view separator = ": "; const RefusedOperation& refused : operations) {
        text += separator;
        text += describe(refused);
        separator = "; ";
    }
    return text;
}

const Bridge* Bridges::find(std::string_view name) const {
    const auto found = std::ranges::lower_bound(bridges, name, {}, &Bridge::name);
    return found == bridges.end() || found->name != name ? nullptr : &*found;
}

BridgeNetfilter Bridges::effective(const Bridge& bridge) const {
    if (!module_loaded)
        return {};
    return {bridge.own.ipv4 || global.ipv4, bridge.own.ipv6 || global.ipv6};
}

}  // namespace nftlink::kernel
