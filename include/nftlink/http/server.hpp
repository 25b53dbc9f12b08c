// HTTP/1.1 over a Unix socket: connections, deadlines and limits. What a request means is its handler's business.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "nftlink/http/message.hpp"

namespace nftlink::http {

struct Limits {
    std::size_t clients = 256;
    std::size_t body_bytes = std::size_t{1} << 20;
    std::size_t header_bytes = std::size_t{16} << 10;
    std::chrono::milliseconds request{10'000};  // for all of a request, from its first byte on; for all of a response
    std::chrono::milliseconds idle{60'000};     // between two requests
};

// Serves until it is destroyed: then it calls neither handler nor `refuse` any more, and handlers and streams that wait
// are cancelled; they finish on the executor, and objects that they use must outlive it. Its
// own refusals (400 malformed, 408, 413, 431, 417 …) get their body from `refuse`.
//
// A client above the limit is let in at the expense of another one: of the process that has the most connections, the
// one that has been idle or slow for the longest. So nobody can keep others out. One whose handler is at work isn't
// ended while there is another, unless its process has more than half of all.
class Server {
public:
    using Handler = std::function<boost::asio::awaitable<Response>(Request)>;
    using RefusalBody =
        std::function<std::string(unsigned status, const std::string& code, const std::string& message)>;

    // `listener`: a listening, non-blocking stream socket; it is taken over.
    Server(boost::asio::any_io_executor executor, int listener, Limits limits, Handler handler, RefusalBody refuse);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    std::size_t client_count() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace nftlink::http
