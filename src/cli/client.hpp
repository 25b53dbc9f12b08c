// A client of the control API. A call waits until the answer is there.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include "trouble.hpp"

namespace nftlink::cli {

struct Reply {
    unsigned status = 200;  // HTTP's
    boost::json::object record;
};

using Answer = std::expected<Reply, Faults>;

struct Deadlines {
    std::chrono::milliseconds reading{30'000};
    std::chrono::milliseconds changing{120'000};  // the kernel and the disk may take long
};

class Client {
public:
    // `stop`: a descriptor that can be read as soon as nobody wants an answer any more; -1: there is none.
    explicit Client(std::string socket, int stop = -1, Deadlines deadlines = {});

    Answer get(const std::string& target) const;
    // PUT, DELETE or POST; without a body when that is empty.
    Answer change(std::string_view method, const std::string& target, const boost::json::object& body = {}) const;

    // Gives take() each line of an endless answer as it comes, until it says no or `stop` can be read. Faults when
    // there is no such answer, or it has ended.
    std::expected<void, Faults> stream(const std::string& target,
                                       const std::function<bool(std::string_view line)>& take) const;

    // The words for what goes wrong with this service.
    Trouble trouble() const { return {.socket = socket_}; }

private:
    std::string socket_;
    int stop_;
    Deadlines deadlines_;
};

// A segment of a path, percent-encoded where it must be.
std::string segment(std::string_view text);

}  // namespace nftlink::cli
