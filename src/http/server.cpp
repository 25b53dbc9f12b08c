#include "nftlink/http/server.hpp"

#include <algorithm>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <list>
#include <map>
#include <tuple>

#include "connection.hpp"

namespace nftlink::http {

namespace asio = boost::asio;
using boost::system::error_code;
using Protocol = asio::local::stream_protocol;

namespace {

// After an attempt to let a client in that failed for want of descriptors or memory.
constexpr std::chrono::milliseconds breather{50};

}  // namespace

// Shared by the server and its tasks: they may end later than the server does.
struct Server::State {
    State(const asio::any_io_executor& executor, int listener, Limits limits, Handler handler, RefusalBody refuse)
        : acceptor(executor, Protocol(), listener),
          settings(std::make_shared<Settings>(limits, std::move(handler), std::move(refuse))) {}

    static asio::awaitable<void> accept(std::shared_ptr<State> state);
    static asio::awaitable<void> serve(std::shared_ptr<State> state, std::shared_ptr<Connection> connection);

    // False when it was impossible.
    static bool let_in(const std::shared_ptr<State>& state, TimedSocket::Socket socket);
    // False when there is nobody to throw out.
    bool make_room(const Peer* newcomer);
    void close();

    asio::basic_socket_acceptor<Protocol> acceptor;
    std::shared_ptr<const Settings> settings;
    std::list<std::shared_ptr<Connection>> connections;
    bool closed = false;
};

asio::awaitable<void> Server::State::accept(std::shared_ptr<State> state) {
    asio::steady_timer timer(state->acceptor.get_executor());
    for (bool failed_before = false; !state->closed;) {
        error_code error;
        auto socket = co_await state->acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
        if (state->closed)
            break;
        if (!error && let_in(state, std::move(socket))) {
            failed_before = false;
            continue;
        }
        // With one client less it may work at once; if not, others have what we lack.
        if (!state->make_room(nullptr) || failed_before) {
            timer.expires_after(breather);
            co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
        }
        failed_before = true;
    }
}

bool Server::State::let_in(const std::shared_ptr<State>& state, TimedSocket::Socket socket) {
    auto& connections = state->connections;
    std::shared_ptr<Connection> connection;
    try {
        connection = std::make_shared<Connection>(std::move(socket), state->settings);
        while (connections.size() >= state->settings->limits.clients && state->make_room(&connection->peer()))
            ;
        connections.push_back(connection);
        asio::co_spawn(state->acceptor.get_executor(), serve(state, connection), asio::detached);
        return true;
    } catch (const std::exception&) {
        std::erase(connections, connection);
        return false;
    }
}

asio::awaitable<void> Server::State::serve(std::shared_ptr<State> state, std::shared_ptr<Connection> connection) {
    co_await connection->serve();
    std::erase(state->connections, connection);
}

// Ends one connection: of the user, and then of the process, that has the most of them, the one that has been quiet or
// slow for the longest; a stream, which is quiet by nature, after the others. A handler at work protects its
// connection, but no process that has more than half of all.
bool Server::State::make_room(const Peer* newcomer) {
    if (connections.empty())
        return false;
    std::map<std::int32_t, std::ptrdiff_t> counts;
    std::map<std::uint32_t, std::ptrdiff_t> user_counts;
    const auto count_in = [&](const Peer& peer) {
        ++counts[peer.process];
        ++user_counts[peer.user];
    };
    if (newcomer != nullptr)
        count_in(*newcomer);
    for (const auto& connection : connections)
        count_in(connection->peer());
    const auto rank = [&](const std::shared_ptr<Connection>& connection) {
        const std::ptrdiff_t count = counts[connection->peer().process];
        const bool at_work = connection->is_at_work();
        const bool protected_by_work = at_work && count <= static_cast<std::ptrdiff_t>(connections.size() / 2);
        return std::tuple(protected_by_work, -user_counts[connection->peer().user], -count, at_work,
                          connection->is_stream(), connection->quiet_since());
    };
    const auto victim = std::ranges::min_element(connections, {}, rank);
    (*victim)->close();
    connections.erase(victim);
    return true;
}

void Server::State::close() {
    closed = true;
    error_code ignored;
    acceptor.close(ignored);
    for (const auto& connection : connections)
        connection->close();
}

Server::Server(asio::any_io_executor executor, int listener, Limits limits, Handler handler, RefusalBody refuse)
    : state_(std::make_shared<State>(executor, listener, limits, std::move(handler), std::move(refuse))) {
    asio::co_spawn(executor, State::accept(state_), asio::detached);
}

Server::~Server() {
    state_->close();
}

std::size_t Server::client_count() const {
    return state_->connections.size();
}

}  // namespace nftlink::http
