#include "nftlink/kernel/instance.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <thread>

namespace nftlink::kernel {

namespace {

// The leading NUL makes the name abstract.
constexpr std::string_view name("\0nftlinkd", 9);

// The time that one that has the name gets to say who it is: it may be starting, or have many callers to dismiss.
constexpr int attempts = 10;
constexpr std::chrono::milliseconds between_attempts{20};

struct Address {
    Address() {
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, name.data(), name.size());
    }
    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
    static constexpr socklen_t size = offsetof(sockaddr_un, sun_path) + name.size();

    sockaddr_un address{};
};

base::UniqueFd open_socket() {
    base::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket)
        throw std::system_error(errno, std::generic_category(), "opening a Unix socket");
    return socket;
}

// The process that listens on the name, whose it is: the kernel keeps that. Nothing when nobody does, or when so many
// call that it can't be told.
std::optional<ucred> holder() {
    const base::UniqueFd socket = open_socket();
    const Address address;
    ucred credentials{};
    socklen_t size = sizeof credentials;
    const bool known = ::connect(socket.get(), address.get(), Address::size) == 0 &&
                       ::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0;
    return known ? std::optional(credentials) : std::nullopt;
}

bool is_trusted(const ucred& other) {
    return other.uid == 0 || other.uid == ::geteuid();
}

std::optional<ucred> wait_for_holder() {
    for (int attempt = 1;; ++attempt) {
        const auto found = holder();
        if (found || attempt == attempts)
            return found;
        std::this_thread::sleep_for(between_attempts);
    }
}

}  // namespace

InstanceLock::InstanceLock() : socket_(open_socket()) {
    const Address address;
    const bool bound = ::bind(socket_.get(), address.get(), Address::size) == 0;
    if (bound && ::listen(socket_.get(), SOMAXCONN) == 0)
        return;
    const int error = errno;
    socket_ = {};
    const auto other = error == EADDRINUSE ? wait_for_holder() : std::nullopt;
    if (other && is_trusted(*other))
        throw std::runtime_error(other->pid > 0
                                     ? fmt::format("another nftlinkd (pid {}) already runs in this network namespace: "
                                                   "stop it first",
                                                   other->pid)
                                     : "another nftlinkd already runs in this network namespace: stop it first");
    const std::string who = other ? fmt::format("process {} of user {} has it", other->pid, other->uid)
                                  : std::generic_category().message(error);
    warning_ = fmt::format(
        "cannot take the name @nftlinkd, by which others know that a service runs here: {}. Make sure that no second "
        "nftlinkd is started",
        who);
}

void InstanceLock::dismiss_callers() {
    // As many as can wait, not as many as come: that may never end.
    for (int count = 0; socket_ && count <= SOMAXCONN; ++count) {
        const base::UniqueFd caller(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!caller)
            return;
    }
}

std::optional<pid_t> running_instance() {
    const auto found = holder();
    return found && is_trusted(*found) ? std::optional(found->pid) : std::nullopt;
}

}  // namespace nftlink::kernel
