// Keeps one target in force until told to end.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <exception>
#include <string>

#include "nftlink/config/config.hpp"
#include "nftlink/kernel/events.hpp"
#include "nftlink/kernel/kernel.hpp"
#include "nftlink/reconcile/reconcile.hpp"

namespace nftlink::service {

class Daemon {
public:
    // The configuration must outlive it. Listens to the kernel from here on, so that no change after the first
    // application is missed.
    Daemon(kernel::Kernel& kernel, const config::Config& config);

    // Applies the target, then keeps it so until SIGTERM or SIGINT. The exit status.
    int run();

private:
    // Makes the target anew when it depends on something of the host that has changed.
    std::expected<void, std::string> refresh_target();
    // Makes the kernel match; says in the log what it did, and why. False when that failed.
    bool reconcile(const std::string& reason);
    // The same, again a little later for as long as it fails.
    void keep_reconciled(const std::string& reason);

    boost::asio::awaitable<void> watch_ruleset();
    boost::asio::awaitable<void> watch_bridges();
    void watch_signals();
    void spawn(boost::asio::awaitable<void> task);
    void remove_rules();

    kernel::Kernel& kernel_;
    const config::Config& config_;
    reconcile::Target target_;
    firewall::HostFacts facts_;  // that the target was made of
    kernel::Bridges bridges_;    // as they were when all was last as wanted
    boost::asio::io_context context_{1};
    boost::asio::signal_set signals_{context_};
    boost::asio::steady_timer retry_{context_};
    kernel::RulesetEvents ruleset_events_{context_.get_executor()};
    kernel::BridgeEvents bridge_events_{context_.get_executor()};
    std::uint32_t generation_ = 0;  // of the ruleset when it was last as wanted
    std::vector<std::string> warnings_;
    std::exception_ptr failure_;
};

}  // namespace nftlink::service
