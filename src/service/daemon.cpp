#include "daemon.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <csignal>
#include <system_error>

#include "log.hpp"

namespace nftlink::service {

namespace asio = boost::asio;
using config::LogLevel;

namespace {

constexpr std::chrono::seconds retry_interval{1};

std::string describe(const kernel::Change& change) {
    if (change.overrun)
        return "after changes too many to follow";
    if (change.process == 0)
        return "after a change by another program";
    return fmt::format("after a change by {} (pid {})", change.program, change.process);
}

std::size_t operation_count(const reconcile::Plan& plan) {
    std::size_t count = 0;
    for (const nft::Batch& batch : plan.transactions)
        count += batch.size();
    return count;
}

}  // namespace

Daemon::Daemon(kernel::Kernel& kernel, const config::Config& config)
    : kernel_(kernel), config_(config), target_(reconcile::make_target(config.topology, config.firewall)) {}

int Daemon::run() {
    watch_signals();
    if (!reconcile("at start"))
        return 1;
    spawn(watch_ruleset());
    spawn(watch_bridges());
    context_.run();
    if (failure_)
        std::rethrow_exception(failure_);
    if (config_.on_exit == config::OnExit::remove)
        remove_rules();
    return 0;
}

std::expected<void, std::string> Daemon::refresh_target() {
    auto facts = reconcile::host_facts(kernel_, config_.firewall);
    if (!facts)
        return std::unexpected(facts.error());
    if (*facts != facts_) {
        facts_ = std::move(*facts);
        target_ = reconcile::make_target(config_.topology, config_.firewall, facts_);
    }
    return {};
}

bool Daemon::reconcile(const std::string& reason) try {
    bridges_ = kernel_.bridges();  // before the facts are read: what changes afterwards is looked at again
    if (const auto refreshed = refresh_target(); !refreshed) {
        log(LogLevel::error, fmt::format("{}: {}", reason, refreshed.error()));
        return false;
    }
    const auto outcome = reconcile::apply(kernel_, target_);
    if (!outcome) {
        log(LogLevel::error, fmt::format("{}: {}", reason, outcome.error()));
        return false;
    }
    generation_ = outcome->generation;
    if (const std::size_t count = operation_count(outcome->done); count != 0)
        log(LogLevel::info, fmt::format("{}: made the ruleset as configured with {} operation{}", reason, count,
                                        count == 1 ? "" : "s"));
    for (const reconcile::Switch& done : outcome->done.switches)
        log(LogLevel::info, fmt::format("bridge {}: switched its netfilter hooks on", done.bridge));
    if (outcome->done.warnings != warnings_) {
        warnings_ = outcome->done.warnings;
        for (const std::string& warning : warnings_)
            log(LogLevel::warning, warning);
    }
    return true;
} catch (const std::system_error& error) {
    log(LogLevel::error, fmt::format("{}: {}", reason, error.what()));
    return false;
}

void Daemon::keep_reconciled(const std::string& reason) {
    if (reconcile(reason)) {
        retry_.cancel();
        return;
    }
    retry_.expires_after(retry_interval);
    retry_.async_wait([this, reason](const boost::system::error_code& error) {
        if (!error)
            keep_reconciled(reason);
    });
}

asio::awaitable<void> Daemon::watch_ruleset() {
    for (;;) {
        const kernel::Change change = co_await ruleset_events_.next();
        // Our own commits, and what has been looked at already, leave the generation as we know it.
        if (kernel_.generation() != generation_)
            keep_reconciled(describe(change));
    }
}

asio::awaitable<void> Daemon::watch_bridges() {
    for (;;) {
        co_await bridge_events_.next();
        // Ports go up and down all the time; only who belongs to which bridge matters, and the switches.
        if (kernel_.bridges() != bridges_)
            keep_reconciled("after a change of a bridge");
    }
}

void Daemon::watch_signals() {
    // Reload is not there yet; without this, SIGHUP would end the service and leave the table unattended.
    std::signal(SIGHUP, SIG_IGN);
    for (const int signal : {SIGTERM, SIGINT})
        signals_.add(signal);
    signals_.async_wait([this](const boost::system::error_code& error, int) {
        if (!error)
            context_.stop();
    });
}

void Daemon::spawn(asio::awaitable<void> task) {
    asio::co_spawn(context_, std::move(task), [this](std::exception_ptr failure) {
        failure_ = failure;
        context_.stop();
    });
}

void Daemon::remove_rules() {
    if (const auto removed = reconcile::clear(kernel_); !removed)
        log(LogLevel::error, "at exit: " + removed.error());
    else
        log(LogLevel::info, "at exit: removed the rules");
}

}  // namespace nftlink::service
