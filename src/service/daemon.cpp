#include "daemon.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "access.hpp"
#include "log.hpp"
#include "nftlink/base/words.hpp"
#include "nftlink/http/listen.hpp"
#include "notify.hpp"

namespace nftlink::service {

namespace asio = boost::asio;
using config::LogLevel;

namespace {

// Where no watchdog wakes us more often.
constexpr std::chrono::seconds look_interval{30};
// What clients get at the end to take their last answers.
constexpr std::chrono::milliseconds farewell{100};

}  // namespace

Daemon::Daemon(kernel::Kernel& kernel, std::string file, config::Loaded loaded)
    : kernel_(kernel),
      socket_(loaded.config.control.socket),
      keeper_(context_.get_executor(), kernel, std::move(file), std::move(loaded)) {
    if (!instance_.warning().empty())
        log(LogLevel::warning, instance_.warning());
    open_control_socket();
}

void Daemon::open_control_socket() {
    const config::ControlSettings& control = keeper_.desired().config().control;
    const auto group = find_group(control.group);
    if (!group)
        log(LogLevel::warning,
            fmt::format("there is no group {}: only root may use the control socket", control.group));
    const auto opened = http::listen(socket_, group, control.readers == config::Readers::all);
    if (!opened.warning.empty())
        log(LogLevel::warning, opened.warning);
    api_.emplace(keeper_, ControlApi::Facts{group, control.readers, std::chrono::system_clock::now(),
                                            [this] { return server_->client_count(); }});
    server_.emplace(
        context_.get_executor(), opened.descriptor, http::Limits{},
        [this](http::Request request) { return api_->handle(std::move(request)); }, error_body);
}

int Daemon::run() {
    stop_on_signal();
    reload_signals_.add(SIGHUP);
    if (!keeper_.start()) {
        ::unlink(socket_.c_str());
        return 1;
    }
    spawn(watch_ruleset());
    spawn(watch_bridges());
    spawn(look_around());
    spawn(reload_on_signal());
    notify("READY=1");
    say_status();
    log(LogLevel::info, "ready; the control socket is " + socket_);
    context_.run();
    ::unlink(socket_.c_str());
    if (failure_)
        std::rethrow_exception(failure_);
    if (keeper_.desired().config().on_exit == config::OnExit::remove)
        remove_rules();
    // A disk that hangs must not keep the service from ending; what it is at is safe to be cut off.
    if (keeper_.waits_for_disk())
        std::_Exit(0);
    return 0;
}

void Daemon::say_status() {
    std::size_t links = 0;
    for (const auto& [name, container] : keeper_.desired().topology().containers)
        links += container.links.size();
    std::string status = base::count(links, "link");
    status += keeper_.enforcer().in_force() ? " in force" : ", NOT in force: see nftlink status";
    if (keeper_.refused_configuration())
        status += "; the new configuration was refused";
    if (std::exchange(status_, status) != status)
        notify("STATUS=" + status);
}

asio::awaitable<void> Daemon::watch_ruleset() {
    for (;;) {
        while (const auto change = kernel_.next_change())
            keeper_.enforcer().ruleset_changed(*change);
        co_await changes_.wait();
    }
}

asio::awaitable<void> Daemon::watch_bridges() {
    for (;;) {
        co_await bridges_.wait();
        keeper_.enforcer().bridges_changed();
    }
}

asio::awaitable<void> Daemon::look_around() {
    const auto watchdog = watchdog_interval();
    asio::steady_timer timer(context_);
    for (;;) {
        if (watchdog)
            notify("WATCHDOG=1");
        timer.expires_after(watchdog ? std::min<std::chrono::microseconds>(*watchdog / 2, look_interval)
                                     : look_interval);
        co_await timer.async_wait(asio::use_awaitable);
        instance_.dismiss_callers();
        keeper_.enforcer().bridges_changed(kernel::Kernel::Look::closely);
        say_status();
    }
}

asio::awaitable<void> Daemon::reload_on_signal() {
    for (;;) {
        co_await reload_signals_.async_wait(asio::use_awaitable);
        log(LogLevel::info, "SIGHUP: reading the configuration again");
        co_await keeper_.reload();
    }
}

void Daemon::stop_on_signal() {
    for (const int signal : {SIGTERM, SIGINT})
        stop_signals_.add(signal);
    stop_signals_.async_wait([this](const boost::system::error_code& error, int) {
        if (error)
            return;
        notify("STOPPING=1");
        keeper_.events().publish("stopping", {});
        keeper_.events().close();
        stopping_.expires_after(farewell);
        stopping_.async_wait([this](const boost::system::error_code&) { context_.stop(); });
    });
}

void Daemon::spawn(asio::awaitable<void> task) {
    asio::co_spawn(context_, std::move(task), [this](std::exception_ptr failure) {
        failure_ = failure;
        context_.stop();
    });
}

void Daemon::remove_rules() {
    const std::string& table = keeper_.desired().config().firewall.table;
    const auto cleared = reconcile::clear(kernel_, table, reconcile::Strangers::leave);
    if (!cleared)
        return log(LogLevel::error, "at exit: " + cleared.error());
    log(LogLevel::info,
        cleared->left.empty() ? "at exit: removed the rules" : "at exit: removed what is nftlink's alone");
    for (const std::string& sentence : cleared->left)
        log(LogLevel::warning, fmt::format("at exit: {}: it stays, and what it drops and accepts with it", sentence));
}

}  // namespace nftlink::service
