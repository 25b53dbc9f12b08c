// One client of the HTTP server.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "nftlink/http/server.hpp"
#include "response_text.hpp"
#include "timed_socket.hpp"

namespace nftlink::http {

// The part of a server that all its connections share.
struct Settings {
    Limits limits;
    Server::Handler handler;
    Server::RefusalBody refuse;
};

class Connection {
public:
    Connection(TimedSocket::Socket socket, std::shared_ptr<const Settings> settings);

    const Peer& peer() const { return peer_; }
    // The handler is at work: the answer is on its way.
    bool is_at_work() const { return at_work_; }
    // It is a stream: quiet by nature.
    bool is_stream() const { return is_stream_; }
    // Since when nothing has come or gone, or how long a request or response has been under way.
    std::chrono::steady_clock::time_point quiet_since() const { return quiet_since_; }

    // Until one side has had enough. Never throws. The connection must live as long.
    boost::asio::awaitable<void> serve();
    // Ends it, whatever it is at: serve() returns soon, and calls neither the handler nor `refuse` any more. A handler
    // at work, or a stream that waits, is cancelled.
    void close();

private:
    template <typename T>
    using Awaitable = boost::asio::awaitable<T>;
    class Parser;
    struct BadRequest;

    Awaitable<bool> wait_for_request();
    Awaitable<bool> serve_request();
    Awaitable<std::optional<BadRequest>> read_request(Parser& parser);
    static std::optional<BadRequest> take_apart(Parser& parser, Request& request, Sending& sending);
    Awaitable<boost::system::error_code> read_header(Parser& parser);
    Awaitable<boost::system::error_code> read_body(Parser& parser);
    Awaitable<boost::system::error_code> parse_more(Parser& parser);
    Awaitable<boost::system::error_code> read_more();

    // Nothing when the connection has been closed meanwhile.
    Awaitable<std::optional<Response>> answer(Request request);
    Awaitable<Response> call_handler(Request request);
    Awaitable<void> wait_for_close();

    Awaitable<bool> write(Response response, Sending sending);
    Awaitable<void> refuse(BadRequest fault);
    Awaitable<void> drain();

    Awaitable<void> write_stream(Response response, Sending sending);
    // Nothing when the client is gone, the connection closed, or the stream broken.
    Awaitable<std::optional<std::string>> next_lines(Stream& stream);
    Awaitable<std::optional<std::string>> call_next(Stream& stream);
    // The client takes a piece in time, only after the stream was given up, or not at all.
    enum class Pace { good, slow, lost };
    Awaitable<Pace> write_patiently(Stream& stream, std::string piece);
    Awaitable<boost::system::error_code> write_in_time(std::string_view& text);

    void touch() { quiet_since_ = std::chrono::steady_clock::now(); }

    std::shared_ptr<const Settings> settings_;
    std::shared_ptr<TimedSocket> socket_;
    boost::asio::steady_timer closed_;  // expires when close() is called
    boost::beast::flat_buffer buffer_;  // what was read and isn't parsed yet
    Peer peer_;
    bool at_work_ = false;
    bool is_stream_ = false;
    std::chrono::steady_clock::time_point quiet_since_;
};

}  // namespace nftlink::http
