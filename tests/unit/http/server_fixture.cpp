#include "server_fixture.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <sstream>

#include "nftlink/http/listen.hpp"

namespace nftlink::http {

namespace {

// Takes the chunks out; nothing while the last is missing.
std::optional<std::string> take_chunks(std::string& text) {
    std::string result;
    for (std::size_t at = 0;;) {
        const std::size_t eol = text.find("\r\n", at);
        if (eol == std::string::npos)
            return {};
        const std::size_t size = std::stoul(text.substr(at, eol - at), nullptr, 16);
        if (text.size() < eol + 2 + size + 2)
            return {};
        result += text.substr(eol + 2, size);
        at = eol + 2 + size + 2;
        if (size == 0) {
            text.erase(0, at);
            return result;
        }
    }
}

}  // namespace

Answer take_answer(std::string& received, bool head_only) {
    Answer answer;
    const std::size_t end = received.find("\r\n\r\n");
    if (end == std::string::npos)
        return answer;
    std::istringstream head(received.substr(0, end + 2));
    std::string version;
    std::string line;
    head >> version >> answer.status;
    answer.head["version"] = version;
    std::getline(head, line);
    while (std::getline(head, line)) {
        const std::size_t colon = line.find(": ");
        answer.head[line.substr(0, colon)] = line.substr(colon + 2, line.size() - colon - 3);
    }
    std::string rest = received.substr(end + 4);
    if (head_only || answer.status == 100) {
        answer.complete = true;
    } else if (answer.head.contains("Transfer-Encoding")) {
        if (const auto body = take_chunks(rest)) {
            answer.body = *body;
            answer.complete = true;
        }
    } else if (answer.head.contains("Content-Length")) {
        const std::size_t size = std::stoul(answer.head["Content-Length"]);
        if (rest.size() >= size) {
            answer.body = rest.substr(0, size);
            rest.erase(0, size);
            answer.complete = true;
        }
    }
    if (answer.complete)
        received = rest;
    return answer;
}

HttpFixture::HttpFixture() : work_(context_->get_executor()) {}

HttpFixture::~HttpFixture() {
    stop();
    if (context_)
        settle();
}

void HttpFixture::start(Server::Handler handler, Limits limits) {
    stop();
    server_ = std::make_unique<Server>(context_->get_executor(), listen(path_, {}, false).descriptor, limits,
                                       std::move(handler),
                                       [](unsigned status, const std::string& code, const std::string& message) {
                                           return fmt::format("{} {}: {}", status, code, message);
                                       });
}

void HttpFixture::destroy_context() {
    work_.reset();
    context_.reset();
}

int connect_to(const std::string& path, int flags) {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    if (fd >= 0 && connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
        return fd;
    if (fd >= 0)
        ::close(fd);
    return -1;
}

// Not waited for by the kernel: the server that has to make room in the queue is on this thread.
RawClient::RawClient(HttpFixture& fixture) : fixture_(fixture) {
    EXPECT_TRUE(fixture.until([&] {
        fd_ = connect_to(fixture.path(), SOCK_NONBLOCK);
        return fd_ >= 0;
    })) << "not connected";
}

std::size_t RawClient::send_some(std::string_view text) {
    const auto size = ::send(fd_, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return size < 0 ? 0 : static_cast<std::size_t>(size);
}

void RawClient::send(std::string_view text) {
    EXPECT_TRUE(fixture_.until([&] {
        text.remove_prefix(send_some(text));
        return text.empty();
    })) << "not taken: "
        << text.size() << " bytes";
}

void RawClient::poll() {
    char bytes[65536];
    for (;;) {
        const auto size = recv(fd_, bytes, sizeof bytes, MSG_DONTWAIT);
        if (size > 0)
            received.append(bytes, static_cast<std::size_t>(size));
        ended = ended || size == 0 || (size < 0 && errno != EAGAIN);
        if (size <= 0)
            return;
    }
}

Answer RawClient::answer(bool head_only) {
    Answer result;
    EXPECT_TRUE(fixture_.until([&] {
        poll();
        result = take_answer(received, head_only);
        return result.complete || ended;
    })) << "no answer but: "
        << received;
    return result;
}

bool RawClient::ends(milliseconds limit) {
    return fixture_.until(
        [&] {
            poll();
            return ended;
        },
        limit);
}

bool RawClient::has(std::string_view text) {
    return fixture_.until([&] {
        poll();
        return received.find(text) != std::string::npos || ended;
    }) && received.find(text) != std::string::npos;
}

void RawClient::half_close() {
    shutdown(fd_, SHUT_WR);
}

void RawClient::close() {
    if (fd_ >= 0)
        ::close(fd_);
    fd_ = -1;
}

}  // namespace nftlink::http
