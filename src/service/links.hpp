// The reader of the kernel's state of each link.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "nftlink/desired/state.hpp"
#include "nftlink/enforce/enforcer.hpp"
#include "nftlink/firewall/link_counts.hpp"
#include "nftlink/kernel/kernel.hpp"

namespace nftlink::service {

class LinkReader {
public:
    // Both must outlive it.
    LinkReader(kernel::Kernel& kernel, enforce::Enforcer& enforcer) : kernel_(kernel), enforcer_(enforcer) {}

    // Each with its counters. They are read again after a while, and after a change.
    const std::vector<firewall::LinkCount>& read(const desired::State& state);
    // Their number, and that of those which the kernel has. Their counters aren't read.
    struct Totals {
        std::size_t desired = 0, installed = 0;
    };
    Totals count(const desired::State& state);

private:
    kernel::Kernel& kernel_;
    enforce::Enforcer& enforcer_;
    std::vector<firewall::LinkCount> counts_;
    std::chrono::steady_clock::time_point read_{};
    std::uint32_t generation_ = 0;
    const config::Loaded* files_ = nullptr;  // of the state that they were read for
    std::uint64_t revision_ = 0;
};

}  // namespace nftlink::service
