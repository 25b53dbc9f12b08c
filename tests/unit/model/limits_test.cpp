#include "nftlink/model/limits.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nftlink::model {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

// So many addresses of each family; `subnet` sets those of one container apart from another's.
Network network(const std::string& bridge, int subnet, int v4, int v6 = 0) {
    Network network{bridge, {}};
    for (int i = 1; i <= v4; ++i)
        network.addresses.push_back(*Address::parse(fmt::format("10.{}.{}.{}", subnet, i / 250, i % 250)));
    for (int i = 1; i <= v6; ++i)
        network.addresses.push_back(*Address::parse(fmt::format("fd00:{}::{:x}", subnet, i)));
    return network;
}

Container container(const std::string& name, std::vector<Network> networks, int ports = 0) {
    return {.name = name,
            .networks = std::move(networks),
            .expose = ports == 0 ? std::vector<Port>() : *parse_ports(fmt::format("1-{}", ports)),
            .environment = {},
            .links = {}};
}

std::uint64_t count(const Container& parent, const Container& child, const FirewallPolicy& policy = {}) {
    return count_permissions(parent, child, policy);
}

TEST(Limits, OnASharedBridgeEachAddressIsPairedWithEachOfItsFamily) {
    const Container child = container("c", {network("b", 2, 3, 1)}, 5);
    EXPECT_EQ(count(container("p", {network("b", 1, 2, 4)}), child), (2 * 3 + 4 * 1) * 5u);
    EXPECT_EQ(count(container("p", {network("b", 1, 2)}), container("c", {network("b", 2, 0, 4)}, 5)), 0u);
    EXPECT_EQ(count(container("p", {network("b", 1, 2)}), container("c", {network("b", 2, 2)})), 0u) << "no ports";
}

TEST(Limits, OfSeveralBridgesOnlyTheSharedOnesCount) {
    const Container parent = container("p", {network("a", 1, 2), network("b", 2, 3), network("c", 3, 9)});
    const Container child = container("c", {network("x", 4, 9), network("b", 5, 4), network("a", 6, 5)}, 2);
    EXPECT_EQ(count(parent, child), (2 * 5 + 3 * 4) * 2u);
}

TEST(Limits, WithoutASharedBridgeEachNetworkIsPairedWithEach) {
    const Container parent = container("p", {network("a", 1, 2, 1), network("b", 2, 3)});
    const Container child = container("c", {network("x", 4, 1), network("y", 5, 4, 2)}, 3);
    EXPECT_EQ(count(parent, child), ((2 + 3) * (1 + 4) + 1 * 2) * 3u);
}

TEST(Limits, AFamilyThatThePolicyDoesNotCoverIsNotCounted) {
    const Container parent = container("p", {network("b", 1, 2, 4)}),
                    child = container("c", {network("b", 2, 3, 5)}, 1);
    FirewallPolicy only_v4, only_v6;
    only_v4.family = Family::ip;
    only_v6.attach = {{AttachPoint::Family::ip6, "filter", "FORWARD"}};
    EXPECT_EQ(count(parent, child), 26u);
    EXPECT_EQ(count(parent, child, only_v4), 6u);
    EXPECT_EQ(count(parent, child, only_v6), 20u);
}

TEST(Limits, MoreThan32BitsCanHoldAreCounted) {
    EXPECT_EQ(count(container("p", {network("b", 1, 5000)}), container("c", {network("b", 2, 5000)}, 1024)),
              5000ull * 5000 * 1024);
}

TEST(Limits, ALinkOfTooManyPermissionsIsRefusedWithBothNumbers) {
    const auto fault = [](int addresses, int ports) {
        return permissions_fault(container("p", {network("b", 1, addresses)}),
                                 container("c", {network("b", 2, addresses)}, ports), {});
    };
    EXPECT_THAT(fault(16, 64), IsEmpty()) << "16,384";
    EXPECT_EQ(fault(16, 65), "16 x 16 addresses and 65 ports are 16,640 permissions, and one link may have 16,384");
    EXPECT_EQ(fault(60, 1024),
              "60 x 60 addresses and 1,024 ports are 3,686,400 permissions, and one link may have 16,384");
    EXPECT_EQ(fault(129, 1), "129 x 129 addresses and 1 port are 16,641 permissions, and one link may have 16,384");
    EXPECT_EQ(
        permissions_fault(container("p", {network("a", 1, 8, 8)}), container("c", {network("b", 2, 8, 8)}, 129), {}),
        "128 pairs of addresses and 129 ports are 16,512 permissions, and one link may have 16,384");
}

TEST(Limits, AddressesAndLinksAreRefusedFromTheFirstOneTooMany) {
    EXPECT_THAT(addresses_fault("web", network("b", 1, 8, 8)), IsEmpty());
    EXPECT_EQ(addresses_fault("web", network("b", 1, 8, 9)), "'web' has more than 16 addresses on bridge 'b'");
    EXPECT_THAT(links_fault("web", 4096), IsEmpty());
    EXPECT_EQ(links_fault("web", 4097), "'web' has more than 4,096 links");
}

TEST(PermissionSum, IsFullAtTheLimitAndGoesOnWithWhatFits) {
    const FirewallPolicy policy;
    PermissionSum sum(policy, {.permissions = 100}, 40);
    const Container parent = container("p", {network("b", 1, 1)});
    const Container large = container("large", {network("b", 2, 1)}, 61),
                    exact = container("exact", {network("b", 3, 1)}, 60);
    EXPECT_EQ(sum.add_or_fault(parent, large),
              "the link from 'p' to 'large' takes this host to 101 permissions, and 'limits.permissions' allows 100");
    EXPECT_EQ(sum.total(), 40u);
    EXPECT_THAT(sum.add_or_fault(parent, exact), IsEmpty());
    EXPECT_EQ(sum.total(), 100u);
    EXPECT_THAT(sum.add_or_fault(parent, exact), IsEmpty()) << "another alias";
    EXPECT_THAT(sum.add_or_fault(exact, large), HasSubstr("161"));
}

TEST(PermissionSum, LeavesOutALinkThatIsTooLargeByItself) {
    const FirewallPolicy policy;
    PermissionSum sum(policy, {});
    EXPECT_THAT(sum.add_or_fault(container("p", {network("b", 1, 60)}), container("c", {network("b", 2, 60)}, 1024)),
                IsEmpty());
    EXPECT_EQ(sum.total(), 0u);
}

class SumsTest : public testing::Test {
protected:
    SumsTest() {
        add("redis", 3, {});
        add("mail", 5, {{"redis", "redis"}});
        add("web", 0, {{"redis", "db"}, {"redis", "cache"}, {"mail", "mail"}, {"ghost", "ghost"}});
    }

    void add(const std::string& name, int ports, std::vector<Link> links) {
        Container& added = topology_.containers[name] = container(name, {network("b", ++subnet_, 1)}, ports);
        added.links = std::move(links);
    }

    Topology topology_;
    int subnet_ = 0;
};

TEST_F(SumsTest, OfAllCountsALinkOnceWhateverItsAliases) {
    EXPECT_EQ(sum_permissions(topology_, {}), 3u + 3u + 5u);
}

TEST_F(SumsTest, OfSomeCountsWhatComesFromThemAndWhatLeadsToThem) {
    EXPECT_EQ(sum_permissions_from(topology_, {}, {"web"}), 8u);
    EXPECT_EQ(sum_permissions_from(topology_, {}, {"redis", "ghost"}), 0u);
    EXPECT_EQ(sum_permissions_of(topology_, {}, {"redis"}), 6u);
    EXPECT_EQ(sum_permissions_of(topology_, {}, {"redis", "web"}), 11u);
    EXPECT_EQ(sum_permissions_of(topology_, {}, {"mail"}), 8u);
}

}  // namespace
}  // namespace nftlink::model
