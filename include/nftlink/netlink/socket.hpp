// A netlink socket for requests and their answers.
#pragma once

#include <cerrno>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <vector>

#include "nftlink/base/unique_fd.hpp"
#include "nftlink/netlink/reply.hpp"

namespace nftlink::netlink {

// The receive buffer was full: some of what the kernel had to say is lost.
struct Overrun {};

// True for an errno that ends a read and only says that it is to be made again: something changed meanwhile (EINTR),
// another dump was running (EBUSY), some of the answer was lost (ENOBUFS).
inline bool means_read_again(int error) {
    return error == EINTR || error == EBUSY || error == ENOBUFS;
}

// Calls read() until it gives an errno of another kind; gives that, or the last one after very many attempts. What an
// attempt has collected is for read() to forget.
template <typename Read>
int read_again(Read read) {
    constexpr int max_attempts = 200;
    int error = read();
    for (int attempt = 1; attempt < max_attempts && means_read_again(error); ++attempt)
        error = read();
    return error;
}

class Socket {
public:
    // Of the network namespace of the calling thread. Throws std::system_error.
    explicit Socket(int protocol);

    int descriptor() const { return descriptor_.get(); }
    // Gives the descriptor away, to be closed by whoever takes it.
    int release() { return descriptor_.release(); }

    // Its address, which answers to it carry.
    std::uint32_t port() const;

    // The largest datagram that send() can take.
    std::size_t send_limit() const;
    // A multicast group. After leaving, what came before can still be received.
    void join(unsigned group);
    void leave(unsigned group);

    // As many sequence numbers as asked for, one after the other; the first.
    std::uint32_t take_sequences(std::uint32_t count);

    // One datagram; the kernel has dealt with it when this returns. Gives errno, 0 when it was taken.
    int send(Payload datagram);

    // The next datagram of the kernel that has already come; valid until the next call. Nothing when there is none.
    // After an overrun there may be more to receive. Throws on anything else.
    std::expected<std::optional<Payload>, Overrun> receive();

    // All acks that have come. Whatever else was still to be read is dropped.
    Answers drain_acks();

    // Sends a request of one message (its sequence number is filled in) and calls visit() for each message that answers
    // it. Gives the errno with which the kernel ended it, 0 when all is well, EINTR when a dump is not consistent,
    // ENOBUFS when some of it was lost. However it ends, by an exception of visit() too, the kernel's dump is over:
    // while one is running, the socket's next one would be refused with EBUSY.
    int request(std::vector<std::uint8_t>& message, const std::function<void(const Message&)>& visit,
                std::string* error_text = nullptr);

private:
    int read_answer(std::uint32_t sequence, std::uint16_t flags, const std::function<void(const Message&)>& visit,
                    std::string* error_text);
    void read_to_end() noexcept;

    base::UniqueFd descriptor_;
    std::uint32_t next_sequence_;
    std::vector<std::uint8_t> buffer_;
};

}  // namespace nftlink::netlink
