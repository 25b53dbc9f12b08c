#include "desired/join.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nftlink/config/config.hpp"

namespace nftlink::desired {
namespace {

using model::Unplaced;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

model::Topology topology_of(const std::string& text) {
    return config::parse({{"a.yaml", text}})->config.topology;
}

std::string addresses(int subnet, int count) {
    std::string text;
    for (int i = 1; i <= count; ++i)
        text += fmt::format("{}10.{}.0.{:03}", i == 1 ? "" : ",", subnet, 100 + i);
    return text;
}

// One on a line.
std::string container(const std::string& name, int subnet, int count, const std::string& expose,
                      const std::string& links = "", const std::string& bridge = "br0") {
    return fmt::format("  {}: {{bridge: {}, expose: [{}], links: [{}], addresses: [{}]}}\n", name, bridge, expose,
                       links, addresses(subnet, count));
}

TEST(Join, OverTheHostsLimitTheLastIsNamedAndNoneLeftOut) {
    model::Topology topology =
        topology_of("containers:\n" + container("redis", 1, 1, "1-4") + container("web", 2, 1, "", "redis"));
    std::map<std::string, model::Container, std::less<>> more =
        topology_of("containers:\n" + container("redis", 1, 1, "1-4") + container("a", 3, 1, "", "redis") +
                    container("b", 4, 1, "1-4", "redis") + container("c", 5, 1, "", "b,'redis:r'") +
                    container("d", 6, 1, "", "redis"))
            .containers;
    more.erase("redis");
    auto all = topology;
    EXPECT_THAT(join(all, {}, {}, more, Unplaced::refused, {.permissions = 24}).conflicts, IsEmpty());
    EXPECT_THAT(all.containers, SizeIs(6));
    const Joined joined = join(topology, {}, {}, more, Unplaced::refused, {.permissions = 16});
    ASSERT_THAT(joined.conflicts, SizeIs(1));
    EXPECT_EQ(joined.conflicts.front().container, "d");
    EXPECT_TRUE(joined.conflicts.front().is_of_limits);
    EXPECT_EQ(joined.conflicts.front().message,
              "what came through the API takes this host to 24 permissions, and 'limits.permissions' allows 16");
    EXPECT_THAT(topology.containers, SizeIs(6));
}

TEST(Join, LeavesOutAChildThatMakesALinkOfTheFilesTooLarge) {
    model::Topology topology =
        topology_of("sources: {docker: {}}\ncontainers:\n" + container("web", 1, 16, "", "redis"));
    const auto more = topology_of("containers:\n" + container("redis", 2, 16, "1-65")).containers;
    const Joined joined = join(topology, {}, {}, more, Unplaced::allowed, {});
    ASSERT_THAT(joined.conflicts, ElementsAre(testing::Field(&Conflict::container, "redis")));
    EXPECT_THAT(joined.conflicts.front().message, HasSubstr("16,640 permissions"));
    EXPECT_THAT(joined.ended, IsEmpty()) << "the files' link waits";
}

model::Container container(const std::string& name, std::vector<model::Network> networks,
                           std::vector<model::Link> links) {
    return {.name = name, .networks = std::move(networks), .expose = {}, .environment = {}, .links = std::move(links)};
}

class JoinTest : public testing::Test {
protected:
    JoinTest() { policy_.family = model::Family::ip; }

    void add(const std::string& name, std::vector<model::Network> networks, std::vector<model::Link> links) {
        topology_.containers[name] = container(name, std::move(networks), std::move(links));
    }

    const model::Network here_{"x", {*model::Address::parse("10.0.0.1")}};
    const model::Network there_{"y", {*model::Address::parse("10.0.0.2")}};
    model::FirewallPolicy policy_;
    model::Topology topology_;
};

TEST_F(JoinTest, LinksThatMayWaitAreKeptInAJoin) {
    add("a", {here_}, {});
    const std::map<std::string, model::Container, std::less<>> more{
        {"b", container("b", {there_}, {{"nosuch", "n"}, {"c", "c"}, {"a", "a"}})},
        {"c", container("c", {}, {{"a", "a"}})}};
    model::Topology joined = topology_;
    const Joined result = join(joined, policy_, {}, more, Unplaced::allowed, {});
    EXPECT_THAT(result.conflicts, IsEmpty());
    EXPECT_THAT(result.ended, IsEmpty());
    EXPECT_EQ(*joined.find("b"), more.at("b"));
    EXPECT_EQ(*joined.find("c"), more.at("c"));
}

// Its links are somebody's work, and must not just end.
TEST_F(JoinTest, AnUnplacedOneIsAConflictWhereThereIsNoEngine) {
    add("a", {here_}, {});
    model::Topology joined = topology_;
    const Joined result = join(joined, policy_, {}, {{"c", container("c", {}, {{"a", "a"}})}}, Unplaced::refused, {});
    ASSERT_EQ(result.conflicts.size(), 1U);
    EXPECT_EQ(result.conflicts.front().container, "c");
    EXPECT_THAT(result.conflicts.front().message, testing::HasSubstr("without sources.docker"));
    EXPECT_EQ(joined.find("c"), nullptr);
}

}  // namespace
}  // namespace nftlink::desired
