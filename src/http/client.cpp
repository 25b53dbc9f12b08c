#include "nftlink/http/client.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "nftlink/base/unique_fd.hpp"

namespace nftlink::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using std::chrono::steady_clock;

namespace {

using Local = asio::local::stream_protocol;
using HttpRequest = beast::http::request<beast::http::string_body>;

// Of a chunk, with its extensions; of the last one, with the trailer. Beast limits the head of an answer itself.
constexpr std::size_t longest_chunk_head = 64 * 1024;
// Before a full queue of connections is tried again.
constexpr std::chrono::milliseconds queue_pause{50};

auto no_throw(error_code& error) {
    return asio::redirect_error(asio::use_awaitable, error);
}

HttpRequest to_http(Question question) {
    constexpr unsigned http_1_1 = 11;
    HttpRequest request;
    request.version(http_1_1);
    request.method_string(question.method);
    request.target(question.target);
    request.set(beast::http::field::host, question.host);
    request.set(beast::http::field::user_agent, question.agent);
    request.keep_alive(false);
    if (!question.json.empty()) {
        request.set(beast::http::field::content_type, "application/json");
        request.body() = std::move(question.json);
    }
    request.prepare_payload();
    return request;
}

std::unexpected<Failure> unreachable(int error_number) {
    return std::unexpected(
        Failure{Failure::Kind::unreachable, std::generic_category().message(error_number), error_number});
}

}  // namespace

struct Client::Connection {
    Connection(asio::any_io_executor executor, std::string path)
        : stream(executor), retry(executor), socket(std::move(path)) {
        parser.body_limit(boost::none);
    }

    // Connects, or gives the error's number. The kernel does it at once or says EAGAIN, which Asio would wait on for
    // ever.
    int try_to_connect() {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        if (socket.size() >= sizeof address.sun_path)
            return ENAMETOOLONG;
        std::memcpy(address.sun_path, socket.data(), socket.size());
        if (!stream.socket().is_open()) {
            base::UniqueFd descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
            if (!descriptor)
                return errno;
            stream.socket().assign(Local(), descriptor.get());
            descriptor.release();
        }
        const auto* generic = reinterpret_cast<const sockaddr*>(&address);
        return ::connect(stream.socket().native_handle(), generic, sizeof address) == 0 ? 0 : errno;
    }

    std::unexpected<Failure> failed(error_code error) const {
        using enum Failure::Kind;
        namespace http = beast::http;
        if (is_closed)
            return std::unexpected(Failure{closed});
        if (error == beast::error::timeout)
            return std::unexpected(Failure{late});
        if (error == asio::error::eof || error == http::error::partial_message ||
            error == asio::error::connection_reset || error == asio::error::broken_pipe)
            return std::unexpected(Failure{cut});
        if (error == http::error::header_limit || error == http::error::buffer_overflow)
            return std::unexpected(Failure{too_large, "a head without end"});
        const bool is_parsers = error.category() == http::make_error_code(http::error::bad_version).category();
        return std::unexpected(Failure{is_parsers ? not_http : system, error.message()});
    }

    // Parses what is there; reads more when that isn't enough. Beast's parser asserts that it gets at least five bytes
    // of the last chunk once it has asked for more of that, and the smallest chunk has six.
    asio::awaitable<error_code> parse_more() {
        constexpr std::size_t read_size = 64 * 1024, smallest = 5;
        error_code error;
        while (buffer.size() < enough) {
            buffer.commit(co_await stream.async_read_some(buffer.prepare(read_size), no_throw(error)));
            if (error == asio::error::eof && parser.got_some()) {
                error = {};
                parser.put_eof(error);
                co_return error;
            }
            if (error)
                co_return error;
        }
        buffer.consume(parser.put(buffer.data(), error));
        const bool needs_more = error == beast::http::error::need_more;
        if (needs_more && buffer.size() > longest_chunk_head)
            co_return beast::http::error::buffer_overflow;
        enough = needs_more ? std::max(buffer.size() + 1, smallest) : 1;
        co_return needs_more || error == beast::http::error::need_buffer ? error_code() : error;
    }

    // More of the body, without waiting for what has come: each of an engine's events is a chunk of its own.
    asio::awaitable<error_code> read_more() {
        parser.get().body().data = room.data();
        parser.get().body().size = room.size();
        const error_code error = co_await parse_more();
        pending.append(room.data(), room.size() - parser.get().body().size);
        co_return error;
    }

    beast::basic_stream<Local> stream;
    asio::steady_timer retry;
    std::string socket;
    std::optional<steady_clock::time_point> deadline;
    bool is_closed = false;
    beast::flat_buffer buffer;
    std::size_t enough = 1;  // bytes in it, for the parser to go on
    beast::http::response_parser<beast::http::buffer_body> parser;
    std::array<char, 16 * 1024> room{};
    std::string pending;         // of the body, not given yet
    std::size_t line_begin = 0;  // in it
};

Client::Client(asio::any_io_executor executor, std::string socket)
    : connection_(std::make_shared<Connection>(std::move(executor), std::move(socket))) {}

void Client::set_deadline(std::chrono::milliseconds time) {
    connection_->deadline = steady_clock::now() + time;
    connection_->stream.expires_at(*connection_->deadline);
}

void Client::lift_deadline() {
    connection_->deadline.reset();
    connection_->stream.expires_never();
}

Client::Result<void> Client::send(Question question) {
    const auto connection = connection_;
    if (connection->is_closed)
        co_return connection->failed({});
    int failure = connection->try_to_connect();
    while (failure == EAGAIN && connection->deadline && steady_clock::now() < *connection->deadline) {
        error_code ignored;
        connection->retry.expires_after(queue_pause);
        co_await connection->retry.async_wait(no_throw(ignored));
        if (connection->is_closed)
            co_return connection->failed({});
        failure = connection->try_to_connect();
    }
    if (failure != 0)
        co_return unreachable(failure);
    const HttpRequest request = to_http(std::move(question));
    error_code error;
    co_await beast::http::async_write(connection->stream, request, no_throw(error));
    if (connection->is_closed || error == beast::error::timeout)
        co_return connection->failed(error);
    co_return std::expected<void, Failure>();
}

Client::Result<unsigned> Client::receive_head() {
    const auto connection = connection_;
    while (!connection->parser.is_header_done()) {
        const error_code error = co_await connection->parse_more();
        if (error)
            co_return connection->failed(error);
    }
    if (connection->is_closed)
        co_return connection->failed({});
    co_return connection->parser.get().result_int();
}

Client::Result<std::string> Client::receive_body(std::size_t most_bytes) {
    const auto connection = connection_;
    bool is_too_large = connection->parser.content_length().value_or(0) > most_bytes;
    while (!is_too_large && !connection->is_closed && !connection->parser.is_done()) {
        const error_code error = co_await connection->read_more();
        if (error)
            co_return connection->failed(error);
        is_too_large = connection->pending.size() > most_bytes;
    }
    if (connection->is_closed)
        co_return connection->failed({});
    if (is_too_large)
        co_return std::unexpected(Failure{Failure::Kind::too_large, "a body without end"});
    co_return std::move(connection->pending);
}

Client::Result<std::optional<std::string>> Client::receive_line(std::size_t most_bytes) {
    const auto connection = connection_;
    std::string& pending = connection->pending;
    std::size_t searched = connection->line_begin;
    while (!connection->is_closed) {
        const std::size_t end = pending.find('\n', searched);
        const std::size_t size = std::min(end, pending.size()) - connection->line_begin;
        if (size > most_bytes)
            co_return std::unexpected(Failure{Failure::Kind::too_large, "a line without end"});
        if (end != std::string::npos) {
            std::string line = pending.substr(connection->line_begin, size);
            connection->line_begin = end + 1;
            co_return line;
        }
        pending.erase(0, std::exchange(connection->line_begin, 0));
        searched = pending.size();
        if (connection->parser.is_done())
            co_return std::nullopt;
        const error_code error = co_await connection->read_more();
        if (error)
            co_return connection->failed(error);
    }
    co_return connection->failed({});
}

void Client::close() {
    connection_->is_closed = true;
    connection_->retry.cancel();
    connection_->stream.close();
}

}  // namespace nftlink::http
