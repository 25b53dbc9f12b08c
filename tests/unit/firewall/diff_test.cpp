#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nftlink/firewall/compile.hpp"
#include "nftlink/firewall/diff.hpp"
#include "nftlink/kernel/fake_kernel.hpp"
#include "nftlink/nft/text.hpp"
#include "topologies.hpp"

namespace nftlink::firewall {
namespace {

using model::FirewallPolicy;

bool every_table(const nft::Table&, const nft::Ruleset&) {
    return true;
}

// A kernel that has what is wanted.
kernel::FakeKernel kernel_with(const Wanted& want) {
    kernel::FakeKernel kernel;
    EXPECT_TRUE(kernel.apply(diff({}, want), {}));
    return kernel;
}

std::string change(kernel::FakeKernel& kernel, const Wanted& want) {
    return nft::to_text(diff(kernel.snapshot(every_table), want));
}

model::Topology with_ports(const std::string& ports) {
    auto links = seed();
    links.containers["redis"].expose = model::parse_ports(ports).value();
    return links;
}

std::vector<nft::Rule>& links_rules(kernel::FakeKernel& kernel) {
    return std::ranges::find(kernel.ruleset().tables[0].chains, "links", &nft::Chain::name)->rules;
}

FirewallPolicy rules_policy() {
    FirewallPolicy policy;
    policy.family = model::Family::ip;
    policy.layout = model::Layout::rules;
    return policy;
}

TEST(Diff, OfTheSameIsEmpty) {
    auto kernel = kernel_with(compile(seed(), {}));
    EXPECT_EQ(change(kernel, compile(seed(), {})), "");
}

TEST(Diff, OneLinkIsItsElementsAlone) {
    auto kernel = kernel_with(compile(with_ports("80-81"), {}));
    EXPECT_EQ(change(kernel, compile(with_ports("81-82"), {})),
              "delete element inet nftlink replies6 { \"docker0\" . fd00::2 . fd00::3 . tcp . 80 }\n"
              "delete element inet nftlink links6 { \"docker0\" . fd00::3 . fd00::2 . tcp . 80 }\n"
              "delete element inet nftlink replies4 { \"docker0\" . 172.17.0.2 . 172.17.0.3 . tcp . 80 }\n"
              "delete element inet nftlink links4 { \"docker0\" . 172.17.0.3 . 172.17.0.2 . tcp . 80 }\n"
              "add element inet nftlink links4 { \"docker0\" . 172.17.0.3 . 172.17.0.2 . tcp . 82 comment "
              "\"/client/db\" }\n"
              "add element inet nftlink replies4 { \"docker0\" . 172.17.0.2 . 172.17.0.3 . tcp . 82 }\n"
              "add element inet nftlink links6 { \"docker0\" . fd00::3 . fd00::2 . tcp . 82 comment \"/client/db\" }\n"
              "add element inet nftlink replies6 { \"docker0\" . fd00::2 . fd00::3 . tcp . 82 }\n");
}

// Somebody has made it anew with a size, and it would be full one day.
TEST(Diff, ASetOfBridgesHasNoSize) {
    const auto want = compile(seed(), {});
    auto kernel = kernel_with(want);
    for (nft::Set& set : kernel.ruleset().tables[0].sets)
        if (set.name == "bridges")
            set.size = 2;
    EXPECT_THAT(change(kernel, want), testing::HasSubstr("delete set inet nftlink bridges"));
}

// What is permitted on it comes before it is denied, and goes after it.
TEST(Diff, ABridgeIsAnElement) {
    FirewallPolicy policy;
    auto kernel = kernel_with(compile(seed(), policy));
    policy.bridges["br0"].icc = model::Icc::allow;
    EXPECT_EQ(change(kernel, compile(seed(), policy)),
              "add element inet nftlink open { \"br0\" . \"br0\" }\n"
              "add element inet nftlink lenient { \"br0\" }\n"
              "add element inet nftlink denied { \"br0\" }\n"
              "add element inet nftlink bridges { \"br0\" }\n");
}

TEST(Diff, AnElementsNewCommentKeepsItsCounter) {
    auto kernel = kernel_with(compile(seed(), {}));
    kernel.ruleset().tables[0].sets[0].elements[0].counters = nft::Counters{7, 420};
    auto links = seed();
    links.containers["client"].links[0].alias = "cache";
    const std::string text = change(kernel, compile(links, {}));
    EXPECT_THAT(text, testing::HasSubstr("counter packets 7 bytes 420 comment \"/client/cache\""));
}

TEST(Diff, OneLinksRulesGoInTheirPlace) {
    auto kernel = kernel_with(compile(with_ports("80-82"), rules_policy()));
    const auto& rules = kernel.ruleset().tables[0].chain("links")->rules;
    ASSERT_EQ(rules.size(), 6u);
    const auto third = rules[2].handle, fourth = rules[3].handle, fifth = rules[4].handle;
    auto links = with_ports("80-82");
    links.containers["redis"].expose.erase(links.containers["redis"].expose.begin() + 1);
    EXPECT_EQ(
        change(kernel, compile(links, rules_policy())),
        fmt::format("delete rule ip nftlink links handle {}\ndelete rule ip nftlink links handle {}\n", third, fourth));
    ASSERT_TRUE(kernel.apply(diff(kernel.snapshot(every_table), compile(links, rules_policy())), {}));
    const std::string inside = "iifname \"docker0\" oifname \"docker0\" ";
    EXPECT_EQ(change(kernel, compile(with_ports("80-82"), rules_policy())),
              fmt::format("insert rule ip nftlink links handle {0} {1}ip saddr 172.17.0.2 ip daddr 172.17.0.3 tcp "
                          "sport 81 ct state established ct direction reply accept comment \"/client/db\"\n"
                          "insert rule ip nftlink links handle {0} {1}ip saddr 172.17.0.3 ip daddr 172.17.0.2 tcp "
                          "dport 81 counter packets 0 bytes 0 accept comment \"/client/db\"\n",
                          fifth, inside));
}

TEST(Diff, ARulesNewCommentKeepsItsCounter) {
    auto kernel = kernel_with(compile(seed(), rules_policy()));
    nft::Rule& rule = links_rules(kernel)[1];
    *nft::counters(rule) = {7, 420};
    auto links = seed();
    links.containers["client"].links[0].alias = "cache";
    EXPECT_THAT(change(kernel, compile(links, rules_policy())),
                testing::HasSubstr(fmt::format(
                    "replace rule ip nftlink links handle {} iifname \"docker0\" oifname \"docker0\" ip saddr "
                    "172.17.0.3 ip daddr 172.17.0.2 tcp dport 6379 counter packets 7 bytes 420 accept comment "
                    "\"/client/cache\"\n",
                    rule.handle)));
}

TEST(Diff, AChainOfWhichNoRuleStaysIsFlushed) {
    auto kernel = kernel_with(compile(with_ports("80-90"), rules_policy()));
    EXPECT_EQ(change(kernel, compile({}, rules_policy())).substr(0, 30), "flush chain ip nftlink links\nd");
}

TEST(Diff, ALargerSetStays) {
    auto kernel = kernel_with(compile(with_ports("1-200"), {}));
    const std::string text = change(kernel, compile(with_ports("1-10"), {}));
    EXPECT_TRUE(text.starts_with("delete element")) << text;
    EXPECT_EQ(text.find("delete set"), std::string::npos);
}

TEST(Diff, HoweverMuchDiffersNoTableIsMadeAnew) {
    auto kernel = kernel_with(compile(with_ports("1-1001"), {}));
    kernel.ruleset().tables[0].sets[0].elements[1000].counters = nft::Counters{7, 420};  // port 1001
    const auto want = compile(with_ports("1001-2001"), {});
    const nft::Batch batch = diff(kernel.snapshot(every_table), want);
    EXPECT_THAT(nft::to_text(batch), testing::Not(testing::HasSubstr("delete table")));
    ASSERT_TRUE(kernel.apply(batch, {}));
    EXPECT_EQ(change(kernel, want), "");
    EXPECT_EQ(kernel.ruleset().tables[0].sets[0].elements[0].counters, (nft::Counters{7, 420}));
}

TEST(Diff, AMovedRuleGoesBackWithItsCounter) {
    const auto want = compile(with_ports("80-83"), rules_policy());
    auto kernel = kernel_with(want);
    auto& rules = links_rules(kernel);
    *nft::counters(rules[1]) = {7, 420};
    const auto moved = rules[1].handle, second = rules[2].handle;
    std::rotate(rules.begin() + 1, rules.begin() + 2, rules.begin() + 5);
    EXPECT_EQ(change(kernel, want),
              fmt::format("delete rule ip nftlink links handle {}\n"
                          "insert rule ip nftlink links handle {} iifname \"docker0\" oifname \"docker0\" ip saddr "
                          "172.17.0.3 ip daddr 172.17.0.2 tcp dport 80 counter packets 7 bytes 420 accept comment "
                          "\"/client/db\"\n",
                          moved, second));
}

TEST(Diff, ForeignObjectsInOurTableAreNoDifference) {
    const auto want = compile(seed(), {});
    auto kernel = kernel_with(want);
    kernel.ruleset().tables[0].other_object_count = 1;
    EXPECT_EQ(change(kernel, want), "");
}

// As nft's JSON leaves them.
TEST(Diff, LostCommentsOfTablesChainsAndSetsAreNoDifference) {
    const auto want = compile(seed(), {});
    auto kernel = kernel_with(want);
    nft::Table& table = kernel.ruleset().tables[0];
    table.comment = table.chains[0].comment = table.sets[0].comment = "";
    EXPECT_EQ(change(kernel, want), "");
}

// A detail of it that we don't know.
TEST(Diff, CountsGoAlongToATableOfAnotherFamilyOrName) {
    FirewallPolicy other_family, other_name;
    other_family.family = model::Family::ip;
    other_name.table = "links";
    for (const FirewallPolicy& policy : {other_family, other_name}) {
        auto kernel = kernel_with(compile(seed(), {}));
        kernel.ruleset().tables[0].sets[0].elements[0].counters = nft::Counters{7, 420};
        EXPECT_THAT(change(kernel, compile(seed(), policy)), testing::HasSubstr("counter packets 7 bytes 420"));
    }
}

TEST(Diff, WhatIsMadeAnewKeepsItsCounters) {
    for (const auto& policy : {FirewallPolicy{}, rules_policy()}) {
        const auto want = compile(seed(), policy);
        auto kernel = kernel_with(want);
        nft::Table& table = kernel.ruleset().tables[0];
        if (policy.layout == model::Layout::rules) {
            std::ranges::find(table.chains, "links", &nft::Chain::name)->unknown = {1};
            *nft::counters(links_rules(kernel)[1]) = {7, 420};
        } else {
            table.sets[0].unknown = {1};
            table.sets[0].elements[0].counters = nft::Counters{7, 420};
        }
        const auto batch = diff(kernel.snapshot(every_table), want);
        EXPECT_THAT(nft::to_text(batch), testing::HasSubstr("counter packets 7 bytes 420"));
        EXPECT_THAT(nft::to_text(batch), testing::Not(testing::HasSubstr("delete table")));
        ASSERT_TRUE(kernel.apply(batch, {})) << nft::to_text(batch);
        EXPECT_EQ(change(kernel, want), "");
    }
}

TEST(Diff, ADormantTableIsWokenInPlace) {
    const auto want = compile(seed(), {});
    auto kernel = kernel_with(want);
    kernel.ruleset().tables[0].unknown = {1};
    kernel.ruleset().tables[0].dormant = true;
    const nft::Batch batch = diff(kernel.snapshot(every_table), want);
    ASSERT_EQ(batch.size(), 1u);
    EXPECT_TRUE(std::holds_alternative<nft::AddTable>(batch[0].action));
    ASSERT_TRUE(kernel.apply(batch, {}));
    EXPECT_FALSE(kernel.ruleset().tables[0].dormant);
    EXPECT_EQ(change(kernel, want), "");
}

TEST(Diff, LeftoversOfAnotherFamilyOrNameGo) {
    auto kernel = kernel_with(compile(seed(), rules_policy()));
    kernel.ruleset().tables.emplace_back().name = "foreign";
    const std::string text = change(kernel, compile(seed(), {}));
    EXPECT_TRUE(text.starts_with("add table inet nftlink")) << text;
    EXPECT_TRUE(text.ends_with("delete table ip nftlink\n")) << text;
    EXPECT_EQ(text.find("foreign"), std::string::npos);
}

TEST(Diff, DetailsThatWeDoNotKnowAreDifferences) {
    const auto want = compile(seed(), {});
    for (int detail = 0; detail < 5; ++detail) {
        auto kernel = kernel_with(want);
        nft::Table& table = kernel.ruleset().tables[0];
        nft::Bytes* const places[] = {&table.unknown, &table.chains[0].unknown, &table.chains[0].rules[1].unknown,
                                      &table.sets[0].unknown, &table.sets[0].elements[0].unknown};
        *places[detail] = {1, 2, 3};
        EXPECT_NE(change(kernel, want), "") << detail;
        ASSERT_TRUE(kernel.apply(diff(kernel.snapshot(every_table), want), {})) << detail;
        EXPECT_EQ(change(kernel, want), "") << detail;
    }
}

TEST(Diff, WhereNothingIsWantedOurTablesGoAndOthersStay) {
    auto kernel = kernel_with(compile(seed(), {}));
    kernel.ruleset().tables.emplace_back().name = "foreign";
    EXPECT_EQ(change(kernel, {}), "delete table inet nftlink\ndelete table bridge nftlink-frames\n");
}

TEST(Frame, IsAllButTheLinks) {
    for (const auto& policy : {FirewallPolicy{}, rules_policy()}) {
        kernel::FakeKernel kernel;
        ASSERT_TRUE(kernel.apply(frame(compile(seed(), policy)), {}));
        auto unlinked = seed();
        unlinked.containers["client"].links.clear();
        EXPECT_EQ(change(kernel, compile(unlinked, policy)), "");
    }
}

}  // namespace
}  // namespace nftlink::firewall
