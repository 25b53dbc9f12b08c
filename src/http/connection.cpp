#include "connection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <exception>

#include "nftlink/http/peer.hpp"
#include "target.hpp"

namespace nftlink::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using namespace asio::experimental::awaitable_operators;
using boost::system::error_code;

namespace {

constexpr std::size_t read_size = std::size_t{16} << 10;
// The bytes that a refused client may still be sending, and the time for it.
constexpr std::size_t drain_limit = std::size_t{8} << 20;
constexpr std::chrono::milliseconds drain_time{2000};

}  // namespace

class Connection::Parser : public http::request_parser<http::string_body> {
public:
    explicit Parser(const Limits& limits) {
        header_limit(static_cast<std::uint32_t>(limits.header_bytes));
        body_limit(limits.body_bytes);
    }
    std::size_t header_size = 0;  // of what has been parsed of it
};

// The fault of a request.
struct Connection::BadRequest {
    unsigned status;
    const char* code;
    std::string message;
};

Connection::Connection(TimedSocket::Socket socket, std::shared_ptr<const Settings> settings)
    : settings_(std::move(settings)),
      socket_(std::make_shared<TimedSocket>(std::move(socket))),
      closed_(socket_->executor(), asio::steady_timer::time_point::max()),
      buffer_(settings_->limits.header_bytes + read_size),
      peer_(peer_of(socket_->native_handle())) {
    touch();
}

void Connection::close() {
    socket_->close();
    closed_.expires_at(asio::steady_timer::time_point::min());
}

asio::awaitable<void> Connection::serve() {
    try {
        // Not `while (co_await … && co_await …)`: g++ 12 compiles that to nonsense.
        for (bool more = true; more;) {
            more = co_await wait_for_request();
            if (more)
                more = co_await serve_request();
        }
    } catch (...) {
        // No memory, say: this client loses its connection, and no other one anything.
    }
    close();
}

asio::awaitable<bool> Connection::wait_for_request() {
    touch();
    if (buffer_.size() != 0)  // the next request came along with the last one
        co_return true;
    socket_->set_deadline(settings_->limits.idle);
    co_return !co_await read_more();
}

asio::awaitable<bool> Connection::serve_request() {
    touch();
    socket_->set_deadline(settings_->limits.request);
    // On the heap: Asio does not recycle frames of over 1 KiB, and g++ 12 warns of them without cause.
    const auto parser = std::make_unique<Parser>(settings_->limits);
    auto fault = co_await read_request(*parser);
    socket_->no_deadline();
    Sending sending;
    Request request;
    request.peer = peer_;
    if (!fault)
        fault = take_apart(*parser, request, sending);
    if (fault) {
        co_await refuse(std::move(*fault));
        co_return false;
    }
    auto response = co_await answer(std::move(request));
    if (!response)
        co_return false;
    if (response->stream == nullptr)
        co_return co_await write(std::move(*response), sending);
    co_await write_stream(std::move(*response), sending);
    co_return false;
}

std::optional<Connection::BadRequest> Connection::take_apart(Parser& parser, Request& request, Sending& sending) {
    auto& message = parser.get();
    sending = {message.version(), message.keep_alive(), message.method() == http::verb::head};
    auto target = parse_target(message.target());
    if (!target)
        return BadRequest{400, "malformed", "the target must be a path, in which % stands before two hex digits"};
    request.method = sending.head_only ? "GET" : std::string(message.method_string());
    request.path = std::move(target->path);
    request.query = std::move(target->query);
    request.body = std::move(message.body());
    return std::nullopt;
}

// --- Reading ---------------------------------------------------------------------------------------------------------

asio::awaitable<std::optional<Connection::BadRequest>> Connection::read_request(Parser& parser) {
    const Limits& limits = settings_->limits;
    error_code error = co_await read_header(parser);
    if (!error) {
        const auto& header = parser.get();
        const auto expected = header[http::field::expect];
        if (header.count(http::field::transfer_encoding) != 0 && !parser.chunked())
            co_return BadRequest{400, "malformed", "the only Transfer-Encoding that is understood is chunked"};
        if (!expected.empty() && !beast::iequals(expected, "100-continue"))
            co_return BadRequest{417, "malformed", "the only expectation that can be met is 100-continue"};
        if (!expected.empty() && header.version() >= 11 && !parser.is_done()) {
            std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
            co_await socket_->write(go_on, error);
        }
    }
    if (!error)
        error = co_await read_body(parser);
    if (!error)
        co_return std::nullopt;
    if (error == asio::error::timed_out)
        co_return BadRequest{408, "too_slow",
                             fmt::format("the request was not complete after {} seconds",
                                         std::chrono::duration<double>(limits.request).count())};
    if (error == http::error::body_limit)
        co_return BadRequest{413, "too_large", fmt::format("a body has at most {} bytes", limits.body_bytes)};
    if (error == http::error::header_limit)
        co_return BadRequest{431, "too_large",
                             fmt::format("a request's header has at most {} bytes", limits.header_bytes)};
    if (error == asio::error::eof)
        co_return BadRequest{400, "malformed", "the request ended before it was complete"};
    co_return BadRequest{400, "malformed", "this is not HTTP/1.1: " + error.message()};
}

asio::awaitable<error_code> Connection::read_header(Parser& parser) {
    error_code error;
    while (!error && !parser.is_header_done()) {
        const std::size_t before = buffer_.size();
        error = co_await parse_more(parser);
        parser.header_size += before - std::min(before, buffer_.size());
        const std::size_t size = parser.header_size + (parser.is_header_done() ? 0 : buffer_.size());
        if (!error && size > settings_->limits.header_bytes)
            error = http::error::header_limit;
    }
    co_return error;
}

asio::awaitable<error_code> Connection::read_body(Parser& parser) {
    error_code error;
    parser.eager(true);
    while (!error && !parser.is_done())
        error = co_await parse_more(parser);
    co_return error;
}

// Parses what is there; reads more when that isn't enough.
asio::awaitable<error_code> Connection::parse_more(Parser& parser) {
    // At least "0\r\n\r\n" is missing of a chunked body, and Beast's parser asserts that it sees that much.
    const std::size_t enough = parser.is_header_done() && parser.chunked() ? 5 : 1;
    if (buffer_.size() < enough)
        co_return co_await read_more();
    error_code error;
    buffer_.consume(parser.put(buffer_.data(), error));
    if (error == http::error::need_more)
        error = co_await read_more();
    co_return error;
}

asio::awaitable<error_code> Connection::read_more() {
    const std::size_t room = std::min(read_size, buffer_.max_size() - buffer_.size());
    if (room == 0)
        co_return http::error::buffer_overflow;
    error_code error;
    buffer_.commit(co_await socket_->read(buffer_.prepare(room), error));
    co_return error;
}

// --- Answering -------------------------------------------------------------------------------------------------------

asio::awaitable<std::optional<Response>> Connection::answer(Request request) {
    if (!socket_->is_open())
        co_return std::nullopt;
    at_work_ = true;
    auto outcome = co_await (call_handler(std::move(request)) || wait_for_close());
    at_work_ = false;
    touch();
    if (outcome.index() != 0 || !socket_->is_open())
        co_return std::nullopt;
    co_return std::get<0>(std::move(outcome));
}

// Never throws: what `||` waits for beside it would be waited for then.
asio::awaitable<Response> Connection::call_handler(Request request) {
    std::string failure = "unknown";
    try {
        co_return co_await settings_->handler(std::move(request));
    } catch (const std::exception& error) {
        failure = error.what();
    } catch (...) {
    }
    if (!socket_->is_open())
        co_return Response{};
    co_return Response{.status = 500,
                       .body = settings_->refuse(500, "internal", "the service failed at this request: " + failure)};
}

asio::awaitable<void> Connection::wait_for_close() {
    error_code ignored;
    co_await closed_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

asio::awaitable<bool> Connection::write(Response response, Sending sending) {
    std::string text = response_head(response, sending);
    if (!sending.head_only)
        text += response.body;
    std::string_view rest = text;
    co_return !co_await write_in_time(rest) && sending.keep_alive;
}

// After an error `text` is what is left.
asio::awaitable<error_code> Connection::write_in_time(std::string_view& text) {
    error_code error;
    socket_->set_deadline(settings_->limits.request);
    co_await socket_->write(text, error);
    co_return error;
}

asio::awaitable<void> Connection::refuse(BadRequest fault) {
    if (!socket_->is_open())
        co_return;
    Response response{.status = fault.status, .body = settings_->refuse(fault.status, fault.code, fault.message)};
    co_await write(std::move(response), Sending());
    if (fault.status != 408)
        co_await drain();
}

// Takes what the client still has under way: many look for the answer only when all is sent.
asio::awaitable<void> Connection::drain() {
    socket_->finish();
    socket_->set_deadline(std::min(drain_time, settings_->limits.request));
    buffer_.clear();
    std::size_t drained = 0;
    for (error_code error; !error && drained < drain_limit;) {
        error = co_await read_more();
        drained += buffer_.size();
        buffer_.clear();
    }
}

// --- Streaming -------------------------------------------------------------------------------------------------------

asio::awaitable<void> Connection::write_stream(Response response, Sending sending) {
    is_stream_ = true;
    const std::string head = response_head(response, sending);
    std::string_view rest = head;
    if (co_await write_in_time(rest) || sending.head_only)
        co_return;
    auto pace = Pace::good;
    while (pace == Pace::good) {
        const auto lines = co_await next_lines(*response.stream);
        if (!lines)
            co_return;
        if (lines->empty())
            break;
        pace = co_await write_patiently(*response.stream, stream_piece(*lines, sending));
    }
    if (pace == Pace::lost)
        co_return;
    std::string end = sending.chunked() ? stream_piece("", sending) : "";
    if (pace == Pace::slow) {  // a last word
        const auto lines = co_await next_lines(*response.stream);
        if (!lines)
            co_return;
        if (!lines->empty())
            end.insert(0, stream_piece(*lines, sending));
    }
    rest = end;
    co_await write_in_time(rest);
}

asio::awaitable<Connection::Pace> Connection::write_patiently(Stream& stream, std::string piece) {
    touch();
    std::string_view rest = piece;
    const error_code error = co_await write_in_time(rest);
    if (!error)
        co_return Pace::good;
    if (error != asio::error::timed_out)
        co_return Pace::lost;
    stream.give_up();
    co_return co_await write_in_time(rest) ? Pace::lost : Pace::slow;
}

asio::awaitable<std::optional<std::string>> Connection::next_lines(Stream& stream) {
    if (!socket_->is_open())
        co_return std::nullopt;
    socket_->no_deadline();
    auto outcome = co_await (call_next(stream) || socket_->wait_for_hangup());
    if (outcome.index() != 0)
        co_return std::nullopt;
    co_return std::get<0>(std::move(outcome));
}

// Never throws, as call_handler().
asio::awaitable<std::optional<std::string>> Connection::call_next(Stream& stream) {
    try {
        co_return co_await stream.next();
    } catch (...) {
        co_return std::nullopt;
    }
}

}  // namespace nftlink::http
