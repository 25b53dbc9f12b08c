// Follows a container engine: what it has, as soon as it has it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "nftlink/engine/client.hpp"
#include "nftlink/engine/tracker.hpp"

namespace nftlink::engine {

// The loop around a Tracker: connects, asks its questions, hands it what comes, and waits as long as it says.
class Watcher : public std::enable_shared_from_this<Watcher> {
public:
    struct Listener {
        std::function<void()> changed;    // the inventory
        std::function<void()> contacted;  // the contact
    };
    using Pauses = Tracker::Pauses;

    Watcher(boost::asio::any_io_executor executor, std::string socket, Listener listener, Pauses pauses);

    // To be held by a shared pointer from here on.
    void start();
    // Nobody is told anything after it.
    void stop();
    bool is_stopped() const { return stopped_; }

    const std::string& socket() const { return socket_; }
    // The tracker's, which the executor changes whenever it runs.
    const Inventory& inventory() const { return tracker_.inventory(); }
    bool has_inventory() const { return tracker_.has_inventory(); }
    const Contact& contact() const { return tracker_.contact(); }

private:
    boost::asio::awaitable<void> run();
    // One connection, to its end; gives the reason of that.
    boost::asio::awaitable<std::string> session();
    boost::asio::awaitable<std::string> answer_questions(Tracker::Session session);
    boost::asio::awaitable<void> follow(std::shared_ptr<EventStream> events, Tracker::Session session);
    boost::asio::awaitable<void> ask(Tracker::Question question, Tracker::Session session);
    boost::asio::awaitable<void> hand_in_answer(Tracker::Question question, Tracker::Session session);
    boost::asio::awaitable<void> pause(Tracker::Time end);
    void wake();
    void tell();

    boost::asio::any_io_executor executor_;
    std::string socket_;
    Listener listener_;
    Tracker tracker_;
    boost::asio::steady_timer wake_;  // cancelled when something has come
    bool is_woken_ = false;
    std::shared_ptr<EventStream> events_;
    bool stopped_ = false;
};

}  // namespace nftlink::engine
