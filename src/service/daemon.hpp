// nftlinkd while it runs: what wakes it, and how it ends.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <exception>
#include <optional>
#include <string>

#include "control_api.hpp"
#include "keeper.hpp"
#include "nftlink/http/server.hpp"
#include "nftlink/kernel/instance.hpp"
#include "nftlink/kernel/kernel.hpp"
#include "readable.hpp"

namespace nftlink::service {

class Daemon {
public:
    // The kernel must outlive it. Listens to the kernel from here on, so that no change after the first application is
    // missed. Throws std::runtime_error when another nftlinkd is in the way.
    Daemon(kernel::Kernel& kernel, std::string file, config::Loaded loaded);

    // Applies what is configured, then keeps it so until SIGTERM or SIGINT. The exit status.
    int run();

private:
    void open_control_socket();
    // To systemd, when it is another one than before.
    void say_status();

    boost::asio::awaitable<void> watch_ruleset();
    boost::asio::awaitable<void> watch_bridges();
    // Feeds the watchdog, and looks at what no event tells of: an idle service wakes for nothing else.
    boost::asio::awaitable<void> look_around();
    boost::asio::awaitable<void> reload_on_signal();
    void stop_on_signal();
    void spawn(boost::asio::awaitable<void> task);
    void remove_rules();

    kernel::Kernel& kernel_;
    boost::asio::io_context context_{1};
    kernel::InstanceLock instance_;
    boost::asio::signal_set stop_signals_{context_};
    boost::asio::signal_set reload_signals_{context_};
    boost::asio::steady_timer stopping_{context_};
    Readable changes_{context_.get_executor(), kernel_.changes_descriptor()};
    Readable bridges_{context_.get_executor(), kernel_.bridges_descriptor()};
    std::string socket_;
    std::string status_;  // as systemd knows it
    Keeper keeper_;
    std::optional<ControlApi> api_;
    std::optional<http::Server> server_;
    std::exception_ptr failure_;
};

}  // namespace nftlink::service
