// A container engine of fixed answers, on a Unix socket of its own; for what a real one rarely does, too.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace nftlink::engine {

class FakeEngine {
public:
    using Socket = boost::asio::local::stream_protocol::socket;

    explicit FakeEngine(boost::asio::io_context& context);
    ~FakeEngine();

    const std::string& socket() const { return path_; }

    // What GET `target` is answered with, as JSON with status 200; without an answer it is 404.
    std::map<std::string, std::string> answers;
    // Bytes instead of an answer, as they are; the connection stays open after them.
    std::map<std::string, std::string> raw;
    bool says_header_with_first_event = false;
    std::vector<std::string> asked;  // the targets, in their order

    // A container's inspection, and its place in the list.
    void put(const std::string& name, const std::string& address, const std::string& more_host_config = "",
             const std::string& labels = "");
    void remove(const std::string& name);
    void stop_container(const std::string& name);

    void send_event(const std::string& json);
    // Of a container by its name; its id is "id-" and the name.
    void send_container_event(const std::string& action, const std::string& name);
    bool is_followed() const { return events_ != nullptr; }
    void cut_events();
    // Refuses connections from here on, and ends those there are.
    void go();
    void come();

private:
    void list();
    boost::asio::awaitable<void> accept(std::shared_ptr<boost::asio::local::stream_protocol::acceptor> acceptor);
    boost::asio::awaitable<void> serve(std::shared_ptr<Socket> socket);

    boost::asio::io_context& context_;
    std::string path_;
    std::shared_ptr<boost::asio::local::stream_protocol::acceptor> acceptor_;
    std::shared_ptr<Socket> events_;
    bool header_sent_ = false;
    std::map<std::string, bool> running_;
};

}  // namespace nftlink::engine
