// Changes that take several transactions, of which one is refused or comes too late.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <set>

#include "nftlink/enforce/plan.hpp"
#include "nftlink/kernel/fake_kernel.hpp"
#include "nftlink/nft/build.hpp"
#include "nftlink/nft/text.hpp"

namespace nftlink::enforce {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Step = kernel::FakeKernel::Step;

// All that a ruleset has, handles aside and whatever order its tables, chains and sets are in.
std::string all_of(nft::Ruleset ruleset) {
    std::set<std::string> tables;
    for (nft::Table& table : ruleset.tables) {
        std::ranges::sort(table.chains, {}, &nft::Chain::name);
        std::ranges::sort(table.sets, {}, &nft::Set::name);
        std::string text = nft::to_text(table) + "of " + table.owner + "\n";
        for (const nft::Set& set : table.sets)
            text += fmt::format("{} of {}, for {}\n", set.name, set.owner, set.size);
        for (const nft::Chain& chain : table.chains) {
            text += fmt::format("{} of {}\n", chain.name, chain.owner);
            for (const nft::Rule& rule : chain.rules)
                if (const nft::Counters* counters = nft::counters(rule))
                    text += fmt::format("{} packets, {} bytes\n", counters->packets, counters->bytes);
        }
        tables.insert(std::move(text));
    }
    return fmt::format("{}", fmt::join(tables, ""));
}

model::FirewallPolicy policy_of_docker0() {
    model::FirewallPolicy policy;
    policy.bridges["docker0"];
    return policy;
}

// A child, and parents of those numbers.
Target linked(int first, int last, const model::FirewallPolicy& policy = policy_of_docker0()) {
    model::Topology topology;
    const auto networks = [](int number) {
        const auto address = fmt::format("10.0.{}.{}", number / 250, number % 250 + 1);
        return std::vector{model::Network{"docker0", {*model::Address::parse(address)}}};
    };
    topology.containers["db"] = {"db", networks(0), *model::parse_ports("80"), {}, {}};
    for (int number = first; number <= last; ++number) {
        const std::string name = fmt::format("web{}", number);
        topology.containers[name] = {name, networks(number), {}, {}, {{"db", "db"}}};
    }
    return make_target(topology, policy);
}

struct Change {
    std::string name;
    Target from, to;
    std::size_t limit = 60'000;  // the frame alone takes most of it

    friend void PrintTo(const Change& change, std::ostream* out) { *out << change.name; }
};

std::vector<Change> changes() {
    model::FirewallPolicy by_rules = policy_of_docker0(), elsewhere = by_rules, uncounted = by_rules, logged = by_rules;
    by_rules.layout = model::Layout::rules;
    elsewhere.table = "elsewhere";
    uncounted.counters = model::Counters::none;
    logged.log_drops = true;
    logged.replies = model::Replies::source_port;
    model::FirewallPolicy ip = policy_of_docker0();
    ip.family = model::Family::ip;
    model::FirewallPolicy bridge = policy_of_docker0(), attached = by_rules;
    bridge.family = model::Family::bridge;
    attached.attach = {{model::AttachPoint::Family::ip, "filter", "FORWARD"}};
    model::FirewallPolicy beside_copies = attached;
    beside_copies.attach[0].family = model::AttachPoint::Family::inet;
    return {{"OtherLinks", linked(1, 900), linked(501, 1900)},
            {"MoreThanTheSetsHold", linked(1, 300), linked(101, 1900)},
            {"OtherRules", linked(1, 500), linked(201, 1200, logged)},
            {"Uncounted", linked(1, 500), linked(201, 1000, uncounted)},
            {"ByRules", linked(1, 300), linked(101, 130, by_rules)},
            {"BySets", linked(1, 30, by_rules), linked(11, 1400)},
            {"OtherRulesOfPorts", linked(1, 60, by_rules), linked(31, 90, by_rules)},
            {"AnotherName", linked(1, 500), linked(201, 700, elsewhere)},
            {"AnotherFamily", linked(1, 500), linked(201, 900, ip)},
            {"ToTheBridgeFamily", linked(1, 500), linked(201, 1200, bridge), 68'000},
            {"FromTheBridgeFamily", linked(1, 500, bridge), linked(201, 1800), 68'000},
            {"ToAChainOfOthers", linked(1, 60), linked(31, 60, attached)},
            {"FromAChainOfOthersInOneFamily", linked(1, 60, beside_copies), linked(31, 400)},
            {"FromAChainOfOthers", linked(1, 60, attached), linked(31, 400)},
            {"InAChainOfOthers", linked(1, 30, attached), linked(11, 40, attached)}};
}

class InPieces : public testing::TestWithParam<Change> {
protected:
    // As it is before the change, in use and beside a table of others.
    void start() {
        kernel_.fails = {};
        kernel_.limit = 1 << 24;
        kernel_.ruleset() = {};
        kernel_.bridge_state = {{{"docker0", 3, {true, true}}}, true, {}};
        for (const nft::Family family : others) {
            nft::Table& table = kernel_.ruleset().tables.emplace_back();
            table.family = family;
            table.name = "filter";
            table.chains.push_back({"FORWARD", nft::Hook{"filter", 2, 0, 1}, {}, {}, {}});
            table.chains[0].rules.push_back(nft::RuleBuilder(family).iifname("eth0").counter().accept().build());
            table.chains[0].rules[0].handle = 1'000'000;
        }
        const auto made = apply(kernel_, GetParam().from);
        ASSERT_TRUE(made) << made.error();
        std::uint64_t packets = 0;
        for (nft::Table& table : kernel_.ruleset().tables) {
            for (nft::Set& set : table.sets)
                for (nft::Element& element : set.elements)
                    if (set.counter)
                        element.counters = nft::Counters{++packets, packets * 60};
            for (nft::Chain& chain : table.chains)
                for (nft::Rule& rule : chain.rules)
                    if (nft::Counters* counters = nft::counters(rule))
                        *counters = {++packets, packets * 60};
        }
        kernel_.limit = GetParam().limit;
        applies_ = 0;
    }
    // The wanted one is there, but for counts, and nothing else of ours.
    void expect_made() {
        const auto planned = plan(kernel_, GetParam().to);
        ASSERT_TRUE(planned) << planned.error();
        EXPECT_TRUE(planned->empty());
        for (const nft::Family family : others) {
            const auto& rules = kernel_.ruleset().table(family, "filter")->chain("FORWARD")->rules;
            const auto& attached = GetParam().to.want.attached;
            EXPECT_EQ(rules.size(),
                      1 + (attached.empty() || attached[0].family != family ? 0 : attached[0].rules.size()));
            EXPECT_EQ(rules.back().handle, 1'000'000u);
        }
    }

    static constexpr nft::Family others[] = {nft::Family::ip, nft::Family::inet};
    kernel::FakeKernel kernel_;
    int applies_ = 0;
};

TEST_P(InPieces, IsMade) {
    start();
    const auto outcome = apply(kernel_, GetParam().to);
    ASSERT_TRUE(outcome) << outcome.error();
    EXPECT_GT(outcome->done.transactions.size(), 2u);
    expect_made();
}

TEST_P(InPieces, WhatWasMadeIsTakenBackWhenALaterOneIsRefused) {
    start();
    const std::size_t count = plan(kernel_, GetParam().to)->transactions.size();
    ASSERT_GT(count, 2u);
    for (std::size_t refused = 1; refused <= count; ++refused) {
        SCOPED_TRACE(fmt::format("transaction {} of {}", refused, count));
        start();
        const std::string before = all_of(kernel_.ruleset());
        kernel_.fails = [&](Step step) { return step == Step::apply && ++applies_ == static_cast<int>(refused); };
        const auto outcome = apply(kernel_, GetParam().to);
        ASSERT_FALSE(outcome);
        EXPECT_THAT(outcome.error(), HasSubstr("Cannot allocate memory"));
        EXPECT_EQ(outcome.error().find("what was done already is taken back") != std::string::npos, refused != 1);
        EXPECT_EQ(all_of(kernel_.ruleset()), before);
        const auto planned = plan(kernel_, GetParam().from);
        ASSERT_TRUE(planned) << planned.error();
        EXPECT_TRUE(planned->transactions.empty()) << nft::to_text(planned->transactions[0]).substr(0, 2000);
    }
}

TEST_P(InPieces, ItIsSaidWhenNothingCanBeTakenBackEither) {
    start();
    kernel_.fails = [&](Step step) { return step == Step::apply && ++applies_ > 1; };
    const auto outcome = apply(kernel_, GetParam().to);
    ASSERT_FALSE(outcome);
    EXPECT_THAT(outcome.error(), AllOf(HasSubstr("taking back what was done already failed too"),
                                       HasSubstr("what was denied is denied"), HasSubstr("apply again")));
    kernel_.fails = {};
    const auto again = apply(kernel_, GetParam().to);
    ASSERT_TRUE(again) << again.error();
    expect_made();
}

TEST_P(InPieces, WhatBecomesStaleInTheMiddleIsPlannedAnew) {
    start();
    kernel_.before_apply = [&] {
        if (++applies_ == 2 || applies_ == 4)
            ++kernel_.ruleset().generation;
    };
    const auto outcome = apply(kernel_, GetParam().to);
    ASSERT_TRUE(outcome) << outcome.error();
    EXPECT_GT(applies_, 2);
    EXPECT_EQ(outcome->generation, kernel_.generation());
    expect_made();
}

TEST_P(InPieces, WhatOthersTakeAwayInTheMiddleIsMadeAgain) {
    start();
    kernel_.before_apply = [&] {
        if (++applies_ == 2) {
            std::erase_if(kernel_.ruleset().tables,
                          [](const nft::Table& table) { return table.chain("forward") != nullptr; });
            ++kernel_.ruleset().generation;
        }
    };
    const auto outcome = apply(kernel_, GetParam().to);
    ASSERT_TRUE(outcome) << outcome.error();
    expect_made();
}

TEST_P(InPieces, WhatWasMadeBeforeItBecameStaleIsTakenBackToo) {
    start();
    const std::string before = all_of(kernel_.ruleset());
    kernel_.before_apply = [&] { kernel_.ruleset().generation += ++applies_ == 2 ? 1 : 0; };
    kernel_.fails = [&](Step step) { return step == Step::apply && applies_ == 3; };
    const auto outcome = apply(kernel_, GetParam().to);
    ASSERT_FALSE(outcome);
    EXPECT_THAT(outcome.error(), HasSubstr("what was done already is taken back"));
    EXPECT_EQ(all_of(kernel_.ruleset()), before);
}

INSTANTIATE_TEST_SUITE_P(All, InPieces, testing::ValuesIn(changes()), [](const auto& test) { return test.param.name; });

// A set that has once been too large for one transaction has its other name from then on, and changes as any other.
TEST(Pieces, ASetUnderItsOtherNameIsTakenBackUnderIt) {
    kernel::FakeKernel kernel;
    kernel.limit = 60'000;
    ASSERT_TRUE(apply(kernel, linked(1, 300)));
    const auto grown = apply(kernel, linked(1, 600));
    ASSERT_TRUE(grown) << grown.error();
    EXPECT_TRUE(grown->done.other_names.contains({nft::Family::inet, "links4"}));
    const nft::Table& table = kernel.ruleset().tables[0];
    EXPECT_NE(table.set("links4.b"), nullptr);
    EXPECT_EQ(table.set("links4"), nullptr);
    const std::string before = all_of(kernel.ruleset());
    int applies = 0;
    kernel.fails = [&](Step step) { return step == Step::apply && ++applies == 4; };
    EXPECT_THAT(apply(kernel, linked(1, 1500)).error(), HasSubstr("is taken back"));
    EXPECT_EQ(all_of(kernel.ruleset()), before);
    kernel.fails = {};
    const auto again = apply(kernel, linked(1, 1500));
    ASSERT_TRUE(again) << again.error();
    EXPECT_FALSE(again->done.other_names.contains({nft::Family::inet, "links4"})) << "back under the first";
    EXPECT_EQ(kernel.ruleset().tables[0].set("links4.b"), nullptr);
    EXPECT_EQ(kernel.ruleset().tables[0].set("links4")->elements.size(), 1500u);
}

// iptables-restore takes the mark off the rules of a chain: they are known by their copies.
TEST(Pieces, AttachedRulesWithoutTheirMarkAreTakenBackToo) {
    kernel::FakeKernel kernel;
    kernel.limit = 60'000;
    nft::Table& others = kernel.ruleset().tables.emplace_back();
    others.family = nft::Family::ip;
    others.name = "filter";
    others.chains.push_back({"FORWARD", nft::Hook{"filter", 2, 0, 1}, {}, {}, {}});
    model::FirewallPolicy policy = policy_of_docker0();
    policy.layout = model::Layout::rules;
    policy.attach = {{model::AttachPoint::Family::ip, "filter", "FORWARD"}};
    ASSERT_TRUE(apply(kernel, linked(1, 30, policy)));
    for (nft::Rule& rule : kernel.ruleset().tables[0].chains[0].rules)
        rule.owner.clear();
    const auto rules = [&] {
        std::set<std::string> texts;  // some may stand there twice
        for (const nft::Rule& rule : kernel.ruleset().tables[0].chains[0].rules)
            texts.insert(nft::to_text(rule));
        return texts;
    };
    const auto before = rules();
    int applies = 0;
    kernel.fails = [&](Step step) { return step == Step::apply && ++applies == 3; };
    const auto outcome = apply(kernel, linked(11, 40, policy));
    ASSERT_FALSE(outcome);
    EXPECT_THAT(outcome.error(), HasSubstr("is taken back"));
    EXPECT_EQ(rules(), before);
}

}  // namespace
}  // namespace nftlink::enforce
