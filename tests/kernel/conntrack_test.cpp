// Connections that end with their link, and those that don't.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <system_error>

#include "fixture.hpp"
#include "nftlink/reconcile/reconcile.hpp"

namespace nftlink::test {
namespace {

constexpr const char* bridge = "docker0";
constexpr std::chrono::milliseconds patience{400};

sockaddr_in6 endpoint(const std::string& address, std::uint16_t port) {
    // IPv4 too, as IPv6 sockets write it.
    const std::string text = address.find(':') == std::string::npos ? "::ffff:" + address : address;
    sockaddr_in6 made{};
    made.sin6_family = AF_INET6;
    made.sin6_port = htons(port);
    inet_pton(AF_INET6, text.c_str(), &made.sin6_addr);
    return made;
}

int open(const Namespace& space) {
    const Inside inside(space);
    const int descriptor = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1, off = 0;
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    return descriptor;
}

// A tcp connection with both its ends.
class Connection {
public:
    Connection(const Namespace& client, const Namespace& server, const std::string& address, std::uint16_t port)
        : client_(open(client)), server_(accepted(client_, server, endpoint(address, port))) {}

    // Whether a byte comes through; both ways, since neither end may reach the other.
    bool forth() { return carries(client_, server_); }
    bool back() { return carries(server_, client_); }

private:
    static int accepted(const Descriptor& client, const Namespace& space, const sockaddr_in6& to) {
        const Descriptor listener(open(space));
        const auto* address = reinterpret_cast<const sockaddr*>(&to);
        if (bind(listener.number(), address, sizeof to) != 0 || listen(listener.number(), 1) != 0 ||
            connect(client.number(), address, sizeof to) != 0)
            throw std::system_error(errno, std::generic_category(), "connect");
        return accept(listener.number(), nullptr, nullptr);
    }

    static bool carries(const Descriptor& from, const Descriptor& to) {
        pollfd readable{to.number(), POLLIN, 0};
        char byte = 'x';
        return send(from.number(), &byte, 1, MSG_NOSIGNAL) == 1 &&
               poll(&readable, 1, static_cast<int>(patience.count() * slowness())) == 1 &&
               recv(to.number(), &byte, 1, 0) == 1;
    }

    Descriptor client_, server_;
};

class Conntrack : public KernelTest, public testing::WithParamInterface<std::array<const char*, 2>> {
protected:
    void SetUp() override {
        KernelTest::SetUp();
        if (IsSkipped())
            return;
        add_bridge(host(), bridge);
        child_.emplace(host(), bridge, std::vector<std::string>{child()});
        parent_.emplace(host(), bridge, std::vector<std::string>{parent()});
    }

    static const char* child() { return GetParam()[0]; }
    static const char* parent() { return GetParam()[1]; }

    // The parent is linked to a child with these ports.
    void apply(const std::vector<std::string>& ports) {
        const auto links = topology({container("redis", bridge, {child()}, ports),
                                     container("web", bridge, {parent()}, {}, {{"redis", "db"}})});
        const auto outcome = reconcile::apply(kernel(), reconcile::make_target(links, {}));
        ASSERT_TRUE(outcome) << outcome.error();
        ASSERT_TRUE(outcome->done.warnings.empty()) << outcome->done.warnings.front();
    }

    kernel::Flow flow(std::uint16_t port) const {
        const auto bytes = [](const char* address) {
            const auto parsed = model::Address::parse(address).value();
            return std::vector<std::uint8_t>(parsed.bytes().begin(), parsed.bytes().end());
        };
        return {bytes(parent()), bytes(child()), IPPROTO_TCP, port};
    }

    Connection connect(std::uint16_t port) { return {parent_->space(), child_->space(), child(), port}; }

private:
    std::optional<Guest> child_, parent_;
};

TEST_P(Conntrack, AConnectionEndsWithItsLinkAndTheOtherOneLives) {
    apply({"6379/tcp", "6380/tcp"});
    Connection ending = connect(6379), other = connect(6380);
    apply({"6380/tcp"});
    EXPECT_TRUE(ending.forth() && ending.back()) << "what is established lives on by itself";
    std::vector<kernel::Flow> flows{flow(6379)};
    for (std::uint16_t port = 10'000; port < 20'000; ++port)
        flows.push_back(flow(port));
    const auto ended = kernel().end_connections(flows);
    ASSERT_TRUE(ended) << ended.error();
    EXPECT_EQ(*ended, 1u);
    EXPECT_FALSE(ending.back());
    EXPECT_FALSE(ending.forth());
    EXPECT_TRUE(other.forth() && other.back());
    EXPECT_EQ(kernel().end_connections(flows).value(), 0u) << "gone already";
}

TEST_P(Conntrack, WhatStillIsLinkedGoesOnAsANewConnection) {
    apply({"6379/tcp"});
    Connection linked = connect(6379);
    EXPECT_EQ(kernel().end_connections({flow(6379)}).value(), 1u);
    EXPECT_TRUE(linked.forth() && linked.back());
}

TEST_P(Conntrack, EntriesOfAZoneEndToo) {
    host().run(
        "nft 'table inet zones { chain c { type filter hook prerouting priority raw; meta l4proto tcp ct zone set 7; "
        "}; }'");
    apply({"6379/tcp"});
    Connection linked = connect(6379);
    apply({});
    EXPECT_TRUE(linked.forth());
    EXPECT_EQ(kernel().end_connections({flow(6379)}).value(), 1u);
    EXPECT_FALSE(linked.forth());
}

// The one that began at the child's end is another flow.
TEST_P(Conntrack, TheDirectionCounts) {
    apply({"6379/tcp"});
    Connection linked = connect(6379);
    kernel::Flow reversed = flow(6379);
    std::swap(reversed.source, reversed.destination);
    EXPECT_EQ(kernel().end_connections({reversed}).value(), 0u);
    EXPECT_EQ(kernel().end_connections({}).value(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Both, Conntrack,
                         testing::Values(std::array{"172.17.0.2", "172.17.0.3"}, std::array{"fd00::2", "fd00::3"}),
                         [](const auto& test) { return test.index == 0 ? "ipv4" : "ipv6"; });

}  // namespace
}  // namespace nftlink::test
