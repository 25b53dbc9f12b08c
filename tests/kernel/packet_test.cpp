// Real packets on a real bridge, with the namespace's global bridge netfilter switches at 0: only the bridge's own are
// on.
#include <fmt/format.h>
#include <sys/socket.h>

#include "fixture.hpp"
#include "nftlink/enforce/plan.hpp"

namespace nftlink::test {
namespace {

using model::Family;
using model::Layout;
using model::Replies;

constexpr const char* bridge = "docker0";
constexpr const char *child4 = "172.17.0.2", *parent4 = "172.17.0.3", *stranger4 = "172.17.0.4";
constexpr const char *child6 = "fd00::2", *parent6 = "fd00::3", *stranger6 = "fd00::4";

struct Mode {
    Family family;
    Layout layout;
    Replies replies;
};

std::string name_of(const Mode& mode) {
    const std::string family = mode.family == Family::inet ? "inet" : mode.family == Family::ip ? "ip" : "bridge";
    return fmt::format("{}_{}_{}", family, mode.layout == Layout::sets ? "sets" : "rules",
                       mode.replies == Replies::established ? "established" : "source_port");
}

class PacketTest : public KernelTest, public testing::WithParamInterface<Mode> {
protected:
    void SetUp() override {
        KernelTest::SetUp();
        if (IsSkipped())
            return;
        if (GetParam().family == Family::bridge && !kernel().bridge_family()->names)
            GTEST_SKIP() << "this kernel has no nft_meta_bridge";
        if (GetParam().family == Family::bridge && GetParam().replies == Replies::established &&
            !kernel().bridge_family()->conntrack)
            GTEST_SKIP() << "this kernel has no nf_conntrack_bridge";
        add_bridge(host(), bridge);
        child_.emplace(host(), bridge, std::vector<std::string>{child4, child6});
        parent_.emplace(host(), bridge, std::vector<std::string>{parent4, parent6});
        stranger_.emplace(host(), bridge, std::vector<std::string>{stranger4, stranger6});
    }

    void apply(model::Icc icc = model::Icc::deny, bool base_rules = false) {
        model::FirewallPolicy policy;
        policy.family = GetParam().family;
        policy.layout = GetParam().layout;
        policy.replies = GetParam().replies;
        policy.bridges[bridge] = {icc, base_rules};
        const auto facts = enforce::host_facts(kernel(), {}, policy, kernel().bridges());
        ASSERT_TRUE(facts) << facts.error();
        const auto target =
            enforce::make_target(topology({container("redis", bridge, {child4, child6}, {"6379/tcp", "53/udp"}),
                                           container("web", bridge, {parent4, parent6}, {}, {{"redis", "db"}}),
                                           container("stranger", bridge, {stranger4, stranger6})}),
                                 policy, *facts);
        const auto outcome = enforce::apply(kernel(), target);
        ASSERT_TRUE(outcome) << outcome.error();
        ASSERT_TRUE(outcome->done.warnings.empty()) << outcome->done.warnings.front();
    }

    void end_links() {
        model::FirewallPolicy policy;
        policy.family = GetParam().family;
        policy.layout = GetParam().layout;
        policy.replies = GetParam().replies;
        policy.bridges[bridge];
        const auto facts = enforce::host_facts(kernel(), {}, policy, kernel().bridges());
        ASSERT_TRUE(enforce::apply(kernel(), enforce::make_target({}, policy, *facts)));
    }

    const Namespace& child() { return child_->space(); }
    const Namespace& parent() { return parent_->space(); }
    const Namespace& stranger() { return stranger_->space(); }

    // Only what the policy sees: family ip has no word on IPv6.
    bool sees_ipv6() const { return GetParam().family != Family::ip; }
    // In the bridge family they need connection state.
    bool can_have_base_rules() { return GetParam().family != Family::bridge || kernel().bridge_family()->conntrack; }

private:
    std::optional<Guest> child_, parent_, stranger_;
};

TEST_P(PacketTest, LinkedTcpPassesAndNothingElseDoes) {
    const Server linked(child(), SOCK_STREAM, child4, 6379), other(child(), SOCK_STREAM, child4, 6380);
    const Server of_parent(parent(), SOCK_STREAM, parent4, 7000);
    ASSERT_TRUE(tcp_connects(stranger(), child4, 6380)) << "without rules everything passes";
    apply();
    EXPECT_TRUE(tcp_connects(parent(), child4, 6379));
    EXPECT_FALSE(tcp_connects(parent(), child4, 6380)) << "not exposed";
    EXPECT_FALSE(tcp_connects(stranger(), child4, 6379)) << "not linked";
    EXPECT_FALSE(tcp_connects(child(), parent4, 7000)) << "a link has one direction";
}

TEST_P(PacketTest, LinkedUdpPassesAndNothingElseDoes) {
    const Server linked(child(), SOCK_DGRAM, child4, 53), other(child(), SOCK_DGRAM, child4, 54);
    apply();
    EXPECT_TRUE(udp_answers(parent(), linked, child4, 53));
    EXPECT_FALSE(udp_answers(parent(), other, child4, 54)) << "not exposed";
    EXPECT_FALSE(udp_answers(stranger(), linked, child4, 53)) << "not linked";
}

TEST_P(PacketTest, Ipv6LinksLiveOnColdNeighbourCaches) {
    const Server tcp(child(), SOCK_STREAM, child6, 6379), udp(child(), SOCK_DGRAM, child6, 53);
    apply();
    for (const Namespace* space : {&child(), &parent(), &stranger()})
        space->run("ip -6 neighbour flush all");
    EXPECT_TRUE(tcp_connects(parent(), child6, 6379));
    EXPECT_TRUE(udp_answers(parent(), udp, child6, 53));
    EXPECT_EQ(tcp_connects(stranger(), child6, 6379), !sees_ipv6());
    EXPECT_EQ(tcp_connects(stranger(), child6, 6380, 0), false) << "nobody listens there";
}

// Docker's second rule matches the child's source port, whoever opened the connection.
TEST_P(PacketTest, ChildOpensConnectionsFromItsServicePortOnlyAsWithDocker) {
    const Server of_parent(parent(), SOCK_STREAM, parent4, 7000), of_parent6(parent(), SOCK_STREAM, parent6, 7000);
    const bool as_docker = GetParam().replies == Replies::source_port;
    apply();
    EXPECT_EQ(tcp_connects(child(), parent4, 7000, 6379, child4), as_docker);
    EXPECT_EQ(tcp_connects(child(), parent6, 7000, 6379, child6), as_docker || !sees_ipv6());
    EXPECT_FALSE(tcp_connects(child(), parent4, 7000, 6380, child4)) << "another source port";
}

TEST_P(PacketTest, IccAllowLetsEverybodyTalk) {
    const Server other(child(), SOCK_STREAM, child4, 6380);
    apply(model::Icc::allow);
    EXPECT_TRUE(tcp_connects(stranger(), child4, 6380));
}

TEST_P(PacketTest, DockersBaseRulesKeepStrangersOut) {
    const Server linked(child(), SOCK_STREAM, child4, 6379), linked6(child(), SOCK_STREAM, child6, 6379);
    if (!can_have_base_rules())
        GTEST_SKIP() << "this kernel has no nf_conntrack_bridge";
    apply(model::Icc::deny, GetParam().layout == Layout::rules);
    EXPECT_TRUE(tcp_connects(parent(), child4, 6379));
    EXPECT_TRUE(tcp_connects(parent(), child6, 6379));
    EXPECT_FALSE(tcp_connects(stranger(), child4, 6379));
}

TEST_P(PacketTest, ALinkThatEndsClosesItsPort) {
    const Server linked(child(), SOCK_STREAM, child4, 6379);
    apply();
    ASSERT_TRUE(tcp_connects(parent(), child4, 6379));
    end_links();
    EXPECT_FALSE(tcp_connects(parent(), child4, 6379));
}

// What is open ends with its link, both ways, and goes on with it.
TEST_P(PacketTest, AnOpenConnectionEndsWithItsLinkAndGoesOnWithIt) {
    apply();
    Flow up(parent(), parent4, 40000, child4, 53), down(child(), child4, 53, parent4, 40000);
    EXPECT_TRUE(up.reaches(down));
    EXPECT_TRUE(down.reaches(up));
    end_links();
    EXPECT_FALSE(up.reaches(down));
    EXPECT_FALSE(down.reaches(up));
    apply();
    EXPECT_TRUE(up.reaches(down));
    EXPECT_TRUE(down.reaches(up));
}

INSTANTIATE_TEST_SUITE_P(Modes, PacketTest,
                         testing::Values(Mode{Family::inet, Layout::sets, Replies::established},
                                         Mode{Family::inet, Layout::sets, Replies::source_port},
                                         Mode{Family::inet, Layout::rules, Replies::established},
                                         Mode{Family::inet, Layout::rules, Replies::source_port},
                                         Mode{Family::ip, Layout::sets, Replies::established},
                                         Mode{Family::ip, Layout::sets, Replies::source_port},
                                         Mode{Family::ip, Layout::rules, Replies::established},
                                         Mode{Family::ip, Layout::rules, Replies::source_port},
                                         Mode{Family::bridge, Layout::sets, Replies::established},
                                         Mode{Family::bridge, Layout::sets, Replies::source_port},
                                         Mode{Family::bridge, Layout::rules, Replies::established},
                                         Mode{Family::bridge, Layout::rules, Replies::source_port}),
                         [](const auto& test) { return name_of(test.param); });

using RoutedTest = KernelTest;

// The host routes between its bridges; what one policed bridge sends to another is denied.
TEST_F(RoutedTest, NothingIsRoutedBetweenPolicedBridges) {
    host().run("echo 1 >/proc/sys/net/ipv4/ip_forward");
    std::vector<Guest> guests;
    for (const auto& [name, net] :
         {std::pair("docker0", "172.17"), std::pair("br-x", "172.18"), std::pair("br-y", "172.19")}) {
        add_bridge(host(), name);
        host().run(fmt::format("ip address add {}.0.1/16 dev {}", net, name));
        guests.emplace_back(host(), name, std::vector<std::string>{fmt::format("{}.0.2", net)});
        guests.back().space().run(fmt::format("ip route add default via {}.0.1", net));
    }
    const Server server(guests[0].space(), SOCK_STREAM, "172.17.0.2", 80);
    EXPECT_TRUE(tcp_connects(guests[1].space(), "172.17.0.2", 80)) << "without rules the way is open";
    for (const Layout layout : {Layout::sets, Layout::rules}) {
        model::FirewallPolicy policy;
        policy.layout = layout;
        policy.bridges["docker0"];
        policy.bridges["br-x"].icc = model::Icc::allow;
        ASSERT_TRUE(enforce::apply(kernel(), target_here(kernel(), {}, policy)));
        EXPECT_FALSE(tcp_connects(guests[1].space(), "172.17.0.2", 80));
        EXPECT_TRUE(tcp_connects(guests[2].space(), "172.17.0.2", 80))
            << "br-y isn't policed: what comes from there is not ours";
    }
    EXPECT_NE(host().run("nft list set inet nftlink denied").find("\"br-x\" counter packets"), std::string::npos);
}

// A connection on one bridge opens nothing for the same addresses on another.
TEST_F(RoutedTest, BridgesWithTheSameAddressesDontMix) {
    std::vector<Guest> guests;
    for (const char* name : {"docker0", "br-x"}) {
        add_bridge(host(), name);
        guests.emplace_back(host(), name, std::vector<std::string>{child4});
        guests.emplace_back(host(), name, std::vector<std::string>{parent4});
    }
    model::FirewallPolicy policy;
    policy.bridges["br-x"];
    const auto links = topology(
        {container("dns", bridge, {child4}, {"53/udp"}), container("web", bridge, {parent4}, {}, {{"dns", "dns"}})});
    ASSERT_TRUE(enforce::apply(kernel(), target_here(kernel(), links, policy)));
    Flow up(guests[1].space(), parent4, 40000, child4, 53), down(guests[0].space(), child4, 53, parent4, 40000);
    ASSERT_TRUE(up.reaches(down));
    ASSERT_TRUE(down.reaches(up));
    Flow twin_up(guests[3].space(), parent4, 40000, child4, 53),
        twin_down(guests[2].space(), child4, 53, parent4, 40000);
    EXPECT_FALSE(twin_up.reaches(twin_down));
    EXPECT_FALSE(twin_down.reaches(twin_up));
}

}  // namespace
}  // namespace nftlink::test
