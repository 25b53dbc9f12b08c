#include "nftlink/engine/client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/parse.hpp>
#include <functional>
#include <string_view>

#include "fields.hpp"
#include "nftlink/base/suggestion.hpp"
#include "nftlink/http/client.hpp"

namespace nftlink::engine {

namespace asio = boost::asio;
namespace json = boost::json;
using boost::system::error_code;

namespace {

// More is no answer to any of the questions: 50,000 containers are listed in half of it.
constexpr std::size_t max_answer_bytes = 128 << 20;
constexpr std::size_t max_event_bytes = 1 << 20;
constexpr unsigned status_ok = 200;
constexpr unsigned status_not_found = 404;

// A service that starts must start sometime, however many containers there are.
constexpr std::chrono::seconds longest_fetch{30};

auto no_throw(error_code& error) {
    return asio::redirect_error(asio::use_awaitable, error);
}

http::Question make_question(std::string target) {
    return {.target = std::move(target), .host = "docker", .agent = "nftlinkd/" NFTLINK_VERSION};
}

std::unexpected<Failure> no_answer(std::string why) {
    return std::unexpected(Failure{.text = std::move(why)});
}

std::unexpected<Failure> no_answer(const http::Failure& failure) {
    switch (failure.kind) {
        case http::Failure::Kind::unreachable:
            return no_answer("cannot connect: " + failure.text);
        case http::Failure::Kind::late:
            return no_answer("the engine does not answer in time");
        case http::Failure::Kind::cut:
        case http::Failure::Kind::closed:
            return no_answer("the engine has closed the connection");
        case http::Failure::Kind::too_large:
            return no_answer("the engine's answer is larger than any could be");
        case http::Failure::Kind::not_http:
            return no_answer("what answers there does not speak HTTP: " + failure.text);
        case http::Failure::Kind::system:
            break;
    }
    return no_answer(failure.text);
}

// An answer of a status that is no success.
std::unexpected<Failure> refused(unsigned status, std::string_view body) {
    error_code error;
    const json::value record = json::parse(body, error);
    std::string message = !error && record.is_object() ? text(record.get_object(), "message") : "";
    return std::unexpected(Failure{Failure::Kind::refused, status, std::move(message)});
}

// The answer to GET `target`.
Reply<json::value> ask(std::string socket, std::string target) {
    http::Client client(co_await asio::this_coro::executor, std::move(socket));
    client.set_deadline(answer_deadline);
    if (const auto sent = co_await client.send(make_question(target)); !sent)
        co_return no_answer(sent.error());
    const auto status = co_await client.receive_head();
    if (!status)
        co_return no_answer(status.error());
    const auto body = co_await client.receive_body(max_answer_bytes);
    if (!body)
        co_return no_answer(body.error());
    if (*status == status_not_found)
        co_return std::unexpected(Failure{Failure::Kind::missing, *status, std::move(target)});
    if (*status != status_ok)
        co_return refused(*status, *body);
    error_code error;
    json::value answer = json::parse(*body, error);
    if (error)
        co_return no_answer("the engine's answer is no JSON: " + error.message());
    co_return answer;
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
    const auto answer = co_await ask(socket, "/version");
    if (!answer)
        co_return std::unexpected(answer.error());
    auto version = negotiate(*answer);
    if (!version)
        co_return no_answer(std::move(version.error()));
    co_return std::move(*version);
}

Reply<std::vector<Listed>> ask_list(std::string socket, Version version) {
    const auto answer = co_await ask(socket, path(version, "/containers/json?all=1"));
    if (!answer)
        co_return std::unexpected(answer.error());
    co_return read_list(*answer);
}

Reply<std::optional<Container>> ask_container(std::string socket, Version version, std::string id) {
    const auto answer = co_await ask(socket, path(version, "/containers/" + id + "/json"));
    if (answer)
        co_return read_container(*answer);
    // Podman has status 500 for one that goes while it is asked about.
    const Failure& failure = answer.error();
    if (failure.kind == Failure::Kind::missing ||
        (failure.kind == Failure::Kind::refused && failure.text.contains("no such container")))
        co_return std::nullopt;
    co_return std::unexpected(failure);
}

Reply<Networks> ask_networks(std::string socket, Version version) {
    Networks networks;
    if (version.is_podman) {
        const auto own = co_await ask(socket, "/v4.0.0/libpod/networks/json");
        if (!own)
            co_return std::unexpected(own.error());
        add(networks, read_podman_networks(*own));
        co_return networks;
    }
    const auto answer = co_await ask(socket, path(version, "/networks"));
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
    std::size_t next = 0;            // in the list
    std::optional<Failure> failure;  // of the connection
};

asio::awaitable<void> read_containers(std::string socket, Version version, Reading& reading) {
    while (reading.next < reading.read.list.size() && !reading.failure) {
        const std::string id = reading.read.list[reading.next++].id;
        auto container = co_await ask_container(socket, version, id);
        if (reading.on_answer)
            reading.on_answer();
        if (container && *container)
            reading.read.inventory.containers.emplace(id, std::move(**container));
        else if (!container && container.error().kind == Failure::Kind::refused)
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
        asio::co_spawn(executor, read_containers(socket, version, reading), [&](std::exception_ptr thrown) {
            try {
                if (thrown != nullptr)
                    std::rethrow_exception(thrown);
            } catch (const std::exception& exception) {
                reading.failure = Failure{.text = fmt::format("reading the containers failed: {}", exception.what())};
            }
            done.try_send(error_code());
        });
    error_code ignored;
    for (int reader = 0; reader < at_once; ++reader)
        co_await done.async_receive(no_throw(ignored));
    if (reading.failure)
        co_return std::unexpected(std::move(*reading.failure));
    co_return std::move(reading.read);
}

struct EventStream::Connection {
    Connection(asio::any_io_executor executor, std::string socket)
        : client(executor, std::move(socket)), begun(executor, asio::steady_timer::time_point::max()) {}

    http::Client client;
    asio::steady_timer begun;  // cancelled when it has
    bool has_begun = false;
};

EventStream::EventStream(asio::any_io_executor executor, std::string socket)
    : connection_(std::make_shared<Connection>(std::move(executor), std::move(socket))) {}

Reply<void> EventStream::open(Version version) {
    const auto connection = connection_;
    connection->client.set_deadline(answer_deadline);
    const auto sent = co_await connection->client.send(
        make_question(path(version, "/events?filters=%7B%22type%22%3A%5B%22container%22%2C%22network%22%5D%7D")));
    connection->client.lift_deadline();
    if (!sent)
        co_return no_answer(sent.error());
    co_return std::expected<void, Failure>();
}

asio::awaitable<std::string> EventStream::follow(std::function<void(const Event&)> take) {
    const auto connection = connection_;
    const auto status = co_await connection->client.receive_head();
    connection->has_begun = true;
    connection->begun.cancel();
    if (!status)
        co_return sentence(no_answer(status.error()).error());
    if (*status != status_ok) {
        const auto body = co_await connection->client.receive_body(max_event_bytes);
        co_return sentence(refused(*status, body.value_or("")).error());
    }
    while (true) {
        const auto line = co_await connection->client.receive_line(max_event_bytes);
        if (!line)
            co_return line.error().kind == http::Failure::Kind::too_large
                ? "an event of the engine is longer than any could be"
                : sentence(no_answer(line.error()).error());
        if (!*line)
            co_return "the engine has ended its events";
        if ((*line)->find_first_not_of(" \r") == std::string::npos)
            continue;
        error_code error;
        const json::value event = json::parse(**line, error);
        if (error)
            co_return "an event of the engine is no JSON: " + error.message();
        take(read_event(event));
    }
}

asio::awaitable<void> EventStream::begun(std::chrono::milliseconds patience) {
    const auto connection = connection_;
    if (connection->has_begun)
        co_return;
    connection->begun.expires_after(patience);
    error_code ignored;
    co_await connection->begun.async_wait(no_throw(ignored));
}

void EventStream::close() {
    connection_->begun.cancel();
    connection_->client.close();
}

std::expected<Inventory, std::string> fetch(const std::string& socket, std::chrono::milliseconds patience) {
    using std::chrono::steady_clock;
    asio::io_context context{1};
    std::optional<std::expected<Everything, Failure>> result;
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
                   [&](std::exception_ptr failure, std::expected<Everything, Failure> answer) {
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
        return std::unexpected(sentence(result->error()));
    return std::move((*result)->inventory);
}

}  // namespace nftlink::engine
