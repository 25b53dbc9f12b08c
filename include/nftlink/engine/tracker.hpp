// Decides which questions a container engine is asked, and what its events and answers add up to. Pure: whoever
// follows an engine feeds it, says what time it is, and asks what is next.
#pragma once

#include <chrono>
#include <expected>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "nftlink/engine/failure.hpp"
#include "nftlink/engine/inventory.hpp"

namespace nftlink::engine {

// The connection to the engine.
struct Contact {
    bool connected = false;
    std::string engine;  // `Docker 20.10.24`, as it called itself last
    std::string api;
    std::string error;  // why it isn't connected; empty: it is, or hasn't been tried yet
    std::chrono::system_clock::time_point since;

    bool operator==(const Contact&) const = default;
};

// A session is one stream of events, from begin() to end(): in it everything is read first, then events say what is to
// be asked. Who ends is gone from the inventory with the event, who comes is inspected. From time to time the list is
// compared, so that an event that got lost is made up for. Between two sessions the inventory stays as it was.
// Events and answers carry the number of their session; those of an earlier one change nothing.
class Tracker {
public:
    using Time = std::chrono::steady_clock::time_point;
    using WallTime = std::chrono::system_clock::time_point;
    using Session = unsigned;

    struct Pauses {
        std::chrono::milliseconds first{100}, longest{10'000};  // before connecting again
        std::chrono::milliseconds look{30'000};                 // between two comparisons
    };

    struct Question {
        enum class Kind { list, networks, container };
        Kind kind;
        std::string container;  // its id

        bool operator==(const Question&) const = default;
    };

    // The kinds of what is different since take_news() was called last.
    struct News {
        bool contact = false;
        bool inventory = false;
    };

    template <typename T>
    using Answer = std::expected<T, Failure>;

    Tracker(Pauses pauses, WallTime now);

    Session begin(Version version, Time now);
    // Everything is asked for from here on: the answer knows what was told before.
    void ask_everything(Session session);
    // The answer to that.
    void read(Session session, Everything everything, Time now, WallTime wall);
    // Gives the pause before the next session.
    std::chrono::milliseconds end(std::string why, Time now, WallTime wall);

    void take(Session session, const Event& event);
    void listed(Session session, const Answer<std::vector<Listed>>& answer);
    void networks_read(Session session, Answer<Networks> answer, Time now);
    // Without a value: there is no such container.
    void inspected(Session session, const std::string& id, Answer<std::optional<Container>> answer, Time now);
    void fail(Session session, std::string why);

    // The session is over for this reason.
    const std::optional<std::string>& failure() const { return progress_.failure; }
    // The questions of now. Each is under way from here on, until its answer or the session's end.
    std::vector<Question> ask(Time now);
    News take_news(Time now);
    // The next time at which ask() or take_news() may say something although nothing came.
    Time wake_at() const;

    const Version& version() const { return version_; }
    // Unchanged until the next begin(), read(), take() or answer; the reference is good for as long as the tracker.
    const Inventory& inventory() const { return inventory_; }
    // It was read since the start.
    bool has_inventory() const { return has_inventory_; }
    const Contact& contact() const { return contact_; }

private:
    using Names = std::set<std::string, std::less<>>;

    // One session's.
    struct Progress {
        Time begun;
        std::optional<std::string> failure;
        bool is_whole = false;  // everything has been read
        Names to_inspect;
        // True: it has ended or left a network since it was asked about, and the answer may be of before that.
        std::map<std::string, bool, std::less<>> inspecting;
        Names ended_meanwhile;  // while everything is being read
        Names again;            // those whose inspection failed: with the next look
        bool networks_changed = false;
        bool networks_unread = false;  // they could not be read: with the next look
        bool asks_networks = false;
        bool asks_list = false;
        Names link_names;  // `/web/db`, of all containers in the last list
        Time next_look;
        std::optional<Time> gathered_since;  // the inventory has news that wait for others

        bool awaits_networks() const { return networks_changed || asks_networks; }
    };

    void gone(const Event& event);
    bool leave(Container& container, const Event& event) const;
    void compare(const std::vector<Listed>& list);
    void inspect_parents(const Names& links);
    void look_soon(Time now);
    void set_contact(bool connected, std::string error, WallTime wall);

    Pauses pauses_;
    std::chrono::milliseconds pause_;  // before the next session
    Version version_;
    Inventory inventory_;
    bool has_inventory_ = false;
    Contact contact_;
    Session session_ = 0;
    Progress progress_;
    News news_;
};

}  // namespace nftlink::engine
