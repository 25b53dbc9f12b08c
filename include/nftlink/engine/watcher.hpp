// Follows a container engine: what it has, as soon as it has it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "nftlink/engine/client.hpp"
#include "nftlink/engine/inventory.hpp"

namespace nftlink::engine {

// How it is with the engine.
struct Contact {
    bool connected = false;
    std::string engine;  // `Docker 20.10.24`, as it called itself last
    std::string api;
    std::string error;  // why it isn't connected; empty: it is, or hasn't been tried yet
    std::chrono::system_clock::time_point since = std::chrono::system_clock::now();

    bool operator==(const Contact&) const = default;
};

// Lists and inspects, then follows the events: who ends is gone from the inventory with the event, who comes is
// inspected. A lost connection is taken up again, with pauses that grow; until everything is read again the inventory
// stays as it was. From time to time the list is compared, so that an event that got lost is made up for.
class Watcher : public std::enable_shared_from_this<Watcher> {
public:
    struct Listener {
        std::function<void()> changed;    // the inventory
        std::function<void()> contacted;  // the contact
    };

    struct Pauses {
        std::chrono::milliseconds first{100}, longest{10'000};  // before connecting again
        std::chrono::milliseconds look{30'000};                 // between two comparisons
    };

    Watcher(boost::asio::any_io_executor executor, std::string socket, Listener listener, Pauses pauses);

    // To be held by a shared pointer from here on.
    void start();
    // Nobody is told anything after it.
    void stop();
    bool is_stopped() const { return stopped_; }

    const std::string& socket() const { return socket_; }
    const Inventory& inventory() const { return inventory_; }
    // The inventory was read since the start.
    bool has_inventory() const { return has_inventory_; }
    const Contact& contact() const { return contact_; }

private:
    boost::asio::awaitable<void> run();
    // One connection, to its end; why it ended.
    boost::asio::awaitable<std::string> session();
    boost::asio::awaitable<std::string> read_everything();
    boost::asio::awaitable<std::string> look();
    boost::asio::awaitable<void> read_networks();
    boost::asio::awaitable<void> follow(unsigned session);
    boost::asio::awaitable<void> inspect(std::string id, unsigned session);

    void take(const Event& event);
    void compare(const std::vector<Listed>& list);
    void inspect_parents(const std::set<std::string, std::less<>>& links);
    void try_again_soon();
    bool end(Container& container, const Event& event);
    void inspect_some();
    void inspected(const std::string& id, std::expected<std::optional<Container>, std::string> answer);
    void changed();
    void set_contact(bool connected, std::string error);
    void wake();

    std::string socket_;
    Listener listener_;
    Pauses pauses_;
    boost::asio::any_io_executor executor_;
    boost::asio::steady_timer wake_;
    bool awake_ = false;  // something has happened since it was waited for last
    bool stopped_ = false;
    Version version_;
    Inventory inventory_;
    bool has_inventory_ = false;
    Contact contact_;
    std::shared_ptr<EventStream> events_;
    unsigned session_ = 0;   // answers that belong to an earlier one come too late
    std::string failure_;    // of this session
    bool is_whole_ = false;  // everything has been read in this session
    std::set<std::string, std::less<>> to_inspect_;
    // Whether it has ended or left a network since it was asked about: then the answer may be of before that.
    std::map<std::string, bool, std::less<>> inspecting_;
    std::set<std::string, std::less<>> ended_meanwhile_;  // while everything is being read
    std::set<std::string, std::less<>> again_;            // those whose inspection failed: with the next look
    bool networks_changed_ = false;
    bool networks_unread_ = false;                   // they could not be read: with the next look
    std::set<std::string, std::less<>> link_names_;  // `/web/db`, of all containers in the last list
    std::chrono::steady_clock::time_point next_look_;
    std::optional<std::chrono::steady_clock::time_point> gathered_since_;  // there is news that nobody was told yet
};

}  // namespace nftlink::engine
