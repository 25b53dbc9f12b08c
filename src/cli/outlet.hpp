// The standard output of a verb that goes on until it is told to end.
#pragma once

#include <signal.h>

#include <string_view>

namespace nftlink::cli {

// While there is one, SIGINT and SIGTERM end nothing but what it is for, and so does a reader of the output that goes
// away. Throws std::system_error when there is no descriptor left for it.
class Outlet {
public:
    Outlet();
    ~Outlet();
    Outlet(const Outlet&) = delete;
    Outlet& operator=(const Outlet&) = delete;

    // Can be read as soon as the end has come.
    int end_descriptor() const { return ends_; }
    bool ended() const;

    // Writes all of it at once, past the streams' buffers. False when the end came before that. Throws
    // std::system_error when it can't be written, unless nobody reads any more.
    bool write(std::string_view text);

private:
    int signals_ = -1;
    int ends_ = -1;
    sigset_t mask_before_{};
    struct sigaction pipe_before_{};
    bool unread_ = false;
};

}  // namespace nftlink::cli
