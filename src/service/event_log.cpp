#include "event_log.hpp"

#include <fmt/format.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>

#include "nftlink/base/clock.hpp"

namespace nftlink::service {

namespace asio = boost::asio;

namespace {

// The number that is kept: the largest change that a client can send, and some. They are kept once, whoever reads them.
constexpr std::size_t max_records = std::size_t{1} << 15;
// The most that a subscriber gets in one piece.
constexpr std::size_t piece_bytes = std::size_t{64} << 10;

std::string line(std::uint64_t number, const api::Event& event) {
    return api::to_text(number, base::timestamp(std::chrono::system_clock::now()), event) + "\n";
}

}  // namespace

struct EventLog::Records {
    explicit Records(const asio::any_io_executor& executor) : news(executor) {
        news.expires_at(asio::steady_timer::time_point::max());
    }

    std::uint64_t first_number() const { return last_number + 1 - lines.size(); }

    std::deque<std::string> lines;  // the last ones
    std::uint64_t last_number = 0;
    bool closed = false;      // nothing comes any more
    asio::steady_timer news;  // cancelled when there is something new
};

class EventLog::Subscription final : public http::Stream {
public:
    explicit Subscription(std::shared_ptr<Records> records)
        : records_(std::move(records)), next_number_(records_->last_number + 1) {}

    asio::awaitable<std::string> next() override {
        while (!done_ && !given_up_ && next_number_ > records_->last_number && !records_->closed) {
            boost::system::error_code woken;
            co_await records_->news.async_wait(asio::redirect_error(asio::use_awaitable, woken));
            // Cancelled by us when there are news; by the connection's end otherwise.
            if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none)
                throw boost::system::system_error(asio::error::operation_aborted);
        }
        if (done_)
            co_return "";
        if (given_up_ || next_number_ < records_->first_number())
            co_return last_word();
        done_ = next_number_ > records_->last_number;  // only when all is closed
        co_return take();
    }

    void give_up() override { given_up_ = true; }

private:
    std::string take() {
        std::string piece;
        for (; next_number_ <= records_->last_number && piece.size() < piece_bytes; ++next_number_)
            piece += records_->lines[next_number_ - records_->first_number()];
        return piece;
    }

    std::string last_word() {
        done_ = true;
        const std::uint64_t lost = records_->last_number + 1 - next_number_;
        return line(
            records_->last_number,
            api::Dropped{fmt::format("this reader was too slow: {} events were thrown away; connect again", lost),
                         lost});
    }

    std::shared_ptr<Records> records_;
    std::uint64_t next_number_;
    bool given_up_ = false;
    bool done_ = false;
};

EventLog::EventLog(const asio::any_io_executor& executor) : records_(std::make_shared<Records>(executor)) {}

void EventLog::publish(const api::Event& event) {
    records_->lines.push_back(line(++records_->last_number, event));
    if (records_->lines.size() > max_records)
        records_->lines.pop_front();
    records_->news.cancel();
}

std::unique_ptr<http::Stream> EventLog::subscribe() {
    return std::make_unique<Subscription>(records_);
}

void EventLog::close() {
    records_->closed = true;
    records_->news.cancel();
}

std::uint64_t EventLog::last_number() const {
    return records_->last_number;
}

}  // namespace nftlink::service
