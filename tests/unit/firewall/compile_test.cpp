#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>

#include "nftlink/firewall/firewall.hpp"
#include "nftlink/nft/text.hpp"
#include "topologies.hpp"

namespace nftlink::firewall {
namespace {

using model::FirewallPolicy;
using testing::HasSubstr;
using testing::Not;

// NFTLINK_ACCEPT=1 writes what comes out into the file; accepting is no passing.
void expect_golden(const std::string& name, const std::string& text) {
    const std::string path = std::string(GOLDEN_DIRECTORY) + "/" + name + ".nft";
    if (std::getenv("NFTLINK_ACCEPT") != nullptr) {
        std::ofstream(path) << text;
        GTEST_SKIP() << "accepted " << path;
    }
    std::ifstream file(path);
    std::stringstream golden;
    golden << file.rdbuf();
    EXPECT_EQ(text, golden.str()) << "if this is meant: NFTLINK_ACCEPT=1";
}

struct Golden {
    std::string name;
    FirewallPolicy policy;
};

class GoldenTest : public testing::TestWithParam<Golden> {};

TEST_P(GoldenTest, Ruleset) {
    expect_golden(GetParam().name, nft::render(compile(seed(), GetParam().policy)));
}

FirewallPolicy policy(const std::function<void(FirewallPolicy&)>& change) {
    FirewallPolicy made;
    change(made);
    return made;
}

INSTANTIATE_TEST_SUITE_P(
    Policies, GoldenTest,
    testing::Values(Golden{"default", {}},
                    Golden{"source_port", policy([](auto& p) { p.replies = model::Replies::source_port; })},
                    Golden{"icc_allow", policy([](auto& p) { p.bridges["docker0"].icc = model::Icc::allow; })},
                    Golden{"family_ip", policy([](auto& p) { p.family = model::Family::ip; })},
                    Golden{"rules", policy([](auto& p) { p.layout = model::Layout::rules; })},
                    Golden{"rules_source_port_base_rules", policy([](auto& p) {
                               p.layout = model::Layout::rules;
                               p.replies = model::Replies::source_port;
                               p.counters = false;
                               p.bridges["docker0"] = {model::Icc::allow, true};
                           })},
                    Golden{"base_rules_deny", policy([](auto& p) { p.bridges["docker0"].base_rules = true; })},
                    Golden{"bridge", policy([](auto& p) { p.family = model::Family::bridge; })},
                    Golden{"mark_and_log", policy([](auto& p) {
                               p.accept_mark = 0x10;
                               p.log_drops = true;
                               p.priority = -5;
                               p.table = "links";
                           })}),
    [](const auto& test) { return test.param.name; });

// A kernel without names of bridges and without their connection tracking.
TEST(Compile, OnAPoorerKernelTheBridgeFamilyGoesByPorts) {
    auto poor = policy([](auto& p) {
        p.family = model::Family::bridge;
        p.replies = model::Replies::source_port;
    });
    const auto text =
        nft::render(compile(seed(), poor, {false, false, {{"docker0", {"veth1", "veth2"}}, {"br0", {"x"}}}}));
    EXPECT_THAT(text, HasSubstr("elements = { \"veth1\",\n\t\t\t     \"veth2\" }"));
    EXPECT_THAT(text, HasSubstr("iifname @ports-docker0 jump bridge-docker0"));
    EXPECT_THAT(text, HasSubstr("oifname @ports-docker0 jump bridge-docker0"));
    EXPECT_THAT(text.substr(0, text.find("nftlink-routed")), Not(HasSubstr("ct state")));
    EXPECT_THAT(text, Not(HasSubstr("ibrname")));
}

std::vector<nft::Element> elements(const nft::Ruleset& ruleset, std::string_view set) {
    const nft::Set* found = ruleset.tables.at(0).set(set);
    return found == nullptr ? std::vector<nft::Element>{} : found->elements;
}

TEST(Compile, TwoAliasesOfOneChildAreOnePermission) {
    auto links = seed();
    links.containers["client"].links.push_back({"redis", "cache"});
    const auto found = elements(compile(links, {}), "links4-docker0");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].comment, "/client/db /client/cache");
}

TEST(Compile, CommentsAreCutAt128Bytes) {
    auto links = seed();
    links.containers["client"].links.clear();
    for (int number = 0; number < 30; ++number)
        links.containers["client"].links.push_back({"redis", "alias" + std::to_string(number)});
    const auto found = elements(compile(links, {}), "links4-docker0");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].comment.size(), 128u);
    EXPECT_TRUE(found[0].comment.starts_with("/client/alias0 /client/alias1 "));
}

TEST(Compile, ALinkHoldsOnEveryBridgeTheyShareAndForEveryPairOfAddresses) {
    const auto links = topology(
        {container("db", {on("br-a", {"10.0.0.2", "10.0.0.3"}), on("br-b", {"10.1.0.2"}), on("br-c", {"10.2.0.2"})},
                   {"80"}),
         container("web", {on("br-a", {"10.0.0.9"}), on("br-b", {"10.1.0.9", "fd00::9"})}, {}, {{"db", "db"}})});
    const auto ruleset = compile(links, {});
    EXPECT_EQ(elements(ruleset, "links4-br-a").size(), 2u);
    EXPECT_EQ(elements(ruleset, "links4-br-b").size(), 1u);
    EXPECT_EQ(ruleset.tables[0].set("links6-br-b"), nullptr) << "the child has no IPv6 address there";
    EXPECT_EQ(ruleset.tables[0].set("links4-br-c"), nullptr);
    EXPECT_NE(ruleset.tables[0].chain("bridge-br-c"), nullptr) << "but its policy holds";
}

TEST(Compile, BridgesUsingTheSameAddressesDontMix) {
    const auto links =
        topology({container("a", {on("br-a", {"10.0.0.2"})}, {"80"}),
                  container("b", {on("br-a", {"10.0.0.3"})}, {}, {{"a", "a"}}),
                  container("c", {on("br-b", {"10.0.0.2"})}, {"80"}), container("d", {on("br-b", {"10.0.0.3"})})});
    const auto ruleset = compile(links, {});
    EXPECT_EQ(elements(ruleset, "links4-br-a").size(), 1u);
    EXPECT_EQ(elements(ruleset, "links4-br-b").size(), 0u);
}

TEST(Compile, NoTwoBridgesGetOneName) {
    model::FirewallPolicy odd;
    for (const char* name : {"br@1", "br%1", "br+1", "br.1", "br-1"})
        odd.bridges[name];
    const auto ruleset = compile({}, odd);
    std::set<std::string> names;
    for (const nft::Chain& chain : ruleset.tables[0].chains)
        names.insert(chain.name);
    EXPECT_EQ(names.size(), 6u);
    EXPECT_TRUE(names.contains("bridge-br/401"));
}

TEST(Compile, SetsHaveRoomAndFitTheKernelsBuckets) {
    const auto size_for = [](int ports) {
        auto links = seed();
        links.containers["redis"].expose = model::parse_ports("1-" + std::to_string(ports)).value();
        return compile(links, {}).tables[0].set("links4-docker0")->size;
    };
    EXPECT_EQ(size_for(1), 192u);
    EXPECT_EQ(size_for(153), 192u);
    EXPECT_EQ(size_for(160), 384u);
    EXPECT_EQ(size_for(1000), 1536u);
}

}  // namespace
}  // namespace nftlink::firewall
