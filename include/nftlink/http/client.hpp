// A client over Unix sockets: one question and its answer, over a connection of its own.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <string>

namespace nftlink::http {

struct Question {
    std::string method = "GET";
    std::string target = {};  // as it goes over the wire: /v1/links?x=%20
    std::string host = {};
    std::string agent = {};
    std::string json = {};  // the body; empty: none
};

struct Failure {
    enum class Kind {
        unreachable,  // there is no connection
        late,         // the deadline has passed
        cut,          // the other end closed the connection before the answer was complete
        too_large,    // the answer is larger than the caller takes
        not_http,     // something else came
        system,       // the connection failed otherwise
        closed,       // close() was called
    };
    Kind kind;
    std::string text = {};  // words for people, without a subject; empty: `kind` says all
    int error_number = 0;   // of connecting
};

// The object may go while something is under way, which goes on until its end, or close(); but not before that has
// begun.
class Client {
public:
    template <typename T>
    using Result = boost::asio::awaitable<std::expected<T, Failure>>;

    Client(boost::asio::any_io_executor executor, std::string socket);

    // For everything from now on, together; takes the place of the last one.
    void set_deadline(std::chrono::milliseconds time);
    // An operation that is under way keeps its deadline.
    void lift_deadline();

    // Connects and writes. A full queue of connections is tried again until the deadline. Other than a deadline that
    // passes, a failure to write is none: who refuses may answer and close before everything is read, and the answer
    // is what counts.
    Result<void> send(Question question);
    // Gives the status; comes before the others.
    Result<unsigned> receive_head();
    // The whole body, or too_large.
    Result<std::string> receive_body(std::size_t most_bytes);
    // The next line of the body, without its end; nullopt when the body has ended. A line that has come already is
    // given without waiting.
    Result<std::optional<std::string>> receive_line(std::size_t most_bytes);

    // Ends whatever is under way and all that comes after it.
    void close();

private:
    struct Connection;
    std::shared_ptr<Connection> connection_;
};

}  // namespace nftlink::http
