// A repair of the kernel's ruleset, and its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "nftlink/enforce/bridges.hpp"

namespace nftlink::enforce {

// The kernel was made to match.
struct Enforced {
    std::size_t operation_count = 0;  // 0: it did already
    std::chrono::nanoseconds took{};
    std::vector<Switch> switches = {};
    bool is_of_ports = false;  // nothing but ports of bridges came or went
};

// The reason for it, and who changed the ruleset, as far as that is known.
struct Cause {
    std::string reason;  // `after a change by nft (pid 99)`
    std::string program = {};
    std::uint32_t process = 0;  // 0: unknown
    enum class Of { rules, bridges, ourselves };
    Of of = Of::rules;  // somebody changed the ruleset; bridges came or went; or it is time
};

// The answer to news of the kernel: what was done, or why it couldn't be.
struct Repair {
    Cause cause;
    std::expected<Enforced, std::string> result;
};

}  // namespace nftlink::enforce
