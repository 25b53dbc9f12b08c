// Whole changes on the real kernel: what is written, what stays, and what happens when somebody else writes too.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "fixture.hpp"
#include "nftlink/enforce/plan.hpp"
#include "nftlink/nft/encode.hpp"
#include "nftlink/nft/text.hpp"
#include "support/kernel_behind.hpp"

namespace nftlink::test {
namespace {

using testing::HasSubstr;

// The real kernel behind a small send buffer, as a stock host has it for who isn't root.
class SmallBuffer final : public KernelBehind {
public:
    using KernelBehind::KernelBehind;

    std::expected<kernel::Commit, kernel::Refusal> apply(const nft::Batch& batch,
                                                         std::optional<std::uint32_t> generation) override {
        EXPECT_LE(nft::encode(batch, 0, generation).bytes.size(), batch_limit());
        return KernelBehind::apply(batch, generation);
    }
    std::size_t batch_limit() override { return 200'000; }
};

class EnforceTest : public KernelTest {
protected:
    enforce::Outcome apply(const model::Topology& topology) {
        const auto outcome = enforce::apply(kernel(), target_here(kernel(), topology, policy_));
        EXPECT_TRUE(outcome) << outcome.error();
        return outcome.value_or(enforce::Outcome{});
    }

    // The commands that apply() would give to nft.
    std::string plan(const model::Topology& topology) {
        const auto planned = enforce::plan(kernel(), target_here(kernel(), topology, policy_));
        EXPECT_TRUE(planned) << planned.error();
        std::string text;
        for (const nft::Batch& batch : planned.value_or(enforce::Plan{}).transactions)
            text += nft::to_text(batch);
        return text;
    }

    std::string links() { return host().run("nft list set inet nftlink links4"); }

    model::FirewallPolicy policy_;
};

// A child with as many parents as asked for.
model::Topology star(std::uint32_t count) {
    std::vector<model::Container> containers{container("db", "docker0", {"172.17.0.2"}, {"80"})};
    for (std::uint32_t number = 0; number < count; ++number)
        containers.push_back(container(fmt::format("web{}", number), "docker0",
                                       {fmt::format("172.17.{}.{}", 1 + number / 250, 1 + number % 250)}, {},
                                       {{"db", "db"}}));
    return topology(containers);
}

TEST_F(EnforceTest, SecondApplyWritesNothing) {
    const auto first = apply(star(3));
    const auto second = apply(star(3));
    EXPECT_TRUE(second.done.transactions.empty());
    EXPECT_EQ(second.generation, first.generation);
    EXPECT_EQ(kernel().generation(), first.generation);
}

TEST_F(EnforceTest, OneMoreLinkIsOneMoreElementAndCountersSurvive) {
    apply(star(2));
    host().run(
        "nft 'delete element inet nftlink links4 { docker0 . 172.17.1.1 . 172.17.0.2 . tcp . 80 }; add element inet "
        "nftlink links4 { docker0 . 172.17.1.1 . 172.17.0.2 . tcp . 80 counter packets 7 bytes 420 comment "
        "\"/web0/db\" }'");
    EXPECT_EQ(
        plan(star(3)),
        "add element inet nftlink links4 { \"docker0\" . 172.17.1.3 . 172.17.0.2 . tcp . 80 comment \"/web2/db\" }\n"
        "add element inet nftlink replies4 { \"docker0\" . 172.17.0.2 . 172.17.1.3 . tcp . 80 }\n");
    apply(star(3));
    EXPECT_THAT(links(), HasSubstr("172.17.1.1 . 172.17.0.2 . tcp . 80 counter packets 7 bytes 420"));
    EXPECT_EQ(plan(star(2)),
              "delete element inet nftlink replies4 { \"docker0\" . 172.17.0.2 . 172.17.1.3 . tcp . 80 }\n"
              "delete element inet nftlink links4 { \"docker0\" . 172.17.1.3 . 172.17.0.2 . tcp . 80 }\n");
}

TEST_F(EnforceTest, ASetGrowsByReplacementInOneBatchWithItsCounters) {
    apply(star(150));
    host().run(
        "nft 'delete element inet nftlink links4 { docker0 . 172.17.1.1 . 172.17.0.2 . tcp . 80 }; add element inet "
        "nftlink links4 { docker0 . 172.17.1.1 . 172.17.0.2 . tcp . 80 counter packets 7 bytes 420 comment "
        "\"/web0/db\" }'");
    EXPECT_THAT(links(), HasSubstr("size 192"));
    const auto before = kernel().generation();
    const auto grown = apply(star(250));
    EXPECT_EQ(grown.done.transactions.size(), 1u);
    EXPECT_EQ(kernel().generation(), before + 1);
    EXPECT_THAT(links(), HasSubstr("size 384"));
    EXPECT_THAT(links(), HasSubstr("counter packets 7 bytes 420"));
    EXPECT_EQ(plan(star(250)), "");
    EXPECT_THAT(plan(star(150)), testing::Not(HasSubstr("add set"))) << "a larger set than wanted is as good";
}

TEST_F(EnforceTest, ForeignChangesAreUndone) {
    const auto first = apply(star(3));
    const std::string wanted = host().run("nft list ruleset");
    for (const char* change :
         {"flush ruleset", "delete element inet nftlink links4 { docker0 . 172.17.1.1 . 172.17.0.2 . tcp . 80 }",
          "add element inet nftlink links4 { docker0 . 1.1.1.1 . 172.17.0.2 . tcp . 80 }",
          "insert rule inet nftlink errors accept", "add rule inet nftlink forward quota over 5 mbytes drop",
          "flush chain inet nftlink errors", "add rule inet nftlink forward tcp dport { 1, 2 } accept",
          "'add chain inet nftlink forward { policy drop; }'", "delete table inet nftlink"}) {
        host().run(fmt::format("nft {}", *change == '\'' ? change : fmt::format("'{}'", change)));
        EXPECT_FALSE(apply(star(3)).done.transactions.empty()) << change;
        EXPECT_EQ(plan(star(3)), "") << change;
        // The order of elements is the kernel's own.
        EXPECT_EQ(host().run("nft list ruleset").size(), wanted.size()) << change;
    }
}

TEST_F(EnforceTest, WhatOthersPutIntoOurTableStaysAndWhatLeadsThereDoesNot) {
    apply(star(3));
    host().run(
        "nft 'add chain inet nftlink foreign { accept; }; add set inet nftlink foreign { type ifname; }; "
        "add counter inet nftlink foreign; add chain inet nftlink y; "
        "add map inet nftlink m { type mark : verdict; elements = { 1 : jump y } }'");
    const std::string mixed = host().run("nft list ruleset");
    EXPECT_EQ(plan(star(3)), "");
    host().run(
        "nft 'add rule inet nftlink forward iif lo jump foreign; insert rule inet nftlink forward iifname @foreign "
        "accept; insert rule inet nftlink forward meta mark vmap @m; add rule inet nftlink forward counter name "
        "foreign'");
    EXPECT_FALSE(apply(star(3)).done.transactions.empty());
    EXPECT_EQ(host().run("nft list ruleset").size(), mixed.size());
    const auto refused = enforce::clear(kernel(), "nftlink");
    ASSERT_FALSE(refused);
    for (const char* stranger : {"chain foreign", "set foreign", "chain y", "set m", "1 other object"})
        EXPECT_THAT(refused.error(), HasSubstr(stranger));
    EXPECT_EQ(host().run("nft list ruleset").size(), mixed.size());
    ASSERT_TRUE(enforce::clear(kernel(), "nftlink", enforce::Strangers::remove));
    EXPECT_EQ(host().run("nft list ruleset"), "");
}

TEST_F(EnforceTest, SwitchingPoliciesIsOneTransactionEach) {
    for (const auto layout : {model::Layout::rules, model::Layout::sets})
        for (const auto replies : {model::Replies::source_port, model::Replies::established})
            for (const auto icc : {model::Icc::allow, model::Icc::deny})
                for (const auto family : {model::Family::ip, model::Family::inet}) {
                    policy_.layout = layout;
                    policy_.replies = replies;
                    policy_.family = family;
                    policy_.bridges["docker0"].icc = icc;
                    EXPECT_EQ(apply(star(3)).done.transactions.size(), 1u);
                    EXPECT_EQ(plan(star(3)), "");
                    EXPECT_EQ(host().run("nft list tables ip; nft list tables inet"),
                              fmt::format("table {} nftlink\n", family == model::Family::ip ? "ip" : "inet"));
                }
}

TEST_F(EnforceTest, ALargeChangeIsMadeInPieces) {
    SmallBuffer small(kernel());
    const auto apply_small = [&](const model::Topology& topology) {
        const auto outcome = enforce::apply(small, target_here(small, topology, policy_));
        EXPECT_TRUE(outcome) << outcome.error();
        return outcome.value_or(enforce::Outcome{});
    };
    const auto give_count = [&](const char* set) {
        host().run(
            fmt::format("nft 'delete element inet nftlink {0} {{ docker0 . 172.17.1.1 . 172.17.0.2 . tcp . 80 }}; "
                        "add element inet nftlink {0} {{ docker0 . 172.17.1.1 . 172.17.0.2 . tcp . 80 counter "
                        "packets 7 bytes 420 comment \"/web0/db\" }}'",
                        set));
    };
    const auto has_count = [&](const char* set) {
        return host()
                   .run(fmt::format("nft list set inet nftlink {}", set))
                   .find("172.17.1.1 . 172.17.0.2 . tcp . 80 counter packets 7 bytes 420") != std::string::npos;
    };
    constexpr std::uint32_t count = 12'000;
    EXPECT_GT(apply_small(star(count)).done.transactions.size(), 1u);
    EXPECT_EQ(plan(star(count)), "");

    // A set that is too small is filled beside the old one.
    give_count("links4");
    EXPECT_GT(apply_small(star(2 * count)).done.transactions.size(), 2u);
    EXPECT_EQ(plan(star(2 * count)), "");
    EXPECT_TRUE(has_count("links4.b"));
    EXPECT_EQ(plan(star(2 * count - 1)).find("add set"), std::string::npos)
        << "small changes stay small under either name";
    apply_small(star(2 * count - 1));
    EXPECT_TRUE(has_count("links4.b"));

    policy_.counters = model::Counters::none;
    apply_small(star(count));
    EXPECT_EQ(plan(star(count)), "");
    EXPECT_EQ(host().run("nft list sets").find("links4.b"), std::string::npos) << "back under its first name";

    policy_.layout = model::Layout::rules;
    apply_small(star(300));
    EXPECT_EQ(plan(star(300)), "");
    policy_.layout = model::Layout::sets;
    policy_.family = model::Family::ip;
    apply_small(star(count));
    EXPECT_EQ(plan(star(count)), "");
    EXPECT_EQ(host().run("nft list tables ip; nft list tables inet"), "table ip nftlink\n");
}

TEST_F(EnforceTest, SomebodyElsesTableIsLeftAlone) {
    host().run("nft 'table inet nftlink { chain mine { accept; }; }'");
    const auto before = kernel().generation();
    const auto outcome = enforce::apply(kernel(), target_here(kernel(), star(1), policy_));
    ASSERT_FALSE(outcome);
    EXPECT_THAT(outcome.error(), HasSubstr("table inet nftlink exists and is not nftlink's"));
    EXPECT_EQ(kernel().generation(), before);
}

TEST_F(EnforceTest, ClearTakesEverythingOfOursAndNothingElse) {
    host().run("nft 'table ip other { chain c { accept; }; }'");
    apply(star(2));
    ASSERT_TRUE(enforce::clear(kernel(), "nftlink"));
    EXPECT_EQ(host().run("nft list tables"), "table ip other\n");
}

TEST_F(EnforceTest, BridgeNetfilterIsSwitchedOnForDenyAlone) {
    add_bridge(host(), "docker0");
    add_bridge(host(), "br-open");
    add_bridge(host(), "br-other");
    policy_.bridges["br-open"].icc = model::Icc::allow;
    EXPECT_EQ(apply(star(1)).done.switches, (std::vector<enforce::Switch>{{"docker0", {true, true}}}));
    EXPECT_TRUE(apply(star(1)).done.switches.empty());
    const auto bridges = kernel().bridges();
    EXPECT_EQ(bridges.find("docker0")->own, (kernel::BridgeNetfilter{true, true}));
    EXPECT_EQ(bridges.find("br-open")->own, kernel::BridgeNetfilter{});
    EXPECT_EQ(bridges.find("br-other")->own, kernel::BridgeNetfilter{});
    EXPECT_EQ(bridges.global, kernel::BridgeNetfilter{}) << "the global switch is never touched";
}

TEST_F(EnforceTest, FamilyIpNeedsTheIpv4SwitchAlone) {
    add_bridge(host(), "docker0");
    policy_.family = model::Family::ip;
    EXPECT_EQ(apply(star(1)).done.switches, (std::vector<enforce::Switch>{{"docker0", {true, false}}}));
}

TEST_F(EnforceTest, AMissingBridgeIsReported) {
    EXPECT_THAT(apply(star(1)).done.bridge_warnings, testing::ElementsAre(HasSubstr("bridge docker0 does not exist")));
}

}  // namespace
}  // namespace nftlink::test
