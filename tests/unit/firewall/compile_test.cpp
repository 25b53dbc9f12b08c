#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>

#include "nftlink/firewall/compile.hpp"
#include "nftlink/nft/text.hpp"
#include "topologies.hpp"

namespace nftlink::firewall {
namespace {

using model::FirewallPolicy;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
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
    HostFacts host = {};
};

class GoldenTest : public testing::TestWithParam<Golden> {};

TEST_P(GoldenTest, Ruleset) {
    expect_golden(GetParam().name, nft::render(compile(seed(), GetParam().policy, GetParam().host)));
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
                               p.counters = model::Counters::none;
                               p.bridges["docker0"] = {model::Icc::allow, true};
                           })},
                    Golden{"rules_base_rules", policy([](auto& p) {
                               p.layout = model::Layout::rules;
                               p.bridges["docker0"].base_rules = true;
                           })},
                    Golden{"routed", policy([](auto& p) {
                               p.bridges["br-front"].routed = model::Routed::published;
                               p.bridges["br-back"].routed = model::Routed::allow;
                               p.bridges["br-vlan"].other_frames = model::OtherFrames::allow;
                           })},
                    Golden{"frames_by_port", {}, {.frames = Frames::by_port, .ports = {"veth1", "veth2"}}},
                    Golden{"bridge", policy([](auto& p) { p.family = model::Family::bridge; })},
                    Golden{"bridge_rules", policy([](auto& p) {
                               p.family = model::Family::bridge;
                               p.layout = model::Layout::rules;
                           })},
                    Golden{"counters_bridges", policy([](auto& p) { p.counters = model::Counters::bridges; })},
                    Golden{"counters_none", policy([](auto& p) { p.counters = model::Counters::none; })},
                    Golden{"mark_and_log", policy([](auto& p) {
                               p.accept_mark = 0x10;
                               p.log_drops = true;
                               p.priority = -5;
                               p.table = "links";
                           })}),
    [](const auto& test) { return test.param.name; });

// Without nf_conntrack_bridge nothing there may ask for a connection's state; beside it, what is routed still does.
TEST(Compile, WithoutTheBridgesConnectionTrackingTheBridgeFamilyAsksForNoState) {
    const auto by_port = policy([](auto& p) {
        p.family = model::Family::bridge;
        p.replies = model::Replies::source_port;
    });
    const auto want = compile(seed(), by_port, {.bridge_conntrack = false});
    ASSERT_EQ(want.tables.size(), 3u);
    EXPECT_THAT(nft::to_text(want.tables[0]), Not(HasSubstr("ct ")));
    EXPECT_EQ(want.tables[0].chain("errors"), nullptr);
    EXPECT_THAT(nft::to_text(want.tables[1]), HasSubstr("ct state related"));
}

TEST(Compile, AttachedIsTwoRulesForEachPortAndThenWhatEndsItsBridge) {
    auto attached = policy([](auto& p) {
        p.layout = model::Layout::rules;
        p.attach = {{model::AttachPoint::Family::inet, "fw", "forward"}};
        p.bridges["br0"].icc = model::Icc::allow;
        p.bridges["br1"];
    });
    const auto want = compile(seed(), attached);
    std::vector<std::string> rules;
    for (const nft::Rule& rule : want.attached.at(0).rules)
        rules.push_back(nft::to_text(rule));
    const auto inside = [](const std::string& bridge, const std::string& rest) {
        return "iifname \"" + bridge + "\" oifname \"" + bridge + "\" " + rest;
    };
    EXPECT_THAT(
        rules,
        ElementsAre(
            inside("br1", "icmpv6 type nd-neighbor-solicit ip6 hoplimit 255 accept"),
            inside("br1", "icmpv6 type nd-neighbor-advert ip6 hoplimit 255 accept"),
            inside("br1", "counter packets 0 bytes 0 drop"),
            inside("docker0",
                   "ip saddr 172.17.0.2 ip daddr 172.17.0.3 tcp sport 6379 ct state established ct direction reply "
                   "accept"),
            inside("docker0",
                   "ip saddr 172.17.0.3 ip daddr 172.17.0.2 tcp dport 6379 counter packets 0 bytes 0 accept"),
            inside("docker0",
                   "ip6 saddr fd00::2 ip6 daddr fd00::3 tcp sport 6379 ct state established ct direction reply accept"),
            inside("docker0", "ip6 saddr fd00::3 ip6 daddr fd00::2 tcp dport 6379 counter packets 0 bytes 0 accept"),
            inside("docker0", "icmpv6 type nd-neighbor-solicit ip6 hoplimit 255 accept"),
            inside("docker0", "icmpv6 type nd-neighbor-advert ip6 hoplimit 255 accept"),
            inside("docker0", "counter packets 0 bytes 0 drop")));
    ASSERT_EQ(want.tables.size(), 1u);
    EXPECT_EQ(want.tables[0].chain("forward"), nullptr) << "no packet meets it: copies and what keeps track";
}

// Two tables of one name: what is bridged and what is routed.
TEST(Compile, BesideTheBridgeFamilysTableWhatIsRoutedHasTheSameLinks) {
    const auto want = compile(seed(), policy([](auto& p) { p.family = model::Family::bridge; }));
    ASSERT_EQ(want.tables.size(), 3u);
    EXPECT_EQ(want.tables[0].family, nft::Family::bridge);
    EXPECT_EQ(want.tables[1].family, nft::Family::inet);
    EXPECT_EQ(want.tables[0].name, want.tables[1].name);
    for (const char* set : {"links4", "links6", "replies4", "replies6", "bridges"}) {
        const auto& bridged = want.tables[0].set(set)->elements;
        ASSERT_EQ(bridged.size(), 1u) << set;
        EXPECT_EQ(want.tables[1].set(set)->elements.at(0).key, bridged[0].key) << set;
    }
}

// Chains with their rules, sets without their elements.
std::string frame_of(const Wanted& want) {
    std::string text;
    for (nft::Table table : want.tables) {
        for (nft::Set& set : table.sets) {
            set.elements.clear();
            set.size = 0;
        }
        text += nft::to_text(table);
    }
    return text;
}

TEST(Compile, RulesChainsAndSetsAreTheSameWhateverBridgesAndLinksThereAre) {
    for (const auto family : {model::Family::inet, model::Family::ip, model::Family::bridge}) {
        auto none = policy([&](auto& p) { p.family = family; });
        auto many = none;
        many.bridges["br0"].icc = model::Icc::allow;
        many.bridge_patterns = {{"br-*", {}}};
        EXPECT_EQ(frame_of(compile(seed(), many, {.bridges = {"br-1", "br-2"}})), frame_of(compile({}, none)));
    }
}

// Else a packet of a link, or an error about one, would pass without the mark by which other firewalls let it pass.
TEST(Compile, WhatIsOfALinkIsMarkedBeforeAnythingElseLetsItPass) {
    for (const auto layout : {model::Layout::sets, model::Layout::rules})
        for (const auto replies : {model::Replies::established, model::Replies::source_port}) {
            const auto text = frame_of(compile(seed(), policy([&](auto& p) {
                                                   p.accept_mark = 16;
                                                   p.layout = layout;
                                                   p.replies = replies;
                                               })));
            const auto comes_first = [&](const char* one, const char* other) {
                EXPECT_NE(text.find(one), std::string::npos) << one;
                EXPECT_LT(text.find(one), text.find(other)) << text;
            };
            const bool is_by_rules = layout == model::Layout::rules;
            comes_first("jump errors", "jump lenient");
            for (const char* other : {"jump lenient", "jump answers"}) {
                comes_first(is_by_rules ? "jump links" : "@links4 meta mark", other);
                comes_first(is_by_rules                              ? "jump links"
                            : replies == model::Replies::established ? "jump replies"
                                                                     : "@replies4 meta mark",
                            other);
            }
        }
    const auto bridged = frame_of(compile(seed(), policy([](auto& p) { p.family = model::Family::bridge; })));
    EXPECT_LT(bridged.find("jump errors"), bridged.find("meta ibrname . meta obrname @open")) << bridged;
}

// Of a set of the frame or of the table of frames.
std::vector<std::string> keys_in(const Wanted& want, const char* set) {
    std::vector<std::string> found;
    for (const nft::Table& table : want.tables)
        if (const nft::Set* one = table.set(set))
            for (const nft::Element& element : one->elements)
                found.push_back(nft::to_text(element.key, one->key));
    return found;
}

TEST(Compile, ALinkAcrossBridgesHasThemInItsKeyAndInItsReplies) {
    auto topology = seed();
    topology.containers.at("redis").networks[0].bridge = "br-back";
    const auto want = compile(topology, {});
    EXPECT_TRUE(want.cross_bridges);
    EXPECT_THAT(keys_in(want, "links4"), ElementsAre("\"docker0\" . 172.17.0.3 . 172.17.0.2 . tcp . 6379"));
    EXPECT_THAT(keys_in(want, "replies4"), ElementsAre("\"br-back\" . 172.17.0.2 . 172.17.0.3 . tcp . 6379"));
    const auto by_rules = compile(topology, policy([](auto& p) { p.layout = model::Layout::rules; }));
    EXPECT_THAT(
        nft::to_text(by_rules.tables[0]),
        AllOf(HasSubstr("iifname \"br-back\" oifname \"docker0\" ip saddr 172.17.0.2 ip daddr 172.17.0.3 tcp sport "
                        "6379 ct state established ct direction reply accept"),
              HasSubstr("iifname \"docker0\" oifname \"br-back\" ip saddr 172.17.0.3 ip daddr 172.17.0.2 tcp dport "
                        "6379")));
    // Within a bridge nothing of it is met.
    const auto bridged = compile(topology, policy([](auto& p) {
                                     p.layout = model::Layout::rules;
                                     p.family = model::Family::bridge;
                                 }));
    EXPECT_THAT(nft::to_text(bridged.tables[0]), Not(HasSubstr("172.17.0.2")));
    EXPECT_THAT(nft::to_text(bridged.tables[1]), HasSubstr("172.17.0.2"));
}

TEST(Compile, WhereBothShareABridgeALinkHoldsThereAlone) {
    auto topology = seed();
    topology.containers.at("redis").networks.insert(topology.containers.at("redis").networks.begin(),
                                                    {"br-back", {*model::Address::parse("10.0.0.2")}});
    EXPECT_THAT(keys_in(compile(topology, {}), "links4"),
                ElementsAre("\"docker0\" . 172.17.0.3 . 172.17.0.2 . tcp . 6379"));
    EXPECT_FALSE(compile(topology, {}).cross_bridges);
}

TEST(Compile, OtherFramesAreClosedWhereTheyAreMeantToBe) {
    auto asked = policy([](auto& p) {
        p.bridges["allowed"].other_frames = model::OtherFrames::allow;
        p.bridges["open"].icc = model::Icc::allow;
        p.bridges["stated"].other_frames = model::OtherFrames::deny;
        p.bridges["unsaid"];
    });
    EXPECT_THAT(keys_in(compile({}, asked), "closed"), ElementsAre("\"stated\"", "\"unsaid\""));
    EXPECT_EQ(compile({}, asked, {.frames = Frames::none}).tables.size(), 1u);
    asked.layout = model::Layout::rules;
    asked.attach = {{model::AttachPoint::Family::ip, "filter", "FORWARD"}};
    EXPECT_THAT(keys_in(compile({}, asked), "closed"), ElementsAre("\"stated\""))
        << "beside others' rules, if it is said";
    asked.bridges.erase("stated");
    EXPECT_EQ(compile({}, asked).tables.size(), 1u);
    const HostFacts by_port{.frames = Frames::by_port, .ports = {"veth1"}};
    EXPECT_THAT(keys_in(compile({}, {}, by_port), "ports"), ElementsAre("\"veth1\""));
}

TEST(Compile, SetsAreThereAlsoWhenTheyAreEmpty) {
    const auto names = [](const Wanted& want) {
        std::vector<std::string> found;
        for (const nft::Set& set : want.tables.at(0).sets)
            found.push_back(set.name);
        return found;
    };
    EXPECT_THAT(names(compile({}, {})), ElementsAre("links4", "replies4", "links6", "replies6", "open", "inside",
                                                    "routed", "published", "lenient", "denied", "bridges"));
    EXPECT_THAT(
        names(compile({}, policy([](auto& p) { p.family = model::Family::ip; }))),
        ElementsAre("links4", "replies4", "open", "inside", "routed", "published", "lenient", "denied", "bridges"));
    EXPECT_THAT(names(compile({}, policy([](auto& p) {
                                  p.layout = model::Layout::rules;
                                  p.counters = model::Counters::none;
                              }))),
                ElementsAre("open", "inside", "routed", "published", "lenient", "bridges"));
}

std::vector<nft::Element> elements(const nft::Ruleset& ruleset, std::string_view set) {
    const nft::Set* found = ruleset.tables.at(0).set(set);
    return found == nullptr ? std::vector<nft::Element>{} : found->elements;
}

// As nft writes them.
std::vector<std::string> keys(const nft::Ruleset& ruleset, std::string_view set) {
    std::vector<std::string> found;
    for (const nft::Element& element : elements(ruleset, set))
        found.push_back(nft::to_text(element.key, ruleset.tables.at(0).set(set)->key));
    return found;
}

TEST(Compile, TwoAliasesOfOneChildAreOnePermission) {
    auto links = seed();
    links.containers["client"].links.push_back({"redis", "cache"});
    const auto found = elements(compile(links, {}), "links4");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].comment, "/client/db /client/cache");
}

TEST(Compile, CommentsAreCutAt128Bytes) {
    auto links = seed();
    links.containers["client"].links.clear();
    for (int number = 0; number < 30; ++number)
        links.containers["client"].links.push_back({"redis", "alias" + std::to_string(number)});
    const auto found = elements(compile(links, {}), "links4");
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
    EXPECT_THAT(keys(ruleset, "links4"),
                ElementsAre("\"br-a\" . 10.0.0.9 . 10.0.0.2 . tcp . 80", "\"br-a\" . 10.0.0.9 . 10.0.0.3 . tcp . 80",
                            "\"br-b\" . 10.1.0.9 . 10.1.0.2 . tcp . 80"));
    EXPECT_THAT(keys(ruleset, "replies4"),
                ElementsAre("\"br-a\" . 10.0.0.2 . 10.0.0.9 . tcp . 80", "\"br-a\" . 10.0.0.3 . 10.0.0.9 . tcp . 80",
                            "\"br-b\" . 10.1.0.2 . 10.1.0.9 . tcp . 80"));
    EXPECT_THAT(keys(ruleset, "links6"), IsEmpty()) << "the child has no IPv6 address there";
    EXPECT_THAT(keys(ruleset, "bridges"), ElementsAre("\"br-a\"", "\"br-b\"", "\"br-c\"")) << "whose policy holds";
}

TEST(Compile, BridgesUsingTheSameAddressesDontMix) {
    const auto links =
        topology({container("a", {on("br-a", {"10.0.0.2"})}, {"80"}),
                  container("b", {on("br-a", {"10.0.0.3"})}, {}, {{"a", "a"}}),
                  container("c", {on("br-b", {"10.0.0.2"})}, {"80"}), container("d", {on("br-b", {"10.0.0.3"})})});
    EXPECT_THAT(keys(compile(links, {}), "links4"), ElementsAre("\"br-a\" . 10.0.0.3 . 10.0.0.2 . tcp . 80"));
}

TEST(Compile, RepliesHaveNoCommentsAndNoCounts) {
    const auto want = compile(seed(), {});
    EXPECT_TRUE(want.tables[0].set("links4")->counter);
    EXPECT_FALSE(want.tables[0].set("replies4")->counter);
    EXPECT_EQ(elements(want, "replies4").at(0).comment, "");
}

// Every name that a bridge may have is one, and no two become one.
TEST(Compile, BridgesAreElementsWhateverTheirNames) {
    FirewallPolicy odd;
    for (const char* name : {"br@1", "br%1", "br+1", "br.1", "br-1", "abcdefghijklmno"})
        odd.bridges[name];
    odd.bridges["br@1"].icc = model::Icc::allow;
    const auto want = compile({}, odd, {.bridges = {"br-1", "br-2"}});
    EXPECT_THAT(keys(want, "bridges"), ElementsAre("\"abcdefghijklmno\"", "\"br%1\"", "\"br+1\"", "\"br-1\"",
                                                   "\"br-2\"", "\"br.1\"", "\"br@1\""));
    EXPECT_EQ(keys(want, "denied"), keys(want, "bridges"));
    EXPECT_THAT(keys(want, "open"), ElementsAre("\"br@1\" . \"br@1\""));
    EXPECT_THAT(keys(want, "published"), IsEmpty());
}

TEST(Compile, SetsHaveRoomAndFitTheKernelsBuckets) {
    const auto size_for = [](int ports) {
        auto links = seed();
        links.containers["redis"].expose = model::parse_ports("1-" + std::to_string(ports)).value();
        return compile(links, {}).tables[0].set("links4")->size;
    };
    EXPECT_EQ(size_for(1), 192u);
    EXPECT_EQ(size_for(153), 192u);
    EXPECT_EQ(size_for(160), 384u);
    EXPECT_EQ(size_for(1000), 1536u);
}

}  // namespace
}  // namespace nftlink::firewall
