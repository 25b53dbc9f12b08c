// HTTP/1.1 over a Unix socket: connections, deadlines and limits. What a request means is its handler's business.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace nftlink::service {

// Who is at the other end, as the kernel says (SO_PEERCRED, SO_PEERGROUPS) of the moment it connected.
struct Peer {
    std::uint32_t user = 0;
    std::uint32_t group = 0;
    std::int32_t process = 0;
    std::vector<std::uint32_t> groups = {};  // supplementary
};

struct Request {
    std::string method;                        // GET, PUT …
    std::vector<std::string> path;             // its segments, percent-decoded: /v1/links/web/db → v1 links web db
    std::map<std::string, std::string> query;  // percent-decoded; of a name given twice the last
    std::string body;
    Peer peer;
};

// The source of a stream's lines.
class Stream {
public:
    virtual ~Stream() = default;
    // The next lines, each with its line feed; waits until there are some. Empty: the stream has ended, and the
    // connection is closed. It is not called again before what it gave has been written. Cancelled (it throws
    // operation_aborted) when the connection ends.
    virtual boost::asio::awaitable<std::string> next() = 0;
    // The client hasn't taken what it was given for longer than it may: lines may be thrown away. After that next() is
    // called once more, as soon as and if the client reads on, for a last word.
    virtual void give_up() = 0;
};

struct Response {
    unsigned status = 200;
    std::string type = "application/json";
    std::string body = {};
    std::string allow = {};                    // with 405: the methods there are
    std::unique_ptr<Stream> stream = nullptr;  // in place of the body
};

struct HttpLimits {
    std::size_t clients = 256;
    std::size_t body_bytes = std::size_t{1} << 20;
    std::size_t header_bytes = std::size_t{16} << 10;
    std::chrono::milliseconds request{10'000};  // for all of a request, from its first byte on; for all of a response
    std::chrono::milliseconds idle{60'000};     // between two requests
};

// Serves until it is destroyed: then it calls neither handler nor `refuse` any more, and handlers and streams that wait
// are cancelled. They end as the executor's context runs on, or goes itself; what they use must live until then. Its
// own refusals (400 malformed, 408, 413, 431, 417 …) get their body from `refuse`.
//
// A client above the limit is let in at the expense of another one: of the process that has the most connections, the
// one that has been idle or slow for the longest. So nobody can keep others out. One whose handler is at work isn't
// ended while there is another, unless its process has more than half of all.
class HttpServer {
public:
    using Handler = std::function<boost::asio::awaitable<Response>(Request)>;
    using Refusal = std::function<std::string(unsigned status, const std::string& code, const std::string& message)>;

    // `listener`: a listening, non-blocking stream socket; it is taken over.
    HttpServer(boost::asio::any_io_executor executor, int listener, HttpLimits limits, Handler handler, Refusal refuse);
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    std::size_t client_count() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace nftlink::service
