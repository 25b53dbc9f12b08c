// A Unix socket whose reading and writing has to be done in time.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string_view>

namespace nftlink::http {

// Held by std::shared_ptr. One task reads or writes at a time. Closed, it fails whatever is tried, and at once.
class TimedSocket : public std::enable_shared_from_this<TimedSocket> {
public:
    using Socket = boost::asio::local::stream_protocol::socket;

    explicit TimedSocket(Socket socket);

    // For all reading and writing from now on, together; takes the place of the last one. What is under way then, or
    // comes after it, fails with asio::error::timed_out, and the socket stays open.
    void set_deadline(std::chrono::milliseconds time);
    void no_deadline();

    boost::asio::awaitable<std::size_t> read(boost::asio::mutable_buffer room, boost::system::error_code& error);
    // Writes all of it, and takes away from its front what is written.
    boost::asio::awaitable<void> write(std::string_view& text, boost::system::error_code& error);
    // Until the other end is closed; that it merely says that nothing more will come (shutdown) doesn't count. The
    // deadline doesn't either.
    boost::asio::awaitable<void> wait_for_hangup();

    // Tells the other end that nothing more will come.
    void finish();
    void close();
    bool is_open() const { return socket_.is_open(); }

    int native_handle() { return socket_.native_handle(); }
    boost::asio::any_io_executor executor() { return socket_.get_executor(); }

private:
    void deadline_passed(unsigned number);
    // The result of an operation that ended with `error`.
    boost::system::error_code verdict(boost::system::error_code error) const;

    Socket socket_;
    boost::asio::steady_timer timer_;
    unsigned number_ = 0;  // of the deadline
    bool late_ = false;
};

}  // namespace nftlink::http
