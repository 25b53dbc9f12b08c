#include "priority.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "reader.hpp"
#include "words.hpp"

namespace nftlink::config {

namespace {

// netfilter_ipv4.h's NF_IP_PRI_…, by nft's names. dstnat and srcnat belong to other hooks.
constexpr Choice<std::int64_t> named[] = {{"filter", 0}, {"raw", -300}, {"mangle", -150}, {"security", 50}};
constexpr std::string_view names[] = {"filter", "raw", "mangle", "security"};
// netfilter_bridge.h's NF_BR_PRI_FILTER_BRIDGED.
constexpr std::int64_t bridge_filter = -200;

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos)
        return "";
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string expectation(std::string_view text, std::string_view name) {
    return fmt::format("must be a number, or {} with or without an offset such as 'filter - 5', not {}{}",
                       either(names), quote(text),
                       std::ranges::find(names, name) == std::end(names) ? suggest(name, names) : "");
}

// Digits with the sign before them, which may be separate; small enough that a sum can't overflow.
std::optional<std::int64_t> to_offset(std::string_view text) {
    const bool signed_number = text.starts_with('-') || text.starts_with('+');
    const std::string_view digits = trim(text.substr(signed_number ? 1 : 0));
    const auto magnitude = to_number(digits);
    if (!magnitude || digits.starts_with("0x") || *magnitude > std::uint64_t{1} << 32)
        return std::nullopt;
    const auto value = static_cast<std::int64_t>(*magnitude);
    return text.starts_with('-') ? -value : value;
}

}  // namespace

std::expected<std::int32_t, std::string> parse_priority(std::string_view text, bool bridge_family) {
    const std::string_view whole = trim(text);
    const std::string_view name = trim(whole.substr(0, whole.find_first_of("+-0123456789")));
    const std::string_view rest = trim(whole.substr(whole.find(name) + name.size()));
    if (name == "dstnat" || name == "srcnat" || name == "out")
        return std::unexpected(fmt::format("cannot be {}: a forward chain has no such priority", quote(name)));
    std::int64_t value = 0;
    if (!name.empty()) {
        const auto* choice = std::ranges::find(named, name, &Choice<std::int64_t>::word);
        if (choice == std::end(named) || (!rest.empty() && rest.front() != '+' && rest.front() != '-'))
            return std::unexpected(expectation(text, name));
        if (bridge_family && name != "filter")
            return std::unexpected(
                fmt::format("cannot be {} with 'family: bridge': filter is the one name there", quote(name)));
        value = bridge_family ? bridge_filter : choice->value;
    }
    if (name.empty() || !rest.empty()) {
        const auto offset = to_offset(rest);
        if (!offset)
            return std::unexpected(expectation(text, name));
        value += *offset;
    }
    using Limits = std::numeric_limits<std::int32_t>;
    if (value < Limits::min() || value > Limits::max())
        return std::unexpected(fmt::format("must be from {} to {}, not {}", Limits::min(), Limits::max(), quote(text)));
    return static_cast<std::int32_t>(value);
}

}  // namespace nftlink::config
