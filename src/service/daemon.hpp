// nftlinkd while it runs: what it is made of, what wakes it, and how it ends.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>
#include <string>

#include "changes.hpp"
#include "control_api.hpp"
#include "engine_follower.hpp"
#include "nftlink/enforce/enforcer.hpp"
#include "nftlink/http/listen.hpp"
#include "nftlink/http/server.hpp"
#include "nftlink/kernel/instance.hpp"
#include "nftlink/kernel/kernel.hpp"
#include "nftlink/state/journal.hpp"
#include "repairs.hpp"
#include "reporter.hpp"
#include "tasks.hpp"
#include "variable_files.hpp"

namespace nftlink::service {

class Daemon {
public:
    // The kernel must outlive it. Listens to the kernel from here on, so that no change after the first application is
    // missed. Throws std::runtime_error when another nftlinkd is in the way, or the state directory can't be used.
    Daemon(kernel::Kernel& kernel, std::string file, config::Loaded loaded);

    // Applies what is configured, then keeps it so until SIGTERM or SIGINT. The exit status.
    int run();

private:
    http::Listener listen(const config::ControlSettings& control);
    // Until everything else has been started; then the service is ready.
    boost::asio::awaitable<void> start();
    // Feeds the watchdog, and looks at what no event tells of: an idle service wakes for nothing else.
    boost::asio::awaitable<void> look_around();
    boost::asio::awaitable<void> reload_on_signal();
    boost::asio::awaitable<void> stop_on_signal();
    // To systemd, when it is another one than before.
    void say_status();
    void remove_rules();

    kernel::Kernel& kernel_;
    boost::asio::io_context context_{1};
    kernel::InstanceLock instance_;
    enforce::Enforcer enforcer_;
    Reporter reporter_;
    Repairs repairs_;
    state::Journal journal_;
    VariableFiles variables_;
    EngineFollower engine_;
    Changes changes_;
    ControlApi api_;
    http::Listener listener_;
    std::optional<http::Server> server_;  // once the service is ready
    std::string status_;                  // as systemd knows it
    Tasks tasks_{context_};
};

}  // namespace nftlink::service
