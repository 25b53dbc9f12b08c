#include "timed_socket.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>

namespace nftlink::http {

namespace asio = boost::asio;
using boost::system::error_code;

TimedSocket::TimedSocket(Socket socket) : socket_(std::move(socket)), timer_(socket_.get_executor()) {}

void TimedSocket::set_deadline(std::chrono::milliseconds time) {
    late_ = false;
    timer_.expires_after(time);
    timer_.async_wait([self = weak_from_this(), number = ++number_](const error_code& error) {
        if (const auto socket = self.lock(); socket != nullptr && !error)
            socket->deadline_passed(number);
    });
}

void TimedSocket::no_deadline() {
    late_ = false;
    ++number_;
    timer_.cancel();
}

// The number tells a deadline from one that was replaced when its time had come already.
void TimedSocket::deadline_passed(unsigned number) {
    if (number != number_)
        return;
    late_ = true;
    error_code ignored;
    socket_.cancel(ignored);
}

error_code TimedSocket::verdict(error_code error) const {
    return error == asio::error::operation_aborted && late_ ? asio::error::timed_out : error;
}

// `late_` is looked at before each operation: one that had ended just before the deadline could not be cancelled, and
// the next one would have none.
asio::awaitable<std::size_t> TimedSocket::read(asio::mutable_buffer room, error_code& error) {
    error = asio::error::timed_out;
    if (late_)
        co_return 0;
    const std::size_t size = co_await socket_.async_read_some(room, asio::redirect_error(asio::use_awaitable, error));
    error = verdict(error);
    co_return size;
}

asio::awaitable<void> TimedSocket::write(std::string_view& text, error_code& error) {
    error = {};
    while (!error && !text.empty()) {
        error = asio::error::timed_out;
        if (late_)
            break;
        text.remove_prefix(
            co_await socket_.async_write_some(asio::buffer(text), asio::redirect_error(asio::use_awaitable, error)));
        error = verdict(error);
    }
}

asio::awaitable<void> TimedSocket::wait_for_hangup() {
    error_code ignored;
    co_await socket_.async_wait(Socket::wait_error, asio::redirect_error(asio::use_awaitable, ignored));
}

void TimedSocket::finish() {
    error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
}

void TimedSocket::close() {
    no_deadline();
    error_code ignored;
    socket_.close(ignored);
    // Asio leaves the kernel's timer set to a deadline that was given up, and an idle service would wake for it. A
    // timer that is due now has it set anew, while we are awake.
    const auto due = std::make_shared<asio::steady_timer>(socket_.get_executor(), std::chrono::steady_clock::now());
    due->async_wait([due](const error_code&) {});
}

}  // namespace nftlink::http
