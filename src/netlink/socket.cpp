#include "nftlink/netlink/socket.hpp"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>
#include <utility>

namespace nftlink::netlink {

namespace {

// Room for a bulk load in one datagram, and for the answers to a batch with many errors. What the kernel really gives
// is asked for afterwards: without CAP_NET_ADMIN over the host it is less.
constexpr int wanted_send_bytes = 1 << 27;
constexpr int wanted_receive_bytes = 1 << 22;
constexpr std::size_t largest_reply_bytes = 1 << 17;  // the kernel's dumps use 32 KiB a datagram

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

void grow(int descriptor, int force_option, int option, int bytes) {
    if (setsockopt(descriptor, SOL_SOCKET, force_option, &bytes, sizeof bytes) != 0)
        setsockopt(descriptor, SOL_SOCKET, option, &bytes, sizeof bytes);
}

void enable(int descriptor, int option) {
    const int on = 1;
    setsockopt(descriptor, SOL_NETLINK, option, &on, sizeof on);  // an old kernel's answers just say less
}

}  // namespace

Socket::Socket(int protocol)
    : descriptor_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol)),
      next_sequence_(static_cast<std::uint32_t>(std::chrono::steady_clock::now().time_since_epoch().count())),
      buffer_(largest_reply_bytes) {
    if (!descriptor_)
        fail("netlink socket");
    const sockaddr_nl address{.nl_family = AF_NETLINK, .nl_pad = 0, .nl_pid = 0, .nl_groups = 0};
    if (bind(descriptor_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        fail("netlink bind");
    grow(descriptor_.get(), SO_SNDBUFFORCE, SO_SNDBUF, wanted_send_bytes);
    grow(descriptor_.get(), SO_RCVBUFFORCE, SO_RCVBUF, wanted_receive_bytes);
    enable(descriptor_.get(), NETLINK_EXT_ACK);
    enable(descriptor_.get(), NETLINK_CAP_ACK);
}

std::uint32_t Socket::port() const {
    sockaddr_nl address{};
    socklen_t size = sizeof address;
    if (getsockname(descriptor_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
        fail("netlink address");
    return address.nl_pid;
}

std::size_t Socket::send_limit() const {
    constexpr std::size_t kernel_reserve = 32;  // netlink_sendmsg's own
    int bytes = 0;
    socklen_t size = sizeof bytes;
    if (getsockopt(descriptor_.get(), SOL_SOCKET, SO_SNDBUF, &bytes, &size) != 0)
        fail("netlink send buffer");
    return static_cast<std::size_t>(bytes) - kernel_reserve;
}

void Socket::join(unsigned group) {
    if (setsockopt(descriptor_.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0)
        fail("netlink multicast group");
}

void Socket::leave(unsigned group) {
    if (setsockopt(descriptor_.get(), SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, &group, sizeof group) != 0)
        fail("netlink multicast group");
}

std::uint32_t Socket::take_sequences(std::uint32_t count) {
    return std::exchange(next_sequence_, next_sequence_ + count);
}

int Socket::send(Payload datagram) {
    const sockaddr_nl kernel{.nl_family = AF_NETLINK, .nl_pad = 0, .nl_pid = 0, .nl_groups = 0};
    for (;;) {
        const ssize_t sent = sendto(descriptor_.get(), datagram.data(), datagram.size(), 0,
                                    reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel);
        if (sent >= 0)
            return 0;
        if (errno != EINTR)
            return errno;
    }
}

std::expected<std::optional<Payload>, Overrun> Socket::receive() {
    for (;;) {
        sockaddr_nl sender{};
        iovec place{buffer_.data(), buffer_.size()};
        msghdr header{};
        header.msg_name = &sender;
        header.msg_namelen = sizeof sender;
        header.msg_iov = &place;
        header.msg_iovlen = 1;
        const ssize_t size = recvmsg(descriptor_.get(), &header, 0);
        if (size < 0) {
            if (errno == EINTR)
                continue;
            if (errno == EAGAIN)
                return std::optional<Payload>{};
            if (errno == ENOBUFS)
                return std::unexpected(Overrun{});
            fail("netlink receive");
        }
        if (sender.nl_pid != 0)
            continue;  // another process, not the kernel
        if ((header.msg_flags & MSG_TRUNC) != 0)
            throw std::system_error(EMSGSIZE, std::generic_category(), "netlink receive");
        return Payload(buffer_.data(), static_cast<std::size_t>(size));
    }
}

Answers Socket::drain_acks() {
    Answers answers;
    for (;;) {
        const auto datagram = receive();
        if (!datagram) {
            answers.some_lost = true;  // the kernel tells this first, and then what had still found room
            continue;
        }
        if (!*datagram)
            return answers;
        const auto messages = read_messages(**datagram);
        if (!messages)
            throw std::system_error(EBADMSG, std::generic_category(), messages.error());
        for (const Message& message : *messages)
            if (auto ack = read_ack(message))
                answers.acks.push_back(std::move(*ack));
    }
}

int Socket::request(std::vector<std::uint8_t>& message, const std::function<void(const Message&)>& visit,
                    std::string* error_text) {
    const std::uint32_t sequence = take_sequences(1);
    std::memcpy(message.data() + offsetof(nlmsghdr, nlmsg_seq), &sequence, sizeof sequence);
    if (const int error = send(message))
        return error;
    const auto flags = reinterpret_cast<const nlmsghdr*>(message.data())->nlmsg_flags;
    try {
        return read_answer(sequence, flags, visit, error_text);
    } catch (...) {
        read_to_end();
        throw;
    }
}

int Socket::read_answer(std::uint32_t sequence, std::uint16_t flags, const std::function<void(const Message&)>& visit,
                        std::string* error_text) {
    const bool is_dump = (flags & NLM_F_DUMP) == NLM_F_DUMP;
    bool interrupted = false, some_lost = false;
    for (;;) {
        const auto datagram = receive();
        if (!datagram) {
            some_lost = true;  // the rest is still to come
            continue;
        }
        if (!*datagram)  // the answer of a single request is there when send() returns
            return some_lost ? ENOBUFS : is_dump ? ENODATA : 0;
        const auto messages = read_messages(**datagram);
        if (!messages)
            throw std::system_error(EBADMSG, std::generic_category(), messages.error());
        for (const Message& reply : *messages) {
            if (reply.sequence != sequence)
                continue;
            interrupted |= (reply.flags & NLM_F_DUMP_INTR) != 0;
            if (reply.type == NLMSG_DONE) {
                const int error = dump_error(reply);
                return error != 0 ? error : some_lost ? ENOBUFS : interrupted ? EINTR : 0;
            }
            if (const auto ack = read_ack(reply)) {
                if (error_text != nullptr)
                    *error_text = ack->text;
                return ack->error_number;
            }
            visit(reply);
            // The one answer; who asks for an ack as well gets it by reading on.
            if (!is_dump && (flags & NLM_F_ACK) == 0)
                return 0;
        }
    }
}

// Each datagram that is taken makes the kernel go on with the dump, until nothing is left of it.
void Socket::read_to_end() noexcept {
    while (recv(descriptor_.get(), buffer_.data(), buffer_.size(), 0) > 0 || errno == EINTR || errno == ENOBUFS) {
    }
}

}  // namespace nftlink::netlink
