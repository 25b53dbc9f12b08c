#include "outlet.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <system_error>

namespace nftlink::cli {

namespace {

int checked(int result, const char* what) {
    if (result < 0)
        throw std::system_error(errno, std::generic_category(), what);
    return result;
}

}  // namespace

Outlet::Outlet() {
    sigset_t ending;
    ::sigemptyset(&ending);
    ::sigaddset(&ending, SIGINT);
    ::sigaddset(&ending, SIGTERM);
    signals_ = checked(::signalfd(-1, &ending, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd");
    ends_ = checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    epoll_event readable{.events = EPOLLIN, .data = {}};
    checked(::epoll_ctl(ends_, EPOLL_CTL_ADD, signals_, &readable), "epoll_ctl");
    // Nothing asked for: a pipe without a reader says so all the same. Files have no such state, and are refused.
    epoll_event unread{.events = 0, .data = {}};
    ::epoll_ctl(ends_, EPOLL_CTL_ADD, STDOUT_FILENO, &unread);
    ::sigprocmask(SIG_BLOCK, &ending, &mask_before_);
    struct sigaction ignore{};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &ignore, &pipe_before_);
}

Outlet::~Outlet() {
    // A signal that has come must not come again when it isn't held any more.
    std::array<signalfd_siginfo, 2> taken{};
    [[maybe_unused]] const auto size = ::read(signals_, taken.data(), sizeof taken);
    ::sigaction(SIGPIPE, &pipe_before_, nullptr);
    ::sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
    ::close(ends_);
    ::close(signals_);
}

bool Outlet::ended() const {
    pollfd end{.fd = ends_, .events = POLLIN, .revents = 0};
    return unread_ || ::poll(&end, 1, 0) > 0;
}

bool Outlet::write(std::string_view text) {
    while (!text.empty()) {
        // In pieces that a pipe takes without waiting once it says that there is room, so that the end isn't missed.
        std::array<pollfd, 2> ready{
            {{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0}, {.fd = ends_, .events = POLLIN, .revents = 0}}};
        if (::poll(ready.data(), ready.size(), -1) < 0 && errno == EINTR)
            continue;
        if (ready[1].revents != 0)
            return false;
        const auto written = ::write(STDOUT_FILENO, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
        if (written >= 0)
            text.remove_prefix(static_cast<std::size_t>(written));
        else if (errno == EPIPE)
            unread_ = true;
        else if (errno != EINTR && errno != EAGAIN)
            throw std::system_error(errno, std::generic_category(), "cannot write the result");
        if (unread_)
            return false;
    }
    return true;
}

}  // namespace nftlink::cli
