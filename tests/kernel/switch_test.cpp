// From one family, layout and way of replies to another, under traffic: no packet of a linked connection is lost, and
// none of a stranger's passes, at any instant.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <random>
#include <thread>

#include "fixture.hpp"
#include "nftlink/enforce/plan.hpp"

namespace nftlink::test {
namespace {

using model::Family;
using model::Layout;
using model::Replies;
using std::chrono::milliseconds;

constexpr const char *child4 = "172.17.0.2", *parent4 = "172.17.0.3", *stranger4 = "172.17.0.4";
constexpr std::uint16_t service = 53;
constexpr std::chrono::microseconds pace{300};

sockaddr_in endpoint(const char* address, std::uint16_t port) {
    sockaddr_in made{};
    made.sin_family = AF_INET;
    made.sin_port = htons(port);
    inet_pton(AF_INET, address, &made.sin_addr);
    return made;
}

// A udp socket that sends numbers to a peer and counts what comes from there.
class Talker {
public:
    Talker(const Namespace& space, const char* address, std::uint16_t port, const char* peer, std::uint16_t peer_port)
        : socket_(open(space)), peer_(endpoint(peer, peer_port)) {
        const sockaddr_in local = endpoint(address, port);
        if (bind(socket_.number(), reinterpret_cast<const sockaddr*>(&local), sizeof local) != 0)
            throw std::system_error(errno, std::generic_category(), "bind");
        const int room = 1 << 22;
        setsockopt(socket_.number(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    }

    void send() {
        if (sendto(socket_.number(), &sent_, sizeof sent_, 0, reinterpret_cast<const sockaddr*>(&peer_),
                   sizeof peer_) == sizeof sent_)
            ++sent_;
    }
    // What has come by now from the peer, and from anyone else.
    std::uint64_t received() {
        read();
        return received_;
    }
    std::uint64_t from_others() {
        read();
        return from_others_;
    }
    std::uint64_t sent() const { return sent_; }

private:
    void read() {
        std::array<char, 64> buffer;
        sockaddr_in from{};
        socklen_t size = sizeof from;
        while (recvfrom(socket_.number(), buffer.data(), buffer.size(), MSG_DONTWAIT,
                        reinterpret_cast<sockaddr*>(&from), &size) > 0)
            ++(from.sin_addr.s_addr == peer_.sin_addr.s_addr ? received_ : from_others_);
    }

    static int open(const Namespace& space) {
        const Inside inside(space);
        return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    }

    Descriptor socket_;
    sockaddr_in peer_;
    std::uint64_t sent_ = 0, received_ = 0, from_others_ = 0;
};

// The linked pair talks both ways all the time, each end of its own accord; a stranger talks to the child, and the
// child to a port of the parent that no connection has.
class Traffic {
public:
    Traffic(const Namespace& child, const Namespace& parent, const Namespace& stranger)
        : up_(parent, parent4, 40000, child4, service),
          down_(child, child4, service, parent4, 40000),
          intruder_(stranger, stranger4, 40000, child4, service),
          unlinked_(parent, parent4, 40001, child4, 54),
          unlinked_end_(child, child4, 54, parent4, 40001) {}
    ~Traffic() { stop(); }

    // The first packet opens the connection.
    void start() {
        up_.send();
        std::this_thread::sleep_for(milliseconds(20));
        thread_ = std::thread([this] {
            while (!stopped_) {
                for (Talker* talker : {&down_, &up_, &intruder_, &unlinked_})
                    talker->send();
                // A stock host gives a socket room for some 500 packets.
                for (Talker* talker : {&down_, &up_, &unlinked_end_})
                    talker->received();
                std::this_thread::sleep_for(pace);
            }
        });
    }
    void stop() {
        stopped_ = true;
        if (thread_.joinable())
            thread_.join();
        std::this_thread::sleep_for(milliseconds(50));
    }

    std::uint64_t sent() const { return up_.sent() + down_.sent(); }
    std::uint64_t lost() { return sent() - up_.received() - down_.received(); }
    std::uint64_t strangers() { return unlinked_end_.received() + down_.from_others(); }
    std::uint64_t intruders() const { return intruder_.sent(); }

private:
    Talker up_, down_, intruder_, unlinked_, unlinked_end_;
    std::atomic<bool> stopped_ = false;
    std::thread thread_;
};

struct Mode {
    Family family;
    Layout layout;
    Replies replies;
    bool attached = false;
};

class SwitchTest : public KernelTest {
protected:
    void SetUp() override {
        KernelTest::SetUp();
        if (IsSkipped())
            return;
        add_bridge(host(), "docker0");
        child_.emplace(host(), "docker0", std::vector<std::string>{child4});
        parent_.emplace(host(), "docker0", std::vector<std::string>{parent4});
        stranger_.emplace(host(), "docker0", std::vector<std::string>{stranger4});
        host().run("nft add table ip fw && nft 'add chain ip fw forward { type filter hook forward priority 0; }'");
    }

    void apply(const Mode& mode) {
        model::FirewallPolicy policy;
        policy.family = mode.family;
        policy.layout = mode.layout;
        policy.replies = mode.replies;
        policy.bridges["docker0"];
        if (mode.attached)
            policy.attach = {{model::AttachPoint::Family::ip, "fw", "forward"}};
        const auto facts = enforce::host_facts(kernel(), {}, policy, kernel().bridges());
        ASSERT_TRUE(facts) << facts.error();
        const auto links = topology({container("dns", "docker0", {child4}, {"53/udp"}),
                                     container("web", "docker0", {parent4}, {}, {{"dns", "dns"}}),
                                     container("stranger", "docker0", {stranger4})});
        const auto target = enforce::make_target(links, policy, *facts);
        auto outcome = enforce::apply(kernel(), target);
        ASSERT_TRUE(outcome) << outcome.error();
        if (outcome->again_in == milliseconds(0))
            return;
        EXPECT_FALSE(outcome->done.switches.empty());
        std::this_thread::sleep_for(outcome->again_in);
        outcome = enforce::apply(kernel(), target);
        ASSERT_TRUE(outcome) << outcome.error();
        EXPECT_EQ(outcome->again_in, milliseconds(0)) << "finished";
        EXPECT_EQ(enforce::plan(kernel(), target)->transactions.size(), 0u);
    }

    // Goes through the modes in random order, each of them several times.
    void walk(std::vector<Mode> modes) {
        const std::vector<Mode> once = modes;
        while (modes.size() < 24)
            modes.insert(modes.end(), once.begin(), once.end());
        std::ranges::shuffle(modes, std::mt19937(7));
        apply(modes.front());
        Traffic traffic(child_->space(), parent_->space(), stranger_->space());
        traffic.start();
        for (const Mode& mode : modes) {
            apply(mode);
            std::this_thread::sleep_for(milliseconds(30));
        }
        expect_lossless(traffic);
    }

    static void expect_lossless(Traffic& traffic) {
        traffic.stop();
        EXPECT_GT(traffic.sent(), 500u);
        EXPECT_EQ(traffic.lost(), 0u) << "of " << traffic.sent();
        EXPECT_EQ(traffic.strangers(), 0u);
        EXPECT_GT(traffic.intruders(), 250u);
    }

    static std::vector<Mode> modes_of(const std::vector<Family>& families) {
        std::vector<Mode> modes;
        for (const Family family : families)
            for (const Layout layout : {Layout::sets, Layout::rules})
                for (const Replies replies : {Replies::established, Replies::source_port})
                    modes.push_back({family, layout, replies});
        return modes;
    }

    std::optional<Guest> child_, parent_, stranger_;
};

TEST_F(SwitchTest, BetweenInetAndIp) {
    walk(modes_of({Family::inet, Family::ip}));
}

TEST_F(SwitchTest, BetweenOurOwnTableAndAnothersChain) {
    auto modes = modes_of({Family::inet});
    for (const Replies replies : {Replies::established, Replies::source_port})
        modes.push_back({Family::inet, Layout::rules, replies, true});
    walk(modes);
}

TEST_F(SwitchTest, BetweenTheBridgeFamilyAndInet) {
    if (!kernel().bridge_family()->names)
        GTEST_SKIP() << "this kernel has no nft_meta_bridge";
    auto modes = modes_of({Family::inet});
    for (const Layout layout : {Layout::sets, Layout::rules})
        modes.push_back({Family::bridge, layout, Replies::source_port});
    if (kernel().bridge_family()->conntrack)
        modes.push_back({Family::bridge, Layout::sets, Replies::established});
    walk(modes);
}

// What was connected under replies by port is known to the connection tracking all the same.
TEST_F(SwitchTest, FromRepliesByPortToConnectionState) {
    for (const Family family : {Family::inet, Family::ip})
        for (const Layout layout : {Layout::sets, Layout::rules}) {
            apply({family, layout, Replies::source_port});
            Traffic traffic(child_->space(), parent_->space(), stranger_->space());
            traffic.start();
            std::this_thread::sleep_for(milliseconds(300));
            apply({family, layout, Replies::established});
            std::this_thread::sleep_for(milliseconds(300));
            expect_lossless(traffic);
            ASSERT_TRUE(enforce::clear(kernel(), "nftlink"));
        }
}

// The first time, bridge netfilter has to be switched on, and nothing has been tracked.
TEST_F(SwitchTest, FromTheBridgeFamilyToInetForTheFirstTime) {
    if (!kernel().bridge_family()->names)
        GTEST_SKIP() << "this kernel has no nft_meta_bridge";
    apply({Family::bridge, Layout::sets, Replies::source_port});
    Traffic traffic(child_->space(), parent_->space(), stranger_->space());
    traffic.start();
    apply({Family::inet, Layout::sets, Replies::established});
    EXPECT_EQ(host().run("nft list tables"), "table ip fw\ntable inet nftlink\ntable bridge nftlink-frames\n")
        << "nothing is left over";
    expect_lossless(traffic);
}

}  // namespace
}  // namespace nftlink::test
