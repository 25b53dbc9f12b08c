#include "words.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "nftlink/base/clock.hpp"
#include "nftlink/base/suggestion.hpp"
#include "nftlink/model/port.hpp"

namespace nftlink::cli {

namespace {

constexpr std::pair<std::int64_t, std::string_view> units[] = {
    {24 * 60 * 60, "day"}, {60 * 60, "hour"}, {60, "minute"}, {1, "second"}};

std::string range_words(model::Port first, std::uint16_t last) {
    return first.number == last ? first.to_string()
                                : fmt::format("{}-{}/{}", first.number, last, to_string(first.protocol));
}

}  // namespace

std::string join(const std::vector<std::string>& words, std::string_view separator) {
    return fmt::format("{}", fmt::join(words, separator));
}

std::string or_else(const std::string& text, std::string_view otherwise) {
    return text.empty() ? std::string(otherwise) : text;
}

std::string opening_words(std::string_view what, std::string_view why) {
    constexpr std::pair<std::string_view, std::string_view> words[] = {{"ipv4", "IPv4"},
                                                                       {"ipv6", "IPv6"},
                                                                       {"between_bridges", "between bridges"},
                                                                       {"other_frames", "other frames"},
                                                                       {"ended_links", "connections of ended links"}};
    const auto* found = std::ranges::find(words, what, &std::pair<std::string_view, std::string_view>::first);
    return fmt::format("{} ({})", found == std::end(words) ? what : found->second, why);
}

std::string duration_words(std::chrono::seconds duration) {
    const std::int64_t seconds = std::max<std::int64_t>(duration.count(), 0);
    const auto* unit = std::ranges::find_if(units, [&](const auto& each) { return seconds >= each.first; });
    if (unit == std::end(units))
        return "0 seconds";
    std::string words = count(static_cast<std::uint64_t>(seconds / unit->first), unit->second);
    const std::int64_t rest = seconds % unit->first;
    if (const auto* next = unit + 1; next != std::end(units) && rest >= next->first)
        words += " " + count(static_cast<std::uint64_t>(rest / next->first), next->second);
    return words;
}

std::string duration_words(double seconds) {
    constexpr double longest = 1e12;  // what fits any integer
    return duration_words(std::chrono::seconds(static_cast<std::int64_t>(seconds < longest ? seconds : longest)));
}

std::string span_words(double seconds) {
    return seconds < 1 ? fmt::format("{:.1f} ms", seconds * 1000) : fmt::format("{:.2f} s", seconds);
}

std::string time_words(std::string_view text) {
    constexpr std::size_t date_length = 10, whole_length = 19;
    if (!text.ends_with('Z') || !base::parse_timestamp(text))
        return base::escape(text);
    return fmt::format("{} {}Z", text.substr(0, date_length),
                       text.substr(date_length + 1, whole_length - date_length - 1));
}

std::string time_words(std::string_view text, std::chrono::system_clock::time_point now) {
    const auto time = base::parse_timestamp(text);
    if (!time)
        return time_words(text);
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - floor<std::chrono::seconds>(*time));
    return fmt::format("{}, {}", time_words(text), age.count() < 1 ? "just now" : duration_words(age) + " ago");
}

std::string port_words(const std::vector<std::string>& ports) {
    std::vector<std::string> words;
    std::vector<model::Port> known;
    for (const std::string& text : ports) {
        if (const auto parsed = model::parse_ports(text))
            known.insert(known.end(), parsed->begin(), parsed->end());
        else
            words.push_back(text);
    }
    std::ranges::sort(known, {}, [](const model::Port& port) { return std::pair(port.protocol, port.number); });
    std::vector<std::pair<model::Port, std::uint16_t>> ranges;  // the first, and the last one's number
    for (const model::Port& port : known) {
        const bool follows =
            !ranges.empty() && ranges.back().first.protocol == port.protocol && port.number - ranges.back().second <= 1;
        if (follows)
            ranges.back().second = port.number;
        else
            ranges.emplace_back(port, port.number);
    }
    std::ranges::sort(ranges);
    for (const auto& [first, last] : ranges)
        words.push_back(range_words(first, last));
    return words.empty() ? "-" : join(words, ",");
}

}  // namespace nftlink::cli
