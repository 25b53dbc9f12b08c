#include "screen.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace nftlink::cli {

namespace {

constexpr const char* home = "\x1b[H";
constexpr const char* clear_rest_of_line = "\x1b[K";
constexpr const char* clear_below = "\x1b[J";
constexpr const char* clear_all = "\x1b[2J";

winsize size_of_terminal() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
        size = {.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
    return size;
}

// From the top left on, without the flicker of clearing first; no line reaches into the next.
std::string drawn(const std::string& text, std::size_t width) {
    std::string screen = home;
    for (std::size_t begin = 0, end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
        screen += text.substr(begin, std::min(end - begin, width)) + clear_rest_of_line + "\n";
    return screen + clear_below;
}

}  // namespace

Screen::Screen(Outlet& outlet, bool draws) : outlet_(outlet), is_terminal_(draws && ::isatty(STDOUT_FILENO) == 1) {
    if (!is_terminal_)
        return;
    has_keys_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
    if (!has_keys_)
        return;
    termios keys = before_;
    keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    keys.c_cc[VMIN] = 1;
    keys.c_cc[VTIME] = 0;
    ::tcsetattr(STDIN_FILENO, TCSANOW, &keys);
}

Screen::~Screen() {
    if (has_keys_)
        ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

std::size_t Screen::height() const {
    return is_terminal_ ? size_of_terminal().ws_row : std::numeric_limits<std::size_t>::max();
}

bool Screen::show(const std::string& text) {
    const bool is_first = std::exchange(is_first_, false);
    if (!is_terminal_)
        return outlet_.write((is_first ? "" : "\n") + text);
    return outlet_.write((is_first ? clear_all : "") + drawn(text, size_of_terminal().ws_col));
}

bool Screen::wait(std::chrono::milliseconds duration) {
    const auto end = std::chrono::steady_clock::now() + duration;
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
        if (left.count() <= 0)
            return !outlet_.ended();
        std::array<pollfd, 2> ready{{{.fd = outlet_.end_descriptor(), .events = POLLIN, .revents = 0},
                                     {.fd = has_keys_ ? STDIN_FILENO : -1, .events = POLLIN, .revents = 0}}};
        if (::poll(ready.data(), ready.size(), static_cast<int>(left.count())) <= 0)
            continue;
        if (ready[0].revents != 0)
            return false;
        char key = 0;
        if (::read(STDIN_FILENO, &key, 1) <= 0)
            return false;  // the terminal is gone
        if (key == 'q')
            return false;
    }
}

}  // namespace nftlink::cli
