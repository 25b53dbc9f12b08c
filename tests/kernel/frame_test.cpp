// What the frame promises beyond single packets: connections end with their links, ICMP errors and neighbour discovery
// pass where they belong, drops are counted.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <chrono>
#include <thread>

#include "fixture.hpp"
#include "nftlink/enforce/plan.hpp"

namespace nftlink::test {
namespace {

using model::Family;
using model::Icc;
using model::Replies;

constexpr const char* bridge = "docker0";
constexpr const char *child4 = "172.17.0.2", *parent4 = "172.17.0.3", *stranger4 = "172.17.0.4";
constexpr const char *parent6 = "fd00::3", *stranger6 = "fd00::4";
constexpr std::uint16_t service = 53, client = 40000;

std::uint16_t internet_checksum(const void* data, std::size_t size) {
    const auto* bytes = static_cast<const unsigned char*>(data);
    std::uint32_t sum = 0;
    for (std::size_t at = 0; at + 1 < size; at += 2)
        sum += static_cast<std::uint32_t>(bytes[at] << 8 | bytes[at + 1]);
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return htons(static_cast<std::uint16_t>(~sum));
}

// Sends the parent an ICMP error: the child's port is closed to the flow that the parent has.
void send_error_from(const Namespace& space) {
    const Inside inside(space);
    const Descriptor socket(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
    struct {
        icmphdr icmp;
        iphdr ip;
        udphdr udp;
    } packet{};
    packet.icmp.type = ICMP_DEST_UNREACH;
    packet.icmp.code = ICMP_PORT_UNREACH;
    packet.ip.version = 4;
    packet.ip.ihl = 5;
    packet.ip.tot_len = htons(sizeof packet.ip + sizeof packet.udp + 1);
    packet.ip.ttl = 64;
    packet.ip.protocol = IPPROTO_UDP;
    inet_pton(AF_INET, parent4, &packet.ip.saddr);
    inet_pton(AF_INET, child4, &packet.ip.daddr);
    packet.ip.check = internet_checksum(&packet.ip, sizeof packet.ip);
    packet.udp.source = htons(client);
    packet.udp.dest = htons(service);
    packet.udp.len = htons(sizeof packet.udp + 1);
    packet.icmp.checksum = internet_checksum(&packet, sizeof packet);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    inet_pton(AF_INET, parent4, &to.sin_addr);
    ASSERT_EQ(sendto(socket.number(), &packet, sizeof packet, 0, reinterpret_cast<sockaddr*>(&to), sizeof to),
              static_cast<ssize_t>(sizeof packet));
}

constexpr std::uint8_t odd_code = 7;  // tells it from the kernel's own

void send_advertisement(const Namespace& space, int hop_limit) {
    const Inside inside(space);
    const Descriptor socket(::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6));
    setsockopt(socket.number(), IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hop_limit, sizeof hop_limit);
    nd_neighbor_advert advertisement{};
    advertisement.nd_na_type = ND_NEIGHBOR_ADVERT;
    advertisement.nd_na_code = odd_code;
    inet_pton(AF_INET6, stranger6, &advertisement.nd_na_target);
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    inet_pton(AF_INET6, parent6, &to.sin6_addr);
    ASSERT_EQ(
        sendto(socket.number(), &advertisement, sizeof advertisement, 0, reinterpret_cast<sockaddr*>(&to), sizeof to),
        static_cast<ssize_t>(sizeof advertisement));
}

class FrameTest : public KernelTest, public testing::WithParamInterface<Family> {
protected:
    void SetUp() override {
        KernelTest::SetUp();
        if (IsSkipped())
            return;
        if (GetParam() == Family::bridge && !kernel().bridge_family()->names)
            GTEST_SKIP() << "this kernel has no nft_meta_bridge";
        if (GetParam() == Family::bridge && !kernel().bridge_family()->conntrack)
            GTEST_SKIP() << "this kernel has no nf_conntrack_bridge";
        add_bridge(host(), bridge);
        child_.emplace(host(), bridge, std::vector<std::string>{child4});
        parent_.emplace(host(), bridge, std::vector<std::string>{parent4, parent6});
        stranger_.emplace(host(), bridge, std::vector<std::string>{stranger4, stranger6});
    }

    static model::Topology linked() {
        return topology({container("dns", bridge, {child4}, {"53/udp", "6379/tcp"}),
                         container("web", bridge, {parent4}, {}, {{"dns", "dns"}}),
                         container("stranger", bridge, {stranger4})});
    }

    void apply(const model::Topology& containers, Icc icc = Icc::deny) {
        model::FirewallPolicy policy;
        policy.family = GetParam();
        policy.bridges[bridge].icc = icc;
        policy.bridges["br-x"];
        const auto facts = enforce::host_facts(kernel(), {}, policy, kernel().bridges());
        ASSERT_TRUE(facts) << facts.error();
        const auto outcome = enforce::apply(kernel(), enforce::make_target(containers, policy, *facts));
        ASSERT_TRUE(outcome) << outcome.error();
    }

    Flow up() { return Flow(parent(), parent4, client, child4, service); }
    Flow down() { return Flow(child(), child4, service, parent4, client); }

    const Namespace& child() { return child_->space(); }
    const Namespace& parent() { return parent_->space(); }
    const Namespace& stranger() { return stranger_->space(); }

private:
    std::optional<Guest> child_, parent_, stranger_;
};

TEST_P(FrameTest, AnOpenTcpConnectionEndsWithItsLinkAndGoesOnWithIt) {
    constexpr int until_it_is_sent_again = 20;
    apply(linked());
    const Connection connection(parent(), parent4, child(), child4, 6379);
    connection.send_down();
    EXPECT_TRUE(connection.arrives_below());
    connection.send_up();
    EXPECT_TRUE(connection.arrives_above());
    apply({});
    connection.send_down();
    EXPECT_FALSE(connection.arrives_below());
    connection.send_up();
    EXPECT_FALSE(connection.arrives_above());
    apply(linked());
    EXPECT_TRUE(connection.arrives_below(until_it_is_sent_again));
    EXPECT_TRUE(connection.arrives_above(until_it_is_sent_again));
}

TEST_P(FrameTest, AnAddressUsedAgainInheritsNothing) {
    apply(linked());
    const Flow up = this->up(), down = this->down();
    ASSERT_TRUE(up.reaches(down));
    ASSERT_TRUE(down.reaches(up));
    // Another container has the parent's address, and a link to another one.
    apply(topology({container("dns", bridge, {child4}, {"53/udp"}), container("other", bridge, {stranger4}, {"53/udp"}),
                    container("heir", bridge, {parent4}, {}, {{"other", "dns"}})}));
    EXPECT_FALSE(up.reaches(down));
    EXPECT_FALSE(down.reaches(up));
    // Another has the child's, and the parent a link to another port of it.
    apply(topology(
        {container("heir", bridge, {child4}, {"54/udp"}), container("web", bridge, {parent4}, {}, {{"heir", "dns"}})}));
    EXPECT_FALSE(up.reaches(down));
    EXPECT_FALSE(down.reaches(up));
}

// By such a connection a child would come to its parent from its service port.
TEST_P(FrameTest, AConnectionThatTheChildHadOpenedIsNoReply) {
    apply({});  // which has bridge netfilter switched on, so that the connection is tracked
    apply({}, Icc::allow);
    const Flow up = this->up(), down = this->down();
    ASSERT_TRUE(down.reaches(up));
    ASSERT_TRUE(up.reaches(down));
    apply(linked());
    EXPECT_FALSE(down.reaches(up));
    EXPECT_TRUE(up.reaches(down)) << "which is what the link permits";
}

TEST_P(FrameTest, TheChildsClosedPortIsToldToTheParent) {
    apply(linked());
    const Flow up = this->up();
    {
        const Flow down = this->down();
        ASSERT_TRUE(up.reaches(down));
        EXPECT_FALSE(up.is_refused()) << "it is open";
    }
    const Flow elsewhere(child(), child4, 54, parent4, client);
    EXPECT_FALSE(up.reaches(elsewhere));
    EXPECT_TRUE(up.is_refused());
}

TEST_P(FrameTest, ErrorsAboutALinksConnectionComeFromItsEndsAlone) {
    const Flow up = this->up(), down = this->down();
    send_error_from(stranger());
    ASSERT_TRUE(up.is_refused()) << "without rules it comes";
    apply(linked());
    ASSERT_TRUE(up.reaches(down));
    ASSERT_TRUE(down.reaches(up));
    send_error_from(stranger());
    EXPECT_FALSE(up.is_refused());
    send_error_from(child());
    EXPECT_TRUE(up.is_refused());
    apply({});
    send_error_from(child());
    EXPECT_FALSE(up.is_refused()) << "its link has ended";
}

TEST_P(FrameTest, NeighbourDiscoveryPassesWithAHopLimitOf255Alone) {
    parent().run(
        "nft add table ip6 seen && nft 'add chain ip6 seen input { type filter hook input priority -200; }' && nft add "
        "rule ip6 seen input icmpv6 type nd-neighbor-advert icmpv6 code 7 counter");
    const auto arrives = [&](int hop_limit) {
        parent().run(
            "nft flush chain ip6 seen input && nft add rule ip6 seen input "
            "icmpv6 type nd-neighbor-advert icmpv6 code 7 counter");
        send_advertisement(stranger(), hop_limit);
        std::this_thread::sleep_for(std::chrono::milliseconds(300) * slowness());
        return parent().run("nft list chain ip6 seen input").find("packets 1 ") != std::string::npos;
    };
    EXPECT_TRUE(arrives(64)) << "without rules";
    apply(linked());
    for (const Namespace* space : {&parent(), &stranger()})
        space->run("ip -6 neighbour flush all");
    EXPECT_TRUE(arrives(255));
    EXPECT_FALSE(arrives(64));
}

TEST_P(FrameTest, DropsAreCountedByTheBridgeTheyComeFrom) {
    add_bridge(host(), "br-x");
    const Guest one(host(), "br-x", {"172.18.0.2"}), two(host(), "br-x", {"172.18.0.3"});
    for (const Namespace* space : {&child(), &parent(), &stranger(), &one.space(), &two.space()})
        space->run("echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6");  // which sends of its own accord
    const Flow here(stranger(), stranger4, client, child4, service), there(child(), child4, service, stranger4, client);
    const Flow here_x(two.space(), "172.18.0.3", client, "172.18.0.2", service);
    const Flow there_x(one.space(), "172.18.0.2", service, "172.18.0.3", client);
    apply(linked());
    for (int count = 0; count < 3; ++count)
        EXPECT_FALSE(here.reaches(there));
    EXPECT_FALSE(here_x.reaches(there_x));
    const std::string denied =
        host().run(fmt::format("nft list set {} nftlink denied", GetParam() == Family::bridge ? "bridge" : "inet"));
    EXPECT_NE(denied.find("\"docker0\" counter packets 3 "), std::string::npos) << denied;
    EXPECT_NE(denied.find("\"br-x\" counter packets 1 "), std::string::npos) << denied;
}

INSTANTIATE_TEST_SUITE_P(Families, FrameTest, testing::Values(Family::inet, Family::bridge),
                         [](const auto& test) { return test.param == Family::inet ? "inet" : "bridge_sets"; });

}  // namespace
}  // namespace nftlink::test
