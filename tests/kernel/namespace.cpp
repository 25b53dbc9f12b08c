#include "namespace.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <system_error>
#include <utility>

namespace nftlink::test {

namespace {

constexpr std::chrono::milliseconds usual_patience{250};  // far over what a packet needs between two namespaces

[[noreturn]] void fail(const std::string& what) {
    throw std::system_error(errno, std::generic_category(), what);
}

bool write_file(const char* path, const std::string& text) {
    std::ofstream file(path);
    return static_cast<bool>(file << text << std::flush);
}

int open_current_namespace() {
    const int descriptor = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        fail("open network namespace");
    return descriptor;
}

int make_namespace() {
    const Descriptor before(open_current_namespace());
    if (unshare(CLONE_NEWNET) != 0)
        fail("unshare");
    write_file("/proc/sys/net/bridge/bridge-nf-call-iptables", "0");
    write_file("/proc/sys/net/bridge/bridge-nf-call-ip6tables", "0");
    const int made = open_current_namespace();
    if (setns(before.number(), CLONE_NEWNET) != 0)
        fail("setns");
    return made;
}

struct Endpoint {
    sockaddr_storage storage{};
    socklen_t size = 0;
    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Endpoint endpoint(const std::string& address, std::uint16_t port) {
    Endpoint made;
    auto* ipv4 = reinterpret_cast<sockaddr_in*>(&made.storage);
    auto* ipv6 = reinterpret_cast<sockaddr_in6*>(&made.storage);
    if (inet_pton(AF_INET, address.c_str(), &ipv4->sin_addr) == 1) {
        ipv4->sin_family = AF_INET;
        ipv4->sin_port = htons(port);
        made.size = sizeof *ipv4;
    } else {
        if (inet_pton(AF_INET6, address.c_str(), &ipv6->sin6_addr) != 1)
            fail("not an address: " + address);
        ipv6->sin6_family = AF_INET6;
        ipv6->sin6_port = htons(port);
        made.size = sizeof *ipv6;
    }
    return made;
}

int open_socket(const Namespace& space, int type, const Endpoint& local) {
    const Inside inside(space);
    const int descriptor = socket(local.storage.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int on = 1;
    if (descriptor < 0 || setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(descriptor, local.get(), local.size) != 0)
        fail("bind");
    return descriptor;
}

bool ready(int descriptor, short events, int times = 1) {
    pollfd wanted{descriptor, events, 0};
    return poll(&wanted, 1, static_cast<int>(usual_patience.count() * slowness()) * times) == 1;
}

bool byte_comes(int descriptor, int times) {
    char byte = 0;
    return ready(descriptor, POLLIN, times) && recv(descriptor, &byte, 1, 0) == 1;
}

std::string any_address(const std::string& like) {
    return like.find(':') == std::string::npos ? "0.0.0.0" : "::";
}

}  // namespace

int slowness() {
    const char* text = std::getenv("NFTLINK_TEST_PATIENCE");
    return text == nullptr ? 1 : std::max(1, std::atoi(text));
}

std::optional<std::string> isolate_process() {
    const auto user = getuid();
    const auto group = getgid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) != 0)
        return fmt::format("no user namespaces here: {}", std::strerror(errno));
    write_file("/proc/self/setgroups", "deny");
    if (!write_file("/proc/self/uid_map", fmt::format("0 {} 1", user)) ||
        !write_file("/proc/self/gid_map", fmt::format("0 {} 1", group)))
        return "the user namespace cannot be mapped";
    if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        return "the mount namespace cannot be made private";
    return {};
}

Descriptor::~Descriptor() {
    if (number_ >= 0)
        close(number_);
}

Descriptor::Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

Namespace::Namespace() : descriptor_(make_namespace()) {
    run("ip link set lo up");
}

std::string Namespace::run(const std::string& command) const {
    const Inside inside(*this);
    FILE* pipe = popen(fmt::format("{{ {}\n}} 2>&1", command).c_str(), "r");
    if (pipe == nullptr)
        fail("popen");
    std::string output;
    std::array<char, 4096> buffer;
    while (const std::size_t size = fread(buffer.data(), 1, buffer.size(), pipe))
        output.append(buffer.data(), size);
    const int status = pclose(pipe);
    EXPECT_EQ(status, 0) << command << "\n" << output;
    return output;
}

int Namespace::status(const std::string& command) const {
    const Inside inside(*this);
    const int status = std::system(fmt::format("{{ {}\n}} >/dev/null 2>&1", command).c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Inside::Inside(const Namespace& space) : before_(open_current_namespace()) {
    if (setns(space.descriptor(), CLONE_NEWNET) != 0)
        fail("setns");
}

Inside::~Inside() {
    setns(before_.number(), CLONE_NEWNET);
}

Guest::Guest(const Namespace& host, const std::string& bridge, const std::vector<std::string>& addresses) {
    static int count = 0;
    const std::string leg = fmt::format("leg{}", ++count);
    host.run(
        fmt::format("ip link add {} type veth peer name eth0 netns /proc/{}/fd/{} && ip link set {} master '{}' up",
                    leg, getpid(), space_.descriptor(), leg, bridge));
    space_.run("ip link set eth0 up");
    // A busy kernel tells the bridge of the carrier a little later: until then what is sent is lost.
    host.run(
        fmt::format("for attempt in $(seq 200); do"
                    " ip -d link show {} | grep -q 'state forwarding' && exit; sleep 0.01; done; exit 1",
                    leg));
    for (const std::string& address : addresses) {
        const bool ipv4 = address.find(':') == std::string::npos;
        space_.run(fmt::format("ip address add {}/{} dev eth0 {}", address, ipv4 ? 16 : 64, ipv4 ? "" : "nodad"));
    }
}

void add_bridge(const Namespace& host, const std::string& name) {
    host.run(fmt::format("ip link add '{0}' type bridge && ip link set '{0}' up", name));
}

Server::Server(const Namespace& space, int type, const std::string& address, std::uint16_t port)
    : socket_(open_socket(space, type, endpoint(address, port))) {
    constexpr int backlog = 16;
    if (type == SOCK_STREAM && listen(socket_.number(), backlog) != 0)
        fail("listen");
}

void Server::echo() const {
    std::array<char, 64> buffer;
    Endpoint peer;
    peer.size = sizeof peer.storage;
    if (!ready(socket_.number(), POLLIN))
        return;
    const ssize_t size = recvfrom(socket_.number(), buffer.data(), buffer.size(), 0,
                                  reinterpret_cast<sockaddr*>(&peer.storage), &peer.size);
    if (size > 0)
        static_cast<void>(
            sendto(socket_.number(), buffer.data(), static_cast<std::size_t>(size), 0, peer.get(), peer.size));
}

Flow::Flow(const Namespace& space, const std::string& address, std::uint16_t port, const std::string& peer,
           std::uint16_t peer_port)
    : socket_(open_socket(space, SOCK_DGRAM, endpoint(address, port))) {
    const Endpoint remote = endpoint(peer, peer_port);
    if (connect(socket_.number(), remote.get(), remote.size) != 0)
        fail("connect");
}

bool Flow::reaches(const Flow& other) const {
    char byte = 'x';
    while (recv(other.socket_.number(), &byte, 1, 0) == 1) {
    }
    return ::send(socket_.number(), &byte, 1, 0) == 1 && ready(other.socket_.number(), POLLIN) &&
           recv(other.socket_.number(), &byte, 1, 0) == 1;
}

bool Flow::is_refused() const {
    ready(socket_.number(), 0);
    int error = 0;
    socklen_t size = sizeof error;
    return getsockopt(socket_.number(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == ECONNREFUSED;
}

Connection::Connection(const Namespace& from, const std::string& from_address, const Namespace& to,
                       const std::string& to_address, std::uint16_t port)
    : listening_(open_socket(to, SOCK_STREAM, endpoint(to_address, port))),
      above_(open_socket(from, SOCK_STREAM, endpoint(from_address, 0))),
      below_([&] {
          const Endpoint remote = endpoint(to_address, port);
          if (listen(listening_.number(), 1) != 0 ||
              (connect(above_.number(), remote.get(), remote.size) != 0 && errno != EINPROGRESS) ||
              !ready(listening_.number(), POLLIN))
              fail("a connection");
          return accept4(listening_.number(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      }()) {
    if (below_.number() < 0)
        fail("accept");
}

void Connection::send_up() const {
    EXPECT_EQ(::send(below_.number(), "x", 1, MSG_NOSIGNAL), 1);
}

void Connection::send_down() const {
    EXPECT_EQ(::send(above_.number(), "x", 1, MSG_NOSIGNAL), 1);
}

bool Connection::arrives_below(int times) const {
    return byte_comes(below_.number(), times);
}

bool Connection::arrives_above(int times) const {
    return byte_comes(above_.number(), times);
}

bool tcp_connects(const Namespace& from, const std::string& address, std::uint16_t port, std::uint16_t source_port,
                  const std::string& source_address) {
    const std::string local = source_address.empty() ? any_address(address) : source_address;
    const Descriptor socket(open_socket(from, SOCK_STREAM, endpoint(local, source_port)));
    const Endpoint remote = endpoint(address, port);
    if (connect(socket.number(), remote.get(), remote.size) != 0 && errno != EINPROGRESS)
        return false;
    int error = 0;
    socklen_t size = sizeof error;
    return ready(socket.number(), POLLOUT) && getsockopt(socket.number(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 &&
           error == 0;
}

bool udp_answers(const Namespace& from, const Server& server, const std::string& address, std::uint16_t port) {
    const Descriptor socket(open_socket(from, SOCK_DGRAM, endpoint(any_address(address), 0)));
    const Endpoint remote = endpoint(address, port);
    if (sendto(socket.number(), "hello", 5, 0, remote.get(), remote.size) != 5)
        return false;
    server.echo();
    return ready(socket.number(), POLLIN);
}

}  // namespace nftlink::test
