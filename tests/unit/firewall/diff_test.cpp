#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "nftlink/firewall/firewall.hpp"
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
              "delete element inet nftlink links4-docker0 { 172.17.0.3 . 172.17.0.2 . tcp . 80 }\n"
              "delete element inet nftlink links6-docker0 { fd00::3 . fd00::2 . tcp . 80 }\n"
              "add element inet nftlink links4-docker0 { 172.17.0.3 . 172.17.0.2 . tcp . 82 comment \"/client/db\" }\n"
              "add element inet nftlink links6-docker0 { fd00::3 . fd00::2 . tcp . 82 comment \"/client/db\" }\n");
}

TEST(Diff, AnElementsNewCommentKeepsItsCounter) {
    auto kernel = kernel_with(compile(seed(), {}));
    kernel.ruleset().tables[0].sets[0].elements[0].counters = nft::Counters{7, 420};
    auto links = seed();
    links.containers["client"].links[0].alias = "cache";
    const std::string text = change(kernel, compile(links, {}));
    EXPECT_THAT(text, testing::HasSubstr("counter packets 7 bytes 420 comment \"/client/cache\""));
}

TEST(Diff, OneRuleGoesInItsPlace) {
    auto kernel = kernel_with(compile(with_ports("80-82"), rules_policy()));
    const auto& rules = kernel.ruleset().tables[0].chain("bridge-docker0")->rules;
    const auto second = rules[1].handle, third = rules[2].handle;
    auto links = with_ports("80-82");
    links.containers["redis"].expose.erase(links.containers["redis"].expose.begin() + 1);
    EXPECT_EQ(change(kernel, compile(links, rules_policy())),
              fmt::format("delete rule ip nftlink bridge-docker0 handle {}\n", second));
    ASSERT_TRUE(kernel.apply(diff(kernel.snapshot(every_table), compile(links, rules_policy())), {}));
    EXPECT_EQ(change(kernel, compile(with_ports("80-82"), rules_policy())),
              fmt::format("insert rule ip nftlink bridge-docker0 handle {} ip saddr 172.17.0.3 ip daddr 172.17.0.2 tcp "
                          "dport 81 counter packets 0 bytes 0 accept comment \"/client/db\"\n",
                          third));
}

TEST(Diff, ARulesNewCommentKeepsItsCounter) {
    auto kernel = kernel_with(compile(seed(), rules_policy()));
    nft::Rule& rule = kernel.ruleset().tables[0].chains[1].rules[0];
    *nft::counters(rule) = {7, 420};
    auto links = seed();
    links.containers["client"].links[0].alias = "cache";
    EXPECT_EQ(
        change(kernel, compile(links, rules_policy())),
        fmt::format("replace rule ip nftlink bridge-docker0 handle {} ip saddr 172.17.0.3 ip daddr 172.17.0.2 tcp "
                    "dport 6379 counter packets 7 bytes 420 accept comment \"/client/cache\"\n",
                    rule.handle));
}

TEST(Diff, ALargerSetStays) {
    auto kernel = kernel_with(compile(with_ports("1-200"), {}));
    const std::string text = change(kernel, compile(with_ports("1-10"), {}));
    EXPECT_TRUE(text.starts_with("delete element")) << text;
    EXPECT_EQ(text.find("delete set"), std::string::npos);
}

// 1,001 ports are 2,002 elements, in two sets.
TEST(Diff, MoreDifferencesThanElementsReplaceTheTable) {
    auto kernel = kernel_with(compile(with_ports("1-1001"), {}));
    kernel.ruleset().tables[0].sets[0].elements[1000].counters = nft::Counters{7, 420};  // port 1001
    const auto want = compile(with_ports("1001-2001"), {});
    const nft::Batch batch = diff(kernel.snapshot(every_table), want);
    EXPECT_TRUE(std::holds_alternative<nft::DeleteTable>(batch.at(0).action));
    ASSERT_TRUE(kernel.apply(batch, {}));
    EXPECT_EQ(change(kernel, want), "");
    EXPECT_EQ(kernel.ruleset().tables[0].sets[0].elements[0].counters, (nft::Counters{7, 420}));
    const auto half = compile(with_ports("1500-2500"), {});
    EXPECT_TRUE(change(kernel, half).starts_with("delete element")) << "998 go and 998 come of 2,002";
    EXPECT_TRUE(nft::to_text(diff(kernel.snapshot(every_table), want, {.replaces = false})).empty());
}

TEST(Diff, AMovedRuleGoesBackWithItsCounter) {
    const auto want = compile(with_ports("80-83"), rules_policy());
    auto kernel = kernel_with(want);
    auto& rules = kernel.ruleset().tables[0].chains[1].rules;
    *nft::counters(rules[0]) = {7, 420};
    const auto moved = rules[0].handle, second = rules[1].handle;
    std::rotate(rules.begin(), rules.begin() + 1, rules.begin() + 3);
    EXPECT_EQ(change(kernel, want),
              fmt::format("delete rule ip nftlink bridge-docker0 handle {}\n"
                          "insert rule ip nftlink bridge-docker0 handle {} ip saddr 172.17.0.3 ip daddr 172.17.0.2 tcp "
                          "dport 80 counter packets 7 bytes 420 accept comment \"/client/db\"\n",
                          moved, second));
}

TEST(Diff, ATableWithForeignObjectsIsNotRebuilt) {
    const auto want = compile(seed(), {});
    auto kernel = kernel_with(want);
    kernel.ruleset().tables[0].other_object_count = 1;
    EXPECT_EQ(change(kernel, want), "");
}

TEST(Diff, ARebuiltTableKeepsItsCounters) {
    for (const auto& policy : {FirewallPolicy{}, rules_policy()}) {
        auto kernel = kernel_with(compile(seed(), policy));
        nft::Table& table = kernel.ruleset().tables[0];
        table.comment = "somebody took the tag away";
        if (table.sets.empty())
            *nft::counters(table.chains[1].rules[0]) = {7, 420};
        else
            table.sets[0].elements[0].counters = nft::Counters{7, 420};
        const std::string text = change(kernel, compile(seed(), policy));
        EXPECT_TRUE(text.starts_with("delete table")) << text;
        EXPECT_THAT(text, testing::HasSubstr("counter packets 7 bytes 420"));
    }
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
        nft::Bytes* const places[] = {&table.unknown, &table.chains[0].unknown, &table.chains[1].rules[0].unknown,
                                      &table.sets[0].unknown, &table.sets[0].elements[0].unknown};
        *places[detail] = {1, 2, 3};
        EXPECT_NE(change(kernel, want), "") << detail;
        ASSERT_TRUE(kernel.apply(diff(kernel.snapshot(every_table), want), {})) << detail;
        EXPECT_EQ(change(kernel, want), "") << detail;
    }
}

TEST(Clear, OfForeignTablesIsEmpty) {
    auto kernel = kernel_with(compile(seed(), {}));
    kernel.ruleset().tables.emplace_back().name = "foreign";
    EXPECT_EQ(nft::to_text(clear(kernel.snapshot(every_table), "nftlink")), "delete table inet nftlink\n");
}

// Random configurations, one after the other: every change is accepted and leads to what was wanted.
class Random {
public:
    explicit Random(unsigned seed) : generator_(seed) {}

    unsigned below(unsigned limit) { return std::uniform_int_distribution<unsigned>(0, limit - 1)(generator_); }
    bool chance() { return below(2) == 0; }

    FirewallPolicy policy() {
        FirewallPolicy made;
        made.family = chance() ? model::Family::inet : model::Family::ip;
        made.layout = chance() ? model::Layout::sets : model::Layout::rules;
        made.replies = chance() ? model::Replies::established : model::Replies::source_port;
        made.counters = chance();
        made.log_drops = chance();
        made.priority = static_cast<std::int32_t>(below(2));
        made.table = chance() ? "nftlink" : "links";
        if (chance())
            made.accept_mark = below(3) + 1;
        for (const char* bridge : {"br0", "br1"})
            if (chance())
                made.bridges[bridge] = {chance() ? model::Icc::deny : model::Icc::allow, chance()};
        return made;
    }

    model::Topology topology() {
        model::Topology made;
        const unsigned count = below(8);
        for (unsigned number = 0; number < count; ++number) {
            auto one = container(fmt::format("c{}", number), {}, {});
            for (unsigned bridge = 0; bridge < 2; ++bridge)
                if (chance())
                    one.networks.push_back(on(
                        fmt::format("br{}", bridge),
                        {fmt::format("10.{}.0.{}", bridge, number + 1), fmt::format("fd0{}::{}", bridge, number + 1)}));
            one.expose = model::parse_ports(fmt::format("{}-{}", 80, 80 + below(150))).value();
            for (unsigned child = 0; child < count; ++child)
                if (below(3) == 0 && child != number)
                    one.links.push_back({fmt::format("c{}", child), fmt::format("a{}", below(1000))});
            made.containers[one.name] = std::move(one);
        }
        return made;
    }

private:
    std::mt19937 generator_;
};

TEST(Diff, EveryChangeLeadsToWhatWasWanted) {
    Random random(20261124);
    kernel::FakeKernel kernel;
    FirewallPolicy policy;
    for (int round = 0; round < 60; ++round) {
        if (random.below(4) == 0)
            policy = random.policy();
        const auto want = compile(random.topology(), policy);
        const std::size_t limit = random.chance() ? 1 << 24 : 20'000;
        const auto have = kernel.snapshot(every_table);
        for (const nft::Batch& batch : transactions(have, want, limit).batches) {
            const auto commit = kernel.apply(batch, {});
            ASSERT_TRUE(commit) << round << ": " << commit.error().to_string() << "\n" << nft::to_text(batch);
        }
        ASSERT_TRUE(transactions(kernel.snapshot(every_table), want, limit).batches.empty()) << round;
        ASSERT_EQ(kernel.ruleset().tables.size(), 1u) << round;
    }
}

TEST(Transactions, ATableThatIsTooLargeToBeReplacedIsNot) {
    auto kernel = kernel_with(compile(with_ports("1-1001"), {}));
    const auto want = compile(with_ports("2001-3001"), {});
    EXPECT_EQ(transactions(kernel.snapshot(every_table), want, 1 << 20).batches.size(), 1u);
    const auto parts = transactions(kernel.snapshot(every_table), want, 50'000).batches;
    ASSERT_GT(parts.size(), 1u);
    for (const nft::Batch& part : parts) {
        EXPECT_EQ(nft::to_text(part).find("delete table"), std::string::npos);
        ASSERT_TRUE(kernel.apply(part, {}));
    }
    EXPECT_TRUE(transactions(kernel.snapshot(every_table), want, 50'000).batches.empty());
}

TEST(Transactions, AllButTheLastTouchNothingThatPacketsMeet) {
    auto kernel = kernel_with(compile(with_ports("1-10"), {}));
    const auto want = compile(with_ports("100-1100"), {});
    const auto parts = transactions(kernel.snapshot(every_table), want, 20'000).batches;
    ASSERT_GT(parts.size(), 3u);
    // What packets meet: the base chain, the bridge's chain, and the set that it looks up.
    const auto live = [&] {
        nft::Table table = kernel.ruleset().tables[0];
        std::erase_if(table.chains, [](const nft::Chain& chain) { return chain.name.ends_with("/b"); });
        std::erase_if(table.sets, [](const nft::Set& set) { return set.name.ends_with("/b"); });
        return nft::to_text(table);
    };
    const std::string before = live();
    for (std::size_t index = 0; index + 1 < parts.size(); ++index) {
        ASSERT_TRUE(kernel.apply(parts[index], {}));
        EXPECT_EQ(live(), before);
    }
    ASSERT_TRUE(kernel.apply(parts.back(), {}));
    EXPECT_NE(live(), before);
    EXPECT_EQ(kernel.ruleset().tables[0].set("links4-docker0/b")->elements.size(), 1001u);
}

}  // namespace
}  // namespace nftlink::firewall
