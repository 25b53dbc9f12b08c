// A container engine's API over its Unix socket: single questions, and the stream of its events.
//
// Every question has a deadline, whatever the other end does: an engine that hangs, trickles bytes or never ends is an
// error of that question. Events have none: they come when something happens.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nftlink/engine/failure.hpp"
#include "nftlink/engine/inventory.hpp"

namespace nftlink::engine {

// The time that one question may take, from connecting to the answer's last byte.
inline constexpr std::chrono::milliseconds answer_deadline{10'000};

template <typename T>
using Reply = boost::asio::awaitable<std::expected<T, Failure>>;

// The others need its answer.
Reply<Version> ask_version(std::string socket);

Reply<std::vector<Listed>> ask_list(std::string socket, Version version);
// Nothing: there is no such container.
Reply<std::optional<Container>> ask_container(std::string socket, Version version, std::string id);
Reply<Networks> ask_networks(std::string socket, Version version);
// All of the above. A container that the engine refuses to tell of fails nothing: it is named in `unread`.
Reply<Everything> ask_everything(std::string socket, Version version, std::function<void()> on_answer = {});

// An engine's events as they come.
class EventStream {
public:
    EventStream(boost::asio::any_io_executor executor, std::string socket);

    // Asks for them.
    Reply<void> open(Version version);
    // Gives take() each event until the stream ends, and then the reason of that, a sentence.
    boost::asio::awaitable<std::string> follow(std::function<void(const Event&)> take);
    // Waits until the engine has begun to answer, but no longer than this: some say nothing before the first event.
    boost::asio::awaitable<void> begun(std::chrono::milliseconds patience);
    // Ends whatever is under way. The object may go then, too.
    void close();

private:
    struct Connection;
    std::shared_ptr<Connection> connection_;
};

// Everything that the engine has, for those who don't follow it. Waits at most so long for its first answer, and
// between two of them. The error is a sentence.
std::expected<Inventory, std::string> fetch(const std::string& socket, std::chrono::milliseconds patience);

}  // namespace nftlink::engine
