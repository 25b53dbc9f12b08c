#include "nftlink/kernel/events.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <deque>
#include <system_error>

#include "change_reader.hpp"
#include "netlink.hpp"
#include "socket.hpp"

namespace nftlink::kernel {

namespace asio = boost::asio;

namespace {

// A socket in a multicast group, and what Asio waits on for it. Both know the descriptor; the socket closes it, so that
// nothing may throw between the two.
struct Subscription {
    Subscription(const asio::any_io_executor& executor, int protocol, unsigned group)
        : socket(protocol), ready(executor, joined(socket, group)) {}
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;
    ~Subscription() { ready.release(); }

    asio::awaitable<void> wait() {
        co_await ready.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
    }

    static int joined(Socket& socket, unsigned group) {
        socket.join(group);
        return socket.descriptor();
    }

    // Calls visit() for every message that has come; false when some were lost.
    template <typename Visit>
    bool drain(Visit visit) {
        for (;;) {
            const auto datagram = socket.receive();
            if (!datagram)
                return false;
            if (!*datagram)
                return true;
            if (const auto messages = read_messages(**datagram))
                for (const Message& message : *messages)
                    visit(message);
        }
    }

    Socket socket;
    asio::posix::stream_descriptor ready;
};

}  // namespace

struct RulesetEvents::State {
    explicit State(const asio::any_io_executor& executor)
        : subscription(executor, NETLINK_NETFILTER, NFNLGRP_NFTABLES) {}

    void read() {
        const bool whole = subscription.drain([this](const Message& message) {
            if (auto change = reader.read(message))
                changes.push_back(std::move(*change));
        });
        if (whole)
            return;
        reader.forget();
        changes.push_back({0, 0, {}, {}, true});
    }

    Subscription subscription;
    ChangeReader reader;
    std::deque<Change> changes;  // read, but not yet asked for
};

RulesetEvents::RulesetEvents(asio::any_io_executor executor) : state_(std::make_unique<State>(executor)) {}
RulesetEvents::~RulesetEvents() = default;
RulesetEvents::RulesetEvents(RulesetEvents&&) noexcept = default;
RulesetEvents& RulesetEvents::operator=(RulesetEvents&&) noexcept = default;

void RulesetEvents::leave() {
    state_->subscription.socket.leave(NFNLGRP_NFTABLES);
}

void RulesetEvents::join() {
    state_->subscription.socket.join(NFNLGRP_NFTABLES);
}

asio::awaitable<Change> RulesetEvents::next() {
    while (state_->changes.empty()) {
        co_await state_->subscription.wait();
        state_->read();
    }
    Change change = std::move(state_->changes.front());
    state_->changes.pop_front();
    co_return change;
}

struct BridgeEvents::State {
    State(const asio::any_io_executor& executor, int descriptor) : ready(executor, descriptor) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { ready.release(); }  // the kernel closes it

    asio::posix::stream_descriptor ready;
};

BridgeEvents::BridgeEvents(asio::any_io_executor executor, Kernel& kernel)
    : state_(std::make_unique<State>(executor, kernel.bridges_descriptor())) {}
BridgeEvents::~BridgeEvents() = default;
BridgeEvents::BridgeEvents(BridgeEvents&&) noexcept = default;
BridgeEvents& BridgeEvents::operator=(BridgeEvents&&) noexcept = default;

asio::awaitable<void> BridgeEvents::next() {
    co_await state_->ready.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
}

}  // namespace nftlink::kernel
