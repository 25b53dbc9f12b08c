// The body of a response that goes on for as long as there is something to say.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

namespace nftlink::http {

// The source of a stream's lines.
class Stream {
public:
    virtual ~Stream() = default;
    // The next lines, each with its line feed; waits until there are some. Empty: the stream has ended, and the
    // connection is closed. It is not called again before what it gave has been written. Cancelled (it throws
    // operation_aborted) when the connection ends.
    virtual boost::asio::awaitable<std::string> next() = 0;
    // The client hasn't taken what it was given for longer than it may: lines may be thrown away. If the client
    // resumes, next() is called once more, for a final line.
    virtual void give_up() = 0;
};

}  // namespace nftlink::http
