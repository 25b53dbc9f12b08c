// A client that says exactly what it is told, and a server to say it to: both on this thread.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "nftlink/http/server.hpp"
#include "support/folder.hpp"

namespace nftlink::http {

using std::chrono::milliseconds;

// What nothing on a busy machine takes.
constexpr milliseconds patience{20'000};

struct Answer {
    unsigned status = 0;
    std::map<std::string, std::string> head;
    std::string body;
    bool complete = false;  // to the last byte of what its head promised
};

// The first answer in what was received; what comes after it is left there.
Answer take_answer(std::string& received, bool head_only = false);

// The server, and the loop that it and its clients run on.
class HttpFixture {
public:
    HttpFixture();
    ~HttpFixture();

    void start(Server::Handler handler, Limits limits = {});
    void stop() { server_.reset(); }
    Server& server() { return *server_; }
    boost::asio::io_context& context() { return *context_; }
    const std::string& path() const { return path_; }

    // Runs the loop until that is so; false when it isn't after so long.
    template <typename Condition>
    bool until(Condition condition, milliseconds limit = patience) {
        const auto end = std::chrono::steady_clock::now() + limit;
        while (!condition()) {
            if (std::chrono::steady_clock::now() > end)
                return false;
            context_->run_for(milliseconds(1));
        }
        return true;
    }
    // Runs until nothing is ready: what one end of a Unix socket has done is there for the other at once.
    void settle() {
        while (context_->poll() != 0)
            continue;
    }
    // For deadlines alone.
    void run_for(milliseconds time) { context_->run_for(time); }
    // Destroys the loop, with everything that waits in it.
    void destroy_context();

private:
    Folder folder_;
    const std::string path_ = folder_ / "sock";
    std::unique_ptr<boost::asio::io_context> context_ = std::make_unique<boost::asio::io_context>(1);
    std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work_;
    std::unique_ptr<Server> server_;
};

// A connected socket; -1 when that is impossible. `flags` may be SOCK_NONBLOCK: then it doesn't wait for room in the
// queue.
int connect_to(const std::string& path, int flags = 0);

class RawClient {
public:
    explicit RawClient(HttpFixture& fixture);
    ~RawClient() { close(); }
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    void send(std::string_view text);
    // What can be sent without waiting; how much that was.
    std::size_t send_some(std::string_view text);
    // Reads what is there.
    void poll();
    // An answer, waited for.
    Answer answer(bool head_only = false);
    Answer ask(std::string_view text) {
        send(text);
        return answer();
    }
    // Until the server has closed its end.
    bool ends(milliseconds limit = patience);
    bool has(std::string_view text);
    void half_close();
    void close();

    std::string received;
    bool ended = false;

private:
    HttpFixture& fixture_;
    int fd_ = -1;
};

}  // namespace nftlink::http
