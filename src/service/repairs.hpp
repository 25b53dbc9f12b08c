// Hands the kernel's news to the enforcer, and wakes it when something is due.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>

#include "nftlink/enforce/enforcer.hpp"
#include "nftlink/kernel/kernel.hpp"
#include "readable.hpp"
#include "reporter.hpp"

namespace nftlink::service {

class Repairs {
public:
    // All must outlive it. From here on the kernel is listened to.
    Repairs(const boost::asio::any_io_executor& executor, kernel::Kernel& kernel, enforce::Enforcer& enforcer,
            Reporter& reporter);

    // These go on for ever.
    boost::asio::awaitable<void> follow_ruleset();
    boost::asio::awaitable<void> follow_bridges();
    boost::asio::awaitable<void> repair_when_due();

    // Looks at what no message tells of.
    void look_closely();
    // To be called after the enforcer was used otherwise: something else may be due then.
    void rearm() { timer_.cancel(); }

private:
    void tell(const std::optional<enforce::Repair>& repair);

    kernel::Kernel& kernel_;
    enforce::Enforcer& enforcer_;
    Reporter& reporter_;
    Readable changes_, bridges_;
    boost::asio::steady_timer timer_;
};

}  // namespace nftlink::service
