#include "daemon.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <csignal>
#include <utility>

#include "access.hpp"
#include "log.hpp"
#include "nftlink/base/words.hpp"
#include "nftlink/enforce/plan.hpp"
#include "notify.hpp"

namespace nftlink::service {

namespace asio = boost::asio;
using config::LogLevel;

namespace {

// Where no watchdog wakes us more often.
constexpr std::chrono::seconds look_interval{30};
// The time that clients get at the end to take their last answers.
constexpr std::chrono::milliseconds farewell{100};

ControlApi::Rights rights_in(const config::ControlSettings& control) {
    const auto group = find_group(control.group);
    if (!group)
        log(LogLevel::warning,
            fmt::format("there is no group {}: only root may use the control socket", control.group));
    return {group, control.readers};
}

}  // namespace

// The kernel's news go through Repairs to the enforcer, everybody's wishes through Changes; both report. What is asked
// for comes by way of the control API.
Daemon::Daemon(kernel::Kernel& kernel, std::string file, config::Loaded loaded)
    : kernel_(kernel),
      enforcer_(kernel),
      reporter_(context_.get_executor(), enforcer_),
      repairs_(context_.get_executor(), kernel, enforcer_, reporter_),
      journal_(loaded.config.state.directory),
      variables_(journal_, reporter_),
      engine_(context_.get_executor(), reporter_),
      changes_(context_.get_executor(), {enforcer_, repairs_, journal_, reporter_, variables_, engine_},
               std::move(file), std::move(loaded)),
      api_({kernel, enforcer_, repairs_, reporter_, engine_, changes_}, rights_in(changes_.state().config().control),
           [this] { return server_->client_count(); }),
      listener_(listen(changes_.state().config().control)) {
    if (!instance_.warning().empty())
        log(LogLevel::warning, instance_.warning());
}

http::Listener Daemon::listen(const config::ControlSettings& control) {
    auto listener = http::listen(control.socket, api_.rights().group, control.readers == config::Readers::all);
    if (!listener.warning.empty())
        log(LogLevel::warning, listener.warning);
    return listener;
}

int Daemon::run() {
    const std::string socket = changes_.state().config().control.socket;
    tasks_.spawn(stop_on_signal());
    tasks_.spawn(reload_on_signal());
    tasks_.spawn(start());
    context_.run();
    ::unlink(socket.c_str());
    tasks_.rethrow();
    if (!server_)
        return 1;
    if (changes_.state().config().on_exit == config::OnExit::remove)
        remove_rules();
    // A disk that hangs must not keep the service from ending; what it is at is safe to be cut off.
    if (journal_.is_busy())
        std::_Exit(0);
    return 0;
}

asio::awaitable<void> Daemon::start() {
    const desired::State& state = changes_.state();
    const std::string socket = state.config().control.socket;
    // With rules in the kernel the engine is asked first, so that its links stay there. Without any they come as soon
    // as it has answered.
    desired::State::Inventory inventory;
    if (state.has_engine() && enforce::has_rules(kernel_, state.config().firewall.table))
        inventory = engine_.ask(state);
    const bool is_started = co_await changes_.start(std::move(inventory));
    if (!is_started) {
        context_.stop();
        co_return;
    }
    server_.emplace(
        context_.get_executor(), listener_.descriptor, http::Limits{},
        [this](http::Request request) { return api_.handle(std::move(request)); }, error_body);
    tasks_.spawn(repairs_.follow_ruleset());
    tasks_.spawn(repairs_.follow_bridges());
    tasks_.spawn(repairs_.repair_when_due());
    tasks_.spawn(look_around());
    notify("READY=1");
    say_status();
    log(LogLevel::info, "ready; the control socket is " + socket);
}

void Daemon::say_status() {
    std::size_t links = 0;
    for (const auto& [name, container] : changes_.state().topology().containers)
        links += container.links.size();
    std::string status = base::count(links, "link");
    status += enforcer_.in_force() ? " in force" : ", NOT in force: see nftlink status";
    if (reporter_.refused_configuration())
        status += "; the new configuration was refused";
    if (std::exchange(status_, status) != status)
        notify("STATUS=" + status);
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
        repairs_.look_closely();
        say_status();
    }
}

asio::awaitable<void> Daemon::reload_on_signal() {
    asio::signal_set signals(context_, SIGHUP);
    for (;;) {
        co_await signals.async_wait(asio::use_awaitable);
        log(LogLevel::info, "SIGHUP: reading the configuration again");
        co_await changes_.reload();
    }
}

asio::awaitable<void> Daemon::stop_on_signal() {
    asio::signal_set signals(context_, SIGTERM, SIGINT);
    co_await signals.async_wait(asio::use_awaitable);
    notify("STOPPING=1");
    reporter_.stopping();
    asio::steady_timer timer(context_, farewell);
    co_await timer.async_wait(asio::use_awaitable);
    context_.stop();
}

void Daemon::remove_rules() {
    const std::string& table = changes_.state().config().firewall.table;
    const auto cleared = enforce::clear(kernel_, table, enforce::Strangers::leave);
    if (!cleared)
        return log(LogLevel::error, "at exit: " + cleared.error());
    log(LogLevel::info,
        cleared->left.empty() ? "at exit: removed the rules" : "at exit: removed what is nftlink's alone");
    for (const std::string& sentence : cleared->left)
        log(LogLevel::warning, fmt::format("at exit: {}: it stays, and what it drops and accepts with it", sentence));
}

}  // namespace nftlink::service
