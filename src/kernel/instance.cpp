#include "nftlink/kernel/instance.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <thread>

namespace nftlink::kernel {

namespace {

// The leading NUL makes the name abstract.
constexpr std::string_view name("\0nftlinkd", 9);

// How long one that has the name gets to say who it is: it may be starting, or have many callers to dismiss.
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

int open_socket() {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        throw std::system_error(errno, std::generic_category(), "opening a Unix socket");
    return fd;
}

// Who listens on the name, whoever it is: the kernel keeps who that was. Nothing when nobody does, or when so many call
// that it can't be told.
std::optional<ucred> holder() {
    const int fd = open_socket();
    const Address address;
    ucred credentials{};
    socklen_t size = sizeof credentials;
    const bool known = ::connect(fd, address.get(), Address::size) == 0 &&
                       ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0;
    ::close(fd);
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

InstanceLock::InstanceLock() : descriptor_(open_socket()) {
    const Address address;
    const bool bound = ::bind(descriptor_, address.get(), Address::size) == 0;
    if (bound && ::listen(descriptor_, SOMAXCONN) == 0)
        return;
    const int error = errno;
    ::close(descriptor_);
    descriptor_ = -1;
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

InstanceLock::~InstanceLock() {
    if (descriptor_ >= 0)
        ::close(descriptor_);
}

void InstanceLock::dismiss_callers() {
    // As many as can wait, not as many as come: that may never end.
    for (int count = 0; descriptor_ >= 0 && count <= SOMAXCONN; ++count) {
        const int caller = ::accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC);
        if (caller < 0)
            return;
        ::close(caller);
    }
}

std::optional<pid_t> running_instance() {
    const auto found = holder();
    return found && is_trusted(*found) ? std::optional(found->pid) : std::nullopt;
}

}  // namespace nftlink::kernel
