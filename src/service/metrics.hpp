// The counters, and Prometheus' text of them.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nftlink/enforce/plan.hpp"
#include "nftlink/engine/watcher.hpp"
#include "nftlink/firewall/link_counts.hpp"

namespace nftlink::service {

// Cumulative histogram (Prometheus' buckets) of durations.
class Histogram {
public:
    static constexpr std::array bounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                       0.05,   0.1,   0.25,   0.5,   1.0,  2.5};  // seconds

    void add(std::chrono::nanoseconds duration);
    std::string to_text(const std::string& name) const;

private:
    std::array<std::uint64_t, bounds.size()> counts_{};
    std::uint64_t count_ = 0;
    double sum_ = 0;
};

struct Counts {
    std::uint64_t heals = 0;
    std::uint64_t refused_changes = 0;
    Histogram apply;  // transactions with something to change
    std::optional<std::chrono::system_clock::time_point> last_success;
};

// The gauges that a scrape shows beside the counts.
struct Reading {
    std::vector<firewall::LinkCount> links;
    bool counted = true;  // the links have counters
    std::vector<enforce::BridgeState> bridges;
    std::string hash;
    std::chrono::system_clock::time_point started;
    std::size_t clients = 0;
    bool in_force = false;
    std::size_t waiting = 0;                  // links
    const engine::Contact* engine = nullptr;  // null: there is none to follow
};

// The text exposition format, version 0.0.4.
std::string prometheus_text(const Counts& counts, const Reading& reading);

}  // namespace nftlink::service
