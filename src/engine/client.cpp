#include "nftlink/engine/client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json/parse.hpp>
#include <functional>
#include <string_view>

#include "fields.hpp"
#include "nftlink/base/suggestion.hpp"

namespace nftlink::engine {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace json = boost::json;
using boost::system::error_code;

namespace {

using Local = asio::local::stream_protocol;
using Stream = beast::basic_stream<Local>;
using Question = http::request<http::empty_body>;

// More is no answer to any of the questions: 50,000 containers are listed in half of it.
constexpr std::uint64_t max_answer_bytes = 128 << 20;
constexpr std::size_t max_event_bytes = 1 << 20;
constexpr std::size_t longest_socket_path = 107;

// Who starts must start sometime, however many containers there are.
constexpr std::chrono::seconds longest_fetch{30};

auto no_throw(error_code& error) {
    return asio::redirect_error(asio::use_awaitable, error);
}

Question make_question(const std::string& target) {
    constexpr unsigned http_1_1 = 11;
    Question question(http::verb::get, target, http_1_1);
    question.set(http::field::host, "docker");
    question.set(http::field::user_agent, "nftlinkd/" NFTLINK_VERSION);
    return question;
}

std::string sentence(error_code error) {
    if (error == beast::error::timeout)
        return "the engine does not answer in time";
    if (error == http::error::end_of_stream || error == http::error::partial_message)
        return "the engine has closed the connection";
    if (error == http::error::body_limit || error == http::error::header_limit || error == http::error::buffer_overflow)
        return "the engine's answer is larger than any could be";
    if (error.category() == http::make_error_code(http::error::bad_version).category())
        return "what answers there does not speak HTTP: " + error.message();
    return error.message();
}

// What the engine itself says is no trouble of the connection.
constexpr std::string_view engines_word = "the engine answers ";

// What an answer of a status that is no success says.
std::string refusal(unsigned status, const std::string& body) {
    error_code error;
    const json::value record = json::parse(body, error);
    const std::string message = !error && record.is_object() ? text(record.get_object(), "message") : "";
    return fmt::format("{}{}{}{}", engines_word, status, message.empty() ? "" : ": ", base::escape(message));
}

asio::awaitable<error_code> connect(Stream& stream, std::string socket) {
    error_code error = asio::error::name_too_long;
    if (socket.size() <= longest_socket_path) {
        const Local::endpoint endpoint(socket);
        co_await stream.async_connect(endpoint, no_throw(error));
    }
    co_return error;
}

// The answer to GET `target`; nothing when there is no such thing.
Reply<std::optional<json::value>> ask(std::string socket, std::string target) {
    Stream stream(co_await asio::this_coro::executor);
    stream.expires_after(answer_deadline);
    if (const error_code error = co_await connect(stream, socket))
        co_return std::unexpected(fmt::format("cannot connect: {}", sentence(error)));
    error_code error;
    const Question question = make_question(target);
    co_await http::async_write(stream, question, no_throw(error));
    http::response_parser<http::string_body> parser;
    parser.body_limit(max_answer_bytes);
    beast::flat_buffer buffer;
    if (!error)
        co_await http::async_read(stream, buffer, parser, no_throw(error));
    if (error)
        co_return std::unexpected(sentence(error));
    const unsigned status = parser.get().result_int();
    if (status == static_cast<unsigned>(http::status::not_found))
        co_return std::nullopt;
    if (parser.get().result() != http::status::ok)
        co_return std::unexpected(refusal(status, parser.get().body()));
    json::value answer = json::parse(parser.get().body(), error);
    if (error)
        co_return std::unexpected("the engine's answer is no JSON: " + error.message());
    co_return answer;
}

// The answer to a question that every engine has one to.
Reply<json::value> ask_for(std::string socket, std::string target) {
    auto answer = co_await ask(socket, target);
    if (!answer)
        co_return std::unexpected(std::move(answer.error()));
    if (!*answer)
        co_return std::unexpected(fmt::format("what answers there is no container engine: it has no {}", target));
    co_return std::move(**answer);
}

std::string path(const Version& version, std::string_view rest) {
    return fmt::format("/v{}{}", version.api, rest);
}

void add(Networks& networks, std::vector<Network> more) {
    for (Network& network : more) {
        // Before it has run for the first time, a container names its network, and not the network's id.
        networks.emplace(network.name, network);
        const std::string id = network.id;
        networks.insert_or_assign(id, std::move(network));
    }
}

}  // namespace

Reply<Version> ask_version(std::string socket) {
    const auto answer = co_await ask_for(socket, "/version");
    if (!answer)
        co_return std::unexpected(answer.error());
    co_return negotiate(*answer);
}

Reply<std::vector<Listed>> ask_list(std::string socket, Version version) {
    const auto answer = co_await ask_for(socket, path(version, "/containers/json?all=1"));
    if (!answer)
        co_return std::unexpected(answer.error());
    co_return read_list(*answer);
}

Reply<std::optional<Container>> ask_container(std::string socket, Version version, std::string id) {
    const auto answer = co_await ask(socket, path(version, "/containers/" + id + "/json"));
    // Podman has status 500 for one that goes while it is asked about.
    if (!answer && answer.error().starts_with(engines_word) && answer.error().contains("no such container"))
        co_return std::nullopt;
    if (!answer)
        co_return std::unexpected(answer.error());
    co_return *answer ? read_container(**answer) : std::nullopt;
}

Reply<Networks> ask_networks(std::string socket, Version version) {
    Networks networks;
    if (version.is_podman) {
        const auto own = co_await ask_for(socket, "/v4.0.0/libpod/networks/json");
        if (!own)
            co_return std::unexpected(own.error());
        add(networks, read_podman_networks(*own));
        co_return networks;
    }
    const auto answer = co_await ask_for(socket, path(version, "/networks"));
    if (!answer)
        co_return std::unexpected(answer.error());
    add(networks, read_networks(*answer));
    co_return networks;
}

namespace {

// Containers that are being read, by several at a time.
struct Reading {
    Everything read;
    std::function<void()> on_answer;
    std::size_t next = 0;  // in the list
    std::string failure;   // of the connection
};

asio::awaitable<void> read_containers(std::string socket, Version version, Reading& reading) {
    while (reading.next < reading.read.list.size() && reading.failure.empty()) {
        const std::string id = reading.read.list[reading.next++].id;
        auto container = co_await ask_container(socket, version, id);
        if (reading.on_answer)
            reading.on_answer();
        if (container && *container)
            reading.read.inventory.containers.emplace(id, std::move(**container));
        else if (!container && container.error().starts_with(engines_word))
            reading.read.unread.push_back(id);
        else if (!container)
            reading.failure = std::move(container.error());
    }
}

}  // namespace

Reply<Everything> ask_everything(std::string socket, Version version, std::function<void()> on_answer) {
    constexpr int at_once = 8;
    auto networks = co_await ask_networks(socket, version);
    if (!networks)
        co_return std::unexpected(networks.error());
    auto list = co_await ask_list(socket, version);
    if (!list)
        co_return std::unexpected(list.error());
    Reading reading{{{{}, std::move(*networks)}, std::move(*list), {}}, std::move(on_answer), 0, {}};
    // Those that run first: their links are in force.
    std::ranges::stable_sort(reading.read.list, std::greater(), &Listed::running);
    const auto executor = co_await asio::this_coro::executor;
    asio::experimental::channel<void(error_code)> done(executor, at_once);
    for (int reader = 0; reader < at_once; ++reader)
        asio::co_spawn(executor, read_containers(socket, version, reading), [&](std::exception_ptr failure) {
            if (failure != nullptr)
                reading.failure = "reading the containers failed";
            done.try_send(error_code());
        });
    error_code ignored;
    for (int reader = 0; reader < at_once; ++reader)
        co_await done.async_receive(no_throw(ignored));
    if (!reading.failure.empty())
        co_return std::unexpected(std::move(reading.failure));
    co_return std::move(reading.read);
}

struct EventStream::Connection {
    explicit Connection(asio::any_io_executor executor, std::string path)
        : stream(executor), begun(executor, asio::steady_timer::time_point::max()), socket(std::move(path)) {
        parser.body_limit(boost::none);
    }

    void make_room() {
        parser.get().body().data = room.data();
        parser.get().body().size = room.size();
    }

    std::string take_piece(const std::function<void(const Event&)>& take) {
        return add({room.data(), room.size() - parser.get().body().size}, take);
    }

    // What has come already, too: each event is a chunk of its own, and a read ends with one.
    std::string take_buffered(const std::function<void(const Event&)>& take) {
        std::string fault;
        error_code error;
        while (fault.empty() && buffer.size() != 0 && !parser.is_done()) {
            make_room();
            const std::size_t size = parser.put(buffer.data(), error);
            buffer.consume(size);
            if (error == http::error::need_more)
                break;
            if (error && error != http::error::need_buffer)
                return sentence(error);
            fault = take_piece(take);
        }
        return fault;
    }

    // Whole lines of what has come go to take().
    std::string add(std::string_view piece, const std::function<void(const Event&)>& take) {
        line += piece;
        std::size_t begin = 0;
        for (std::size_t end = line.find('\n'); end != std::string::npos; end = line.find('\n', begin)) {
            const std::string_view one = std::string_view(line).substr(begin, end - begin);
            begin = end + 1;
            if (one.find_first_not_of(" \r") == std::string_view::npos)
                continue;
            error_code error;
            const json::value event = json::parse(one, error);
            if (error)
                return "an event of the engine is no JSON: " + error.message();
            take(read_event(event));
        }
        line.erase(0, begin);
        return line.size() > max_event_bytes ? "an event of the engine is longer than any could be" : "";
    }

    Stream stream;
    asio::steady_timer begun;  // cancelled when it has
    std::string socket;
    beast::flat_buffer buffer;
    http::response_parser<http::buffer_body> parser;
    std::array<char, 16 * 1024> room{};
    std::string line;
};

EventStream::EventStream(asio::any_io_executor executor, std::string socket)
    : connection_(std::make_shared<Connection>(std::move(executor), std::move(socket))) {}

Reply<void> EventStream::open(Version version) {
    const auto connection = connection_;
    connection->stream.expires_after(answer_deadline);
    error_code error = co_await connect(connection->stream, connection->socket);
    const Question question =
        make_question(path(version, "/events?filters=%7B%22type%22%3A%5B%22container%22%2C%22network%22%5D%7D"));
    if (!error)
        co_await http::async_write(connection->stream, question, no_throw(error));
    connection->stream.expires_never();
    if (error)
        co_return std::unexpected(sentence(error));
    co_return std::expected<void, std::string>();
}

asio::awaitable<std::string> EventStream::follow(std::function<void(const Event&)> take) {
    const auto connection = connection_;
    error_code error;
    co_await http::async_read_header(connection->stream, connection->buffer, connection->parser, no_throw(error));
    connection->begun.cancel();
    if (error)
        co_return sentence(error);
    if (const auto& header = connection->parser.get(); header.result() != http::status::ok)
        co_return refusal(header.result_int(), "");
    while (!connection->parser.is_done()) {
        connection->make_room();
        co_await http::async_read_some(connection->stream, connection->buffer, connection->parser, no_throw(error));
        if (error && error != http::error::need_buffer)
            co_return sentence(error);
        std::string fault = connection->take_piece(take);
        if (fault.empty())
            fault = connection->take_buffered(take);
        if (!fault.empty())
            co_return fault;
    }
    co_return "the engine has ended its events";
}

asio::awaitable<void> EventStream::begun(std::chrono::milliseconds patience) {
    const auto connection = connection_;
    if (connection->parser.is_header_done())
        co_return;
    connection->begun.expires_after(patience);
    error_code ignored;
    co_await connection->begun.async_wait(no_throw(ignored));
}

void EventStream::close() {
    connection_->begun.cancel();
    connection_->stream.close();
}

std::expected<Inventory, std::string> fetch(const std::string& socket, std::chrono::milliseconds patience) {
    using std::chrono::steady_clock;
    asio::io_context context{1};
    std::optional<std::expected<Everything, std::string>> result;
    auto last_answer = steady_clock::now();
    bool any_answer = false;
    const std::function<void()> answered = [&] {
        last_answer = steady_clock::now();
        any_answer = true;
    };
    const auto read = [](std::string path, std::function<void()> on_answer) -> Reply<Everything> {
        const auto version = co_await ask_version(path);
        if (!version)
            co_return std::unexpected(version.error());
        on_answer();
        co_return co_await ask_everything(path, *version, on_answer);
    };
    asio::co_spawn(context, read(socket, answered),
                   [&](std::exception_ptr failure, std::expected<Everything, std::string> answer) {
                       if (failure)
                           std::rethrow_exception(failure);
                       result = std::move(answer);
                   });
    const auto end = last_answer + longest_fetch;
    const auto deadline = [&] { return std::min(end, last_answer + patience); };
    while (!result && steady_clock::now() < deadline())
        context.run_one_until(deadline());
    if (!result)
        return std::unexpected(fmt::format("it has not answered {}within {} ms", any_answer ? "the next question " : "",
                                           patience.count()));
    if (!*result)
        return std::unexpected(std::move(result->error()));
    return std::move((*result)->inventory);
}

}  // namespace nftlink::engine
