#include "client.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>

#include "nftlink/api/records.hpp"

namespace nftlink::cli {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace json = boost::json;

namespace {

using Local = asio::local::stream_protocol;
using ErrorCode = boost::system::error_code;
using HttpRequest = http::request<http::string_body>;
template <typename Value>
using Expected = std::expected<Value, api::Fault>;

// Far above what a host with a million links has to say.
constexpr std::size_t max_answer_bytes = std::size_t{512} << 20;
constexpr std::size_t max_line_bytes = std::size_t{1} << 20;

// One request and its answer, over a connection of its own.
class Exchange {
public:
    Exchange(const std::string& socket, int stop, std::chrono::milliseconds deadline, bool is_change)
        : trouble_{.socket = socket, .deadline = deadline, .is_change = is_change}, stream_(context_), stop_(context_) {
        if (stop < 0)
            return;
        const int copy = ::dup(stop);
        if (copy < 0)
            throw std::system_error(errno, std::generic_category(), "dup");
        stop_.assign(copy);
        stop_.async_wait(asio::posix::stream_descriptor::wait_read, [this](ErrorCode error) {
            stopped_ = !error;
            stream_.cancel();
        });
    }
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    Expected<void> send(const HttpRequest& request) {
        if (auto connected = connect(); !connected)
            return connected;
        stream_.expires_after(trouble_.deadline);
        // A service that refuses may answer and close before it has read everything: what counts is its answer.
        const ErrorCode error = wait([&](auto handler) { http::async_write(stream_, request, std::move(handler)); });
        if (error == beast::error::timeout || error == asio::error::operation_aborted)
            return std::unexpected(fault(error));
        return {};
    }

    Expected<http::response<http::string_body>> receive() {
        http::response_parser<http::string_body> parser;
        parser.body_limit(max_answer_bytes);
        const ErrorCode error =
            wait([&](auto handler) { http::async_read(stream_, buffer_, parser, std::move(handler)); });
        if (error)
            return std::unexpected(fault(error));
        return parser.release();
    }

    // Gives the body to take() piece by piece, for as long as that says yes. Only until the answer begins there is a
    // deadline. Gives the status.
    Expected<unsigned> receive(const std::function<bool(unsigned status, std::string_view piece)>& take) {
        http::response_parser<http::buffer_body> parser;
        parser.body_limit(boost::none);
        ErrorCode error =
            wait([&](auto handler) { http::async_read_header(stream_, buffer_, parser, std::move(handler)); });
        stream_.expires_never();
        std::array<char, 16 * 1024> room{};
        while (!error && !parser.is_done()) {
            auto& body = parser.get().body();
            body.data = room.data();
            body.size = room.size();
            error = wait([&](auto handler) { http::async_read_some(stream_, buffer_, parser, std::move(handler)); });
            if (error == http::error::need_buffer)
                error = {};
            const std::string_view piece(room.data(), room.size() - body.size);
            if (!piece.empty() && !take(parser.get().result_int(), piece))
                break;
        }
        if (error)
            return std::unexpected(fault(error));
        return parser.get().result_int();
    }

private:
    // Without waiting, but for a service whose queue is full: only trying again helps there.
    Expected<void> connect() {
        constexpr int pause_milliseconds = 50;
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        if (trouble_.socket.size() >= sizeof address.sun_path)
            return std::unexpected(trouble_.connecting(ENAMETOOLONG));
        std::memcpy(address.sun_path, trouble_.socket.data(), trouble_.socket.size());
        const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (descriptor < 0)
            throw std::system_error(errno, std::generic_category(), "opening a Unix socket");
        stream_.socket().assign(Local(), descriptor);
        const auto end = std::chrono::steady_clock::now() + trouble_.deadline;
        while (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            if (errno != EAGAIN || std::chrono::steady_clock::now() >= end)
                return std::unexpected(trouble_.connecting(errno));
            pollfd stop{.fd = stop_.is_open() ? stop_.native_handle() : -1, .events = POLLIN, .revents = 0};
            if (::poll(&stop, 1, pause_milliseconds) > 0)
                return std::unexpected(stopped());
        }
        return {};
    }

    // Starts something and lets nothing else go on until it is done.
    template <typename Start>
    ErrorCode wait(Start start) {
        if (stopped_)
            return asio::error::operation_aborted;
        std::optional<ErrorCode> result;
        start([&result](ErrorCode error, std::size_t = 0) { result = error; });
        context_.restart();
        while (!result)
            context_.run_one();
        return *result;
    }

    api::Fault fault(ErrorCode error) const {
        if (stopped_)
            return stopped();
        if (error == beast::error::timeout)
            return trouble_.too_late();
        const bool cut = error == http::error::end_of_stream || error == http::error::partial_message ||
                         error == asio::error::connection_reset || error == asio::error::broken_pipe;
        return cut ? trouble_.cut() : trouble_.not_understood(error.message());
    }

    Trouble trouble_;
    asio::io_context context_{1};
    beast::basic_stream<Local> stream_;
    asio::posix::stream_descriptor stop_;
    beast::flat_buffer buffer_;
    bool stopped_ = false;
};

HttpRequest make_request(std::string_view method, const std::string& target, const json::object& body) {
    constexpr unsigned http_1_1 = 11;
    HttpRequest request;
    request.version(http_1_1);
    request.method_string(method);
    request.target(target);
    request.set(http::field::host, "nftlink");
    request.set(http::field::user_agent, "nftlink/" NFTLINK_VERSION);
    request.keep_alive(false);
    if (!body.empty()) {
        request.set(http::field::content_type, "application/json");
        request.body() = json::serialize(body);
    }
    request.prepare_payload();
    return request;
}

bool is_success(unsigned status) {
    return status >= 200 && status < 300;
}

Answer ask(Exchange& exchange, const HttpRequest& request, const Trouble& trouble) {
    if (const auto sent = exchange.send(request); !sent)
        return std::unexpected(Faults{sent.error()});
    const auto response = exchange.receive();
    if (!response)
        return std::unexpected(Faults{response.error()});
    const unsigned status = response->result_int();
    if (!is_success(status))
        return std::unexpected(faults_in(status, response->body()));
    auto record = api::parse(response->body());
    if (!record || !record->is_object())
        return std::unexpected(Faults{trouble.not_understood("no JSON record")});
    return Reply{status, std::move(record->get_object())};
}

// Cuts what comes into lines.
class Lines {
public:
    explicit Lines(const std::function<bool(std::string_view)>& take) : take_(take) {}

    // False when nothing more is wanted.
    bool add(std::string_view piece) {
        text_ += piece;
        std::size_t begin = 0;
        for (std::size_t end = text_.find('\n'); end != std::string::npos; end = text_.find('\n', begin)) {
            if (!take_(std::string_view(text_).substr(begin, end - begin)))
                return false;
            begin = end + 1;
        }
        text_.erase(0, begin);
        too_long_ = text_.size() > max_line_bytes;
        return !too_long_;
    }

    bool too_long() const { return too_long_; }

private:
    const std::function<bool(std::string_view)>& take_;
    std::string text_;
    bool too_long_ = false;
};

}  // namespace

Client::Client(std::string socket, int stop, Deadlines deadlines)
    : socket_(std::move(socket)), stop_(stop), deadlines_(deadlines) {}

Answer Client::get(const std::string& target) const {
    Exchange exchange(socket_, stop_, deadlines_.reading, false);
    return ask(exchange, make_request("GET", target, {}), trouble());
}

Answer Client::change(std::string_view method, const std::string& target, const json::object& body) const {
    Exchange exchange(socket_, stop_, deadlines_.changing, true);
    return ask(exchange, make_request(method, target, body), trouble());
}

std::expected<void, Faults> Client::stream(const std::string& target,
                                           const std::function<bool(std::string_view line)>& take) const {
    Exchange exchange(socket_, stop_, deadlines_.reading, false);
    bool wanted = true;
    std::string refusal;
    Lines lines(take);
    const auto take_piece = [&](unsigned status, std::string_view piece) {
        if (is_success(status))
            return wanted = lines.add(piece);
        refusal += piece;
        return refusal.size() < max_line_bytes;
    };
    const auto sent = exchange.send(make_request("GET", target, {}));
    const Expected<unsigned> ended = sent ? exchange.receive(take_piece) : std::unexpected(sent.error());
    if (lines.too_long())
        return std::unexpected(Faults{trouble().not_understood("a line without end")});
    if (!wanted)
        return {};
    if (ended)
        return std::unexpected(is_success(*ended) ? Faults{trouble().ended()} : faults_in(*ended, refusal));
    if (ended.error() == stopped())
        return {};
    return std::unexpected(Faults{ended.error()});
}

std::string segment(std::string_view text) {
    static constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    std::string encoded;
    for (const char c : text)
        encoded += plain.find(c) != std::string_view::npos
                       ? std::string(1, c)
                       : fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    return encoded;
}

}  // namespace nftlink::cli
