#include "rates.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "table.hpp"
#include "words.hpp"

namespace nftlink::cli {

namespace {

double counted(std::uint64_t before, std::uint64_t now) {
    return static_cast<double>(now >= before ? now - before : now);
}

std::vector<std::string> row(const Rate& rate) {
    return {rate.link, rate.child, fmt::format("{:.1f}", rate.packets), fmt::format("{:.0f}", rate.bytes)};
}

}  // namespace

Reading read_counters(const std::vector<api::Link>& links, std::chrono::steady_clock::time_point time) {
    Reading reading{.time = time, .links = {}};
    for (const api::Link& link : links)
        reading.links[link.name] = {link.child, {link.packets.value_or(0), link.bytes.value_or(0)}};
    return reading;
}

std::vector<Rate> rates(const Reading& before, const Reading& now) {
    const double seconds = std::chrono::duration<double>(now.time - before.time).count();
    std::vector<Rate> found;
    for (const auto& [name, link] : now.links) {
        Rate rate{.link = name, .child = link.child};
        if (const auto old = before.links.find(name); old != before.links.end() && seconds > 0) {
            rate.packets = counted(old->second.counters.packets, link.counters.packets) / seconds;
            rate.bytes = counted(old->second.counters.bytes, link.counters.bytes) / seconds;
        }
        found.push_back(std::move(rate));
    }
    std::ranges::stable_sort(found, std::greater<>(),
                             [](const Rate& rate) { return std::pair(rate.bytes, rate.packets); });
    return found;
}

std::string rates_text(const std::vector<Rate>& rates, std::size_t row_count) {
    constexpr auto right = Column::Align::right;
    std::vector<std::vector<std::string>> rows;
    Rate all{.link = fmt::format("all {}", rates.size()), .child = {}};
    for (const Rate& rate : rates) {
        if (rows.size() < row_count)
            rows.push_back(row(rate));
        all.packets += rate.packets;
        all.bytes += rate.bytes;
    }
    rows.push_back(row(all));
    return to_table({{"LINK"}, {"CHILD"}, {"PACKETS/S", right}, {"BYTES/S", right}}, rows);
}

}  // namespace nftlink::cli
