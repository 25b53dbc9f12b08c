#include "fake_engine.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstdlib>
#include <filesystem>

namespace nftlink::engine {

namespace asio = boost::asio;
using asio::local::stream_protocol;
using boost::system::error_code;

namespace {

constexpr const char* events_header =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string response(const std::string& body, const char* status = "200 OK") {
    return fmt::format("HTTP/1.1 {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}", status,
                       body.size(), body);
}

}  // namespace

FakeEngine::FakeEngine(asio::io_context& context) : context_(context) {
    std::string folder = "/tmp/nftlink-engine-XXXXXX";
    path_ = std::string(::mkdtemp(folder.data())) + "/docker.sock";
    answers["/version"] = R"({"Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12"})";
    answers["/v1.41/networks"] =
        R"([{"Id": "net0", "Name": "bridge", "Driver": "bridge", "Options": {"com.docker.network.bridge.name": "docker0"}}])";
    list();
    come();
}

FakeEngine::~FakeEngine() {
    go();
    std::filesystem::remove_all(std::filesystem::path(path_).parent_path());
}

void FakeEngine::put(const std::string& name, const std::string& address, const std::string& more_host_config,
                     const std::string& labels) {
    const bool runs = !address.empty();
    answers["/v1.41/containers/id-" + name + "/json"] = fmt::format(
        R"({{"Id": "id-{0}", "Name": "/{0}", "State": {{"Running": {2}, "StartedAt": "2026-11-25T02:00:00.5Z"}},
            "HostConfig": {{{3}}}, "Config": {{"ExposedPorts": {{"6379/tcp": {{}}}}, "Env": ["A=1"], "Labels": {{{4}}}}},
            "NetworkSettings": {{"Networks": {{"bridge": {{"NetworkID": "net0", "IPAddress": "{1}"}}}}}}}})",
        name, address, runs, more_host_config, labels);
    running_[name] = runs;
    list();
}

void FakeEngine::stop_container(const std::string& name) {
    put(name, "");
}

void FakeEngine::remove(const std::string& name) {
    answers.erase("/v1.41/containers/id-" + name + "/json");
    running_.erase(name);
    list();
}

void FakeEngine::list() {
    std::string text;
    for (const auto& [name, runs] : running_)
        text += fmt::format(R"({}{{"Id": "id-{}", "State": "{}"}})", text.empty() ? "" : ",", name,
                            runs ? "running" : "exited");
    answers["/v1.41/containers/json?all=1"] = "[" + text + "]";
}

void FakeEngine::send_event(const std::string& json) {
    if (events_ == nullptr)
        return;
    const std::string line = json + "\n";
    std::string bytes = header_sent_ ? "" : events_header;
    header_sent_ = true;
    bytes += fmt::format("{:x}\r\n{}\r\n", line.size(), line);
    error_code ignored;
    asio::write(*events_, asio::buffer(bytes), ignored);
}

void FakeEngine::send_container_event(const std::string& action, const std::string& name) {
    send_event(fmt::format(R"({{"Type": "container", "Action": "{}", "Actor": {{"ID": "id-{}"}}}})", action, name));
}

void FakeEngine::cut_events() {
    if (events_ != nullptr)
        events_->close();
    events_.reset();
}

void FakeEngine::go() {
    cut_events();
    if (acceptor_ != nullptr)
        acceptor_->close();
    acceptor_.reset();
    ::unlink(path_.c_str());
}

void FakeEngine::come() {
    acceptor_ = std::make_shared<stream_protocol::acceptor>(context_, stream_protocol::endpoint(path_));
    asio::co_spawn(context_, accept(acceptor_), asio::detached);
}

asio::awaitable<void> FakeEngine::accept(std::shared_ptr<stream_protocol::acceptor> acceptor) {
    for (;;) {
        auto socket = std::make_shared<Socket>(context_);
        error_code error;
        co_await acceptor->async_accept(*socket, asio::redirect_error(asio::use_awaitable, error));
        if (error)
            co_return;
        asio::co_spawn(context_, serve(socket), asio::detached);
    }
}

asio::awaitable<void> FakeEngine::serve(std::shared_ptr<Socket> socket) {
    std::string request;
    error_code error;
    co_await asio::async_read_until(*socket, asio::dynamic_buffer(request), "\r\n\r\n",
                                    asio::redirect_error(asio::use_awaitable, error));
    if (error)
        co_return;
    const std::size_t begin = request.find(' ') + 1;
    const std::string target = request.substr(begin, request.find(' ', begin) - begin);
    asked.push_back(target);
    std::string bytes;
    if (const auto found = raw.find(target); found != raw.end())
        bytes = found->second;
    else if (target.starts_with("/v1.41/events"))
        bytes = says_header_with_first_event ? "" : events_header;
    else if (const auto answer = answers.find(target); answer != answers.end())
        bytes = response(answer->second);
    else
        bytes = response(R"({"message": "page not found"})", "404 Not Found");
    co_await asio::async_write(*socket, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, error));
    const bool stays_open = raw.contains(target) || target.starts_with("/v1.41/events");
    if (!stays_open)
        co_return;
    if (!raw.contains(target)) {
        events_ = socket;
        header_sent_ = !says_header_with_first_event;
    }
    char end = 0;  // until the other end goes
    co_await socket->async_read_some(asio::buffer(&end, 1), asio::redirect_error(asio::use_awaitable, error));
}

}  // namespace nftlink::engine
