// The bridges as they are followed, against the same read at once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "fixture.hpp"

namespace nftlink::test {
namespace {

using testing::ElementsAre;

class BridgesTest : public KernelTest {
protected:
    static kernel::Bridges read_at_once() { return kernel::make_netlink_kernel()->bridges(); }

    // Apart from how often they have changed.
    testing::AssertionResult follows() {
        kernel::Bridges fresh = read_at_once(), followed = kernel().bridges();
        fresh.revision = followed.revision;
        if (fresh == followed)
            return testing::AssertionSuccess();
        return testing::AssertionFailure() << describe(followed) << " is followed, and there are " << describe(fresh);
    }

    static std::string describe(const kernel::Bridges& bridges) {
        std::string text;
        for (const kernel::Bridge& bridge : bridges.bridges) {
            text += bridge.name + " (" + std::to_string(bridge.index) + ", " + std::to_string(bridge.own.ipv4);
            for (const std::string& port : bridge.ports)
                text += ' ' + port;
            text += ") ";
        }
        for (const std::string& name : bridges.others)
            text += name + ' ';
        return text;
    }
};

TEST_F(BridgesTest, FollowsWhateverIsDoneToLinks) {
    std::mt19937 random(20261128);
    const auto one_of = [&](const std::string& kind) { return kind + std::to_string(random() % 4); };
    const auto some = [&] { return one_of(random() % 2 == 0 ? "br" : "port"); };
    const auto action = [&]() -> std::string {
        const std::string bridge = one_of("br"), port = one_of("port"), other = some(), name = some();
        switch (random() % 12) {
            case 0:
                return "link del " + other;
            case 1:
            case 2:
                return "link add " + bridge + " type bridge\\nlink set " + bridge + " up";
            case 3:
            case 4:
                return "link add " + port + " type veth peer name far-" + port;
            case 5:
                return "link set " + port + " nomaster";
            case 6:
                return "link set " + other + " down\\nlink set " + other + " name " + name + "\\nlink set " + name +
                       " up";
            case 7:
                return "link set " + bridge + " type bridge nf_call_iptables " + std::to_string(random() % 2);
            default:
                return "link set " + port + " master " + bridge;
        }
    };
    std::size_t ports = 0;
    for (int round = 0; round < 60; ++round) {
        std::string batch;
        for (int count = 0; count < 6; ++count)
            batch += action() + "\\n";
        host().run("printf '" + batch + "' | ip -force -batch - >/dev/null 2>&1 || true");
        ASSERT_TRUE(follows()) << "after " << batch;
        for (const kernel::Bridge& bridge : kernel().bridges().bridges)
            ports += bridge.ports.size();
    }
    EXPECT_GT(ports, 60u) << "and there was much to follow";
}

TEST_F(BridgesTest, ReadsThemAgainWhenMessagesWereLost) {
    host().run("ip link add br0 type bridge; ip link add port0 type veth peer name port1");
    EXPECT_TRUE(follows());
    // More than the buffer of the socket holds.
    host().run(
        "for n in $(seq 4000); do echo link set port0 mtu $((1000 + n)); echo link set port0 mtu 900; done | ip -batch "
        "-");
    host().run("ip link add br1 type bridge; ip link set port0 master br1; ip link del br0");
    EXPECT_TRUE(follows());
    const kernel::Bridge* bridge = kernel().bridges().find("br1");
    ASSERT_NE(bridge, nullptr);
    EXPECT_THAT(bridge->ports, ElementsAre("port0"));
}

TEST_F(BridgesTest, WhatChangesNothingIsNoRevision) {
    host().run(
        "ip link add br0 type bridge; ip link add port0 type veth peer name port1; ip link set port0 master br0");
    const auto revision = kernel().bridges().revision;
    host().run("ip link set port0 up; ip link set port1 up; ip link set port0 mtu 1400");
    EXPECT_EQ(kernel().bridges().revision, revision);
    host().run("ip link set port0 nomaster");
    EXPECT_GT(kernel().bridges().revision, revision);
}

// The kernel says nothing of a bridge that is down.
TEST_F(BridgesTest, KnowsTheSwitchesThatWeHaveTurnedOnOfABridgeThatIsDown) {
    host().run("ip link add br0 type bridge");
    kernel().bridges();
    ASSERT_TRUE(kernel().enable_bridge_netfilter("br0", {true, false}));
    EXPECT_EQ(kernel().bridges().find("br0")->own, (kernel::BridgeNetfilter{true, false}));
    EXPECT_TRUE(follows());
    host().run("ip link set br0 type bridge nf_call_iptables 0; ip link set br0 up");
    EXPECT_TRUE(follows()) << "as soon as anything can pass it";
    host().run("ip link set br0 down; ip link set br0 type bridge nf_call_iptables 1");
    EXPECT_EQ(kernel().bridges().find("br0")->own, kernel::BridgeNetfilter{}) << "nothing was told";
    EXPECT_EQ(kernel().bridges(kernel::Kernel::Look::closely).find("br0")->own, (kernel::BridgeNetfilter{true, false}));
}

}  // namespace
}  // namespace nftlink::test
