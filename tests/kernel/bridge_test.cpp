// What is peculiar to the bridge family.
#include <gmock/gmock.h>
#include <sys/socket.h>

#include "fixture.hpp"
#include "nftlink/enforce/plan.hpp"

namespace nftlink::test {
namespace {

using testing::HasSubstr;

constexpr const char* bridge = "docker0";
constexpr const char *child4 = "172.17.0.2", *parent4 = "172.17.0.3", *stranger4 = "172.17.0.4";

class BridgeTest : public KernelTest {
protected:
    void SetUp() override {
        KernelTest::SetUp();
        if (IsSkipped())
            return;
        if (!kernel().bridge_family()->names)
            GTEST_SKIP() << "this kernel has no nft_meta_bridge";
        add_bridge(host(), bridge);
        child_.emplace(host(), bridge, std::vector<std::string>{child4});
        parent_.emplace(host(), bridge, std::vector<std::string>{parent4});
        stranger_.emplace(host(), bridge, std::vector<std::string>{stranger4});
    }

    static model::FirewallPolicy policy(model::Replies replies = model::Replies::source_port) {
        model::FirewallPolicy made;
        made.family = model::Family::bridge;
        made.replies = replies;
        return made;
    }

    static model::Topology links() {
        return topology({container("redis", bridge, {child4}, {"6379/tcp", "53/udp"}),
                         container("web", bridge, {parent4}, {}, {{"redis", "db"}})});
    }

    void apply(const model::FirewallPolicy& policy) {
        const auto facts = enforce::host_facts(kernel(), {}, policy, kernel().bridges());
        ASSERT_TRUE(facts) << facts.error();
        const auto outcome = enforce::apply(kernel(), enforce::make_target(links(), policy, *facts));
        ASSERT_TRUE(outcome) << outcome.error();
        EXPECT_TRUE(outcome->done.warnings.empty());
        EXPECT_TRUE(outcome->done.switches.empty()) << "no bridge netfilter needed";
    }

    const Namespace& child() { return child_->space(); }
    const Namespace& parent() { return parent_->space(); }
    const Namespace& stranger() { return stranger_->space(); }

private:
    std::optional<Guest> child_, parent_, stranger_;
};

// The reason for the inet table beside the bridge's.
TEST_F(BridgeTest, WhatTheHostRoutesBackOntoTheBridgeMeetsThePolicyToo) {
    host().run("ip address add 172.17.0.1/16 dev docker0 && echo 1 >/proc/sys/net/ipv4/ip_forward");
    for (const Namespace* space : {&parent(), &stranger()})
        space->run(std::string("ip route add ") + child4 + "/32 via 172.17.0.1");
    // The answer takes the short way, where the bridge's own chain meets it: what counts is who reaches the child at
    // all.
    child().run(
        "nft add table ip seen && nft 'add chain ip seen input { type filter hook input priority 0; }' && nft add rule "
        "ip seen input ip saddr 172.17.0.4 counter");
    const auto reached = [&] { return child().run("nft list table ip seen").find("packets 0") == std::string::npos; };
    const Server linked(child(), SOCK_STREAM, child4, 6379);
    apply(policy());
    EXPECT_FALSE(tcp_connects(stranger(), child4, 6379));
    EXPECT_FALSE(reached());
    EXPECT_TRUE(tcp_connects(parent(), child4, 6379));
    ASSERT_TRUE(enforce::clear(kernel(), "nftlink"));
    EXPECT_TRUE(tcp_connects(stranger(), child4, 6379)) << "without rules the way round is open";
    EXPECT_TRUE(reached());
}

TEST_F(BridgeTest, LinkedPacketsPassWithBridgeNetfilterOnAsWell) {
    if (host().status("test -d /proc/sys/net/bridge") != 0)
        GTEST_SKIP() << "br_netfilter is not loaded";
    host().run("echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables");
    const Server linked(child(), SOCK_STREAM, child4, 6379);
    apply(policy());
    EXPECT_TRUE(tcp_connects(parent(), child4, 6379));
    EXPECT_FALSE(tcp_connects(stranger(), child4, 6379));
}

TEST_F(BridgeTest, ArpPassesColdCaches) {
    const Server linked(child(), SOCK_STREAM, child4, 6379);
    apply(policy());
    for (const Namespace* space : {&child(), &parent()})
        space->run("ip neighbour flush all");
    EXPECT_TRUE(tcp_connects(parent(), child4, 6379));
}

TEST_F(BridgeTest, ConnectionStateIsUsedOrRefusedWithTheAlternative) {
    const auto facts = enforce::host_facts(kernel(), {}, policy(model::Replies::established), kernel().bridges());
    ASSERT_EQ(facts.has_value(), kernel().bridge_family()->conntrack);
    if (!facts) {
        EXPECT_THAT(facts.error(), HasSubstr("nf_conntrack_bridge"));
        EXPECT_THAT(facts.error(), HasSubstr("say replies: source-port"));
        return;
    }
    const Server of_parent(parent(), SOCK_STREAM, parent4, 7000);
    apply(policy(model::Replies::established));
    {
        const Server linked(child(), SOCK_STREAM, child4, 6379);
        EXPECT_TRUE(tcp_connects(parent(), child4, 6379));
    }  // its port is needed
    EXPECT_FALSE(tcp_connects(child(), parent4, 7000, 6379, child4)) << "no new connections from the service port";
}

TEST_F(BridgeTest, ANewPortIsPoliced) {
    const Server other(child(), SOCK_STREAM, child4, 6380);
    apply(policy());
    const Guest late(host(), bridge, {"172.17.0.9"});
    EXPECT_FALSE(tcp_connects(late.space(), child4, 6380));
}

TEST_F(BridgeTest, AnotherBridgeIsLeftAlone) {
    add_bridge(host(), "br-other");
    const Guest one(host(), "br-other", {"172.18.0.2"}), two(host(), "br-other", {"172.18.0.3"});
    const Server server(one.space(), SOCK_STREAM, "172.18.0.2", 80);
    apply(policy());
    EXPECT_TRUE(tcp_connects(two.space(), "172.18.0.2", 80));
}

using BridgeKernelTest = KernelTest;

// Without names of bridges the family is refused, with the way out.
TEST_F(BridgeKernelTest, CanNameBridgesOrIsRefused) {
    model::FirewallPolicy policy;
    policy.family = model::Family::bridge;
    policy.replies = model::Replies::source_port;
    const auto facts = enforce::host_facts(kernel(), {}, policy, kernel().bridges());
    ASSERT_EQ(facts.has_value(), kernel().bridge_family()->names);
    if (!facts) {
        EXPECT_THAT(facts.error(), HasSubstr("nft_meta_bridge"));
        EXPECT_THAT(facts.error(), HasSubstr("say family: inet"));
    }
}

TEST_F(BridgeKernelTest, TheProbeLeavesNothingBehind) {
    const auto before = kernel().generation();
    ASSERT_TRUE(kernel().bridge_family());
    EXPECT_EQ(kernel().generation(), before);
    EXPECT_EQ(host().run("nft list ruleset"), "");
}

}  // namespace
}  // namespace nftlink::test
