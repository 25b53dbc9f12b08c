#include "repairs.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace nftlink::service {

namespace asio = boost::asio;

namespace {

// Others who never stop committing must not keep everybody else from their turn.
constexpr int most_in_a_row = 16;

}  // namespace

Repairs::Repairs(const asio::any_io_executor& executor, kernel::Kernel& kernel, enforce::Enforcer& enforcer,
                 Reporter& reporter)
    : kernel_(kernel),
      enforcer_(enforcer),
      reporter_(reporter),
      changes_(executor, kernel.changes_descriptor()),
      bridges_(executor, kernel.bridges_descriptor()),
      timer_(executor) {}

asio::awaitable<void> Repairs::follow_ruleset() {
    const auto executor = co_await asio::this_coro::executor;
    for (int in_a_row = 0;;) {
        const auto change = kernel_.next_change();
        if (!change) {
            co_await changes_.wait();
            in_a_row = 0;
            continue;
        }
        tell(enforcer_.ruleset_changed(*change));
        if (++in_a_row % most_in_a_row == 0)
            co_await asio::post(executor, asio::use_awaitable);
    }
}

asio::awaitable<void> Repairs::follow_bridges() {
    for (;;) {
        co_await bridges_.wait();
        tell(enforcer_.bridges_changed());
    }
}

asio::awaitable<void> Repairs::repair_when_due() {
    for (;;) {
        for (const enforce::Repair& repair : enforcer_.repair_due())
            reporter_.repaired(repair);
        timer_.expires_at(enforcer_.due().value_or(enforce::Backoff::Time::max()));
        boost::system::error_code woken;
        co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
}

void Repairs::look_closely() {
    tell(enforcer_.bridges_changed(kernel::Kernel::Look::closely));
}

void Repairs::tell(const std::optional<enforce::Repair>& repair) {
    if (repair)
        reporter_.repaired(*repair);
    rearm();
}

}  // namespace nftlink::service
