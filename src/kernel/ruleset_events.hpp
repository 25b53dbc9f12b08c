// The kernel's events about the ruleset, as changes.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "change_reader.hpp"
#include "nftlink/kernel/change.hpp"
#include "nftlink/netlink/socket.hpp"

namespace nftlink::kernel {

// The multicast group of nf_tables in the network namespace of the calling thread at construction.
class RulesetEvents {
public:
    // Throws std::system_error.
    RulesetEvents();

    // The next change that has come; nothing when there is none yet.
    std::optional<Change> next();
    // Readable when next() may have one.
    int descriptor() const { return socket_.descriptor(); }

    // Leaves the group for one transaction of ours, and comes back when it is destroyed. Commits of others in between
    // show in the generation: the kernel is asked for it on this socket, so that the answer wakes who waits on it.
    class Mute {
    public:
        // The generation before the transaction.
        Mute(RulesetEvents& events, std::uint32_t generation);
        ~Mute();
        Mute(const Mute&) = delete;
        Mute& operator=(const Mute&) = delete;

        void committed() { committed_ = true; }

    private:
        RulesetEvents& events_;
        std::uint32_t generation_;
        bool committed_ = false;
    };

private:
    void read();
    void ask_generation(std::uint32_t before, std::uint32_t after);
    bool is_answer(const netlink::Message& message) const;
    void take_answer(const netlink::Message& message);
    void lost_some();

    netlink::Socket socket_;
    ChangeReader reader_;
    std::deque<Change> changes_;  // read, but not yet asked for
    // A question that is under way, and the generations that say that nobody else has committed.
    struct Question {
        std::uint32_t sequence, before, after;
    };
    std::optional<Question> question_;
};

}  // namespace nftlink::kernel
