// The speed of the links' counters.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "nftlink/api/answers.hpp"

namespace nftlink::cli {

struct Counters {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
};

// The counters of all links at one time.
struct Reading {
    std::chrono::steady_clock::time_point time;
    struct Link {
        std::string child;
        Counters counters;
    };
    std::map<std::string, Link> links;  // by name
};

Reading read_counters(const std::vector<api::Link>& links, std::chrono::steady_clock::time_point time);

// In one second.
struct Rate {
    std::string link;
    std::string child;
    double packets = 0;
    double bytes = 0;
};

// Of the links of the later reading, the fastest first. A counter that has gone down began again at 0; what a link
// counted before it was first seen is nobody's rate.
std::vector<Rate> rates(const Reading& before, const Reading& now);

// The first `row_count` of them, and the sum of all.
std::string rates_text(const std::vector<Rate>& rates, std::size_t row_count);

}  // namespace nftlink::cli
