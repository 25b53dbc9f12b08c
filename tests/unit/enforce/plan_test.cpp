#include "nftlink/enforce/plan.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <system_error>
#include <utility>

#include "nftlink/kernel/fake_kernel.hpp"
#include "nftlink/nft/text.hpp"

namespace nftlink::enforce {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Target small_target() {
    model::FirewallPolicy policy;
    policy.bridges["docker0"];
    return make_target({}, policy);
}

// The names in a set of interfaces of our table.
std::vector<std::string> names_in(const nft::Table& table, std::string_view set) {
    std::vector<std::string> names;
    for (const nft::Element& element : table.set(set)->elements)
        names.push_back(nft::to_text(element.key, table.set(set)->key));
    return names;
}

kernel::Bridges with_docker0(bool module_loaded = true) {
    return {{{"docker0", 3, {}}}, module_loaded, {}};
}

TEST(Apply, SecondTimeWritesNothing) {
    kernel::FakeKernel kernel;
    kernel.bridge_state = with_docker0();
    ASSERT_TRUE(apply(kernel, small_target()));
    EXPECT_EQ(kernel.commit_count, 1u);
    const auto again = apply(kernel, small_target());
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->done.empty());
    EXPECT_EQ(kernel.commit_count, 1u);
}

TEST(Apply, StartsAgainWhenTheRulesetChangesMeanwhile) {
    kernel::FakeKernel kernel;
    int others = 3;
    kernel.before_apply = [&] {
        if (others-- > 0)
            ++kernel.ruleset().generation;
    };
    EXPECT_TRUE(apply(kernel, small_target()));
    EXPECT_EQ(kernel.commit_count, 1u);
}

TEST(Apply, ABusyHostStarvesNobody) {
    kernel::FakeKernel kernel;
    std::uint32_t last_read = 0;
    kernel.fails = [&](kernel::FakeKernel::Step step) {
        if (step == kernel::FakeKernel::Step::snapshot)
            last_read = kernel.generation();
        return false;
    };
    kernel.before_apply = [&] { ++kernel.ruleset().generation; };
    const auto outcome = apply(kernel, small_target());
    ASSERT_TRUE(outcome) << outcome.error();
    EXPECT_EQ(kernel.commit_count, 1u);
    EXPECT_EQ(outcome->generation, last_read) << "what others committed was not looked at";
    EXPECT_LT(outcome->generation, kernel.generation());
    EXPECT_TRUE(plan(kernel, small_target())->transactions.empty());
    EXPECT_TRUE(clear(kernel, "nftlink"));
    EXPECT_TRUE(kernel.ruleset().tables.empty());
}

// Without the guard the kernel says itself that what was to be changed is no longer there.
TEST(Apply, WhatIsGoneMeanwhileIsPlannedAnewWithoutTheGuardToo) {
    kernel::FakeKernel kernel;
    ASSERT_TRUE(apply(kernel, small_target()));
    Target target = small_target();
    target.want.tables[0].chains.back().rules.pop_back();
    int attempts = 0;
    kernel.before_apply = [&] {
        ++kernel.ruleset().generation;
        if (++attempts == 4)
            kernel.ruleset().tables.clear();
    };
    const auto outcome = apply(kernel, target);
    ASSERT_TRUE(outcome) << outcome.error();
    EXPECT_EQ(attempts, 5);
    EXPECT_TRUE(plan(kernel, target)->transactions.empty());
}

TEST(Apply, GivesUpWhenItsTableNeverStays) {
    kernel::FakeKernel kernel;
    ASSERT_TRUE(apply(kernel, small_target()));
    const nft::Ruleset whole = kernel.ruleset();
    Target target = small_target();
    target.want.tables[0].chains.back().rules.pop_back();
    kernel.before_apply = [&] {
        ++kernel.ruleset().generation;
        kernel.ruleset().tables.clear();
    };
    kernel.fails = [&](kernel::FakeKernel::Step step) {
        if (step == kernel::FakeKernel::Step::snapshot)
            kernel.ruleset().tables = whole.tables;
        return false;
    };
    const auto outcome = apply(kernel, target);
    ASSERT_FALSE(outcome);
    EXPECT_THAT(outcome.error(), HasSubstr("gave up after 20 attempts: kernel refused"));
}

TEST(Apply, WhatTheKernelRefusesIsNotTriedAgain) {
    kernel::FakeKernel kernel;
    int applies = 0;
    kernel.fails = [&](kernel::FakeKernel::Step step) {
        applies += step == kernel::FakeKernel::Step::apply ? 1 : 0;
        return step == kernel::FakeKernel::Step::apply;
    };
    const auto outcome = apply(kernel, small_target());
    ASSERT_FALSE(outcome);
    EXPECT_THAT(outcome.error(), HasSubstr("Cannot allocate memory"));
    EXPECT_EQ(applies, 1);
}

// Every step in turn: nothing is done, or it is said that it was.
TEST(Apply, EachStepMayFail) {
    using Step = kernel::FakeKernel::Step;
    for (const Step failing : {Step::snapshot, Step::bridges, Step::apply, Step::enable}) {
        kernel::FakeKernel kernel;
        kernel.bridge_state = with_docker0();
        kernel.fails = [&](Step step) { return step == failing; };
        if (failing == Step::snapshot || failing == Step::bridges) {
            EXPECT_THROW(static_cast<void>(apply(kernel, small_target())), std::system_error);
        } else {
            const auto outcome = apply(kernel, small_target());
            ASSERT_FALSE(outcome);
            EXPECT_EQ(outcome.error().find("the rules are in place") != std::string::npos, failing == Step::enable);
        }
        EXPECT_EQ(kernel.commit_count, failing == Step::enable ? 1u : 0u);
    }
}

TEST(Apply, LeavingTheBridgeFamilyTakesTwoPartsAndNoWaiting) {
    kernel::FakeKernel kernel;
    kernel.bridge_state = with_docker0();
    model::FirewallPolicy policy;
    policy.bridges["docker0"];
    policy.family = model::Family::bridge;
    const auto old = apply(kernel, make_target({}, policy));
    ASSERT_TRUE(old);
    EXPECT_EQ(old->again_in.count(), 0);

    const auto first = apply(kernel, small_target());
    ASSERT_TRUE(first) << first.error();
    EXPECT_GT(first->again_in.count(), 0);
    EXPECT_THAT(first->done.switches, ElementsAre(Switch{"docker0", {true, true}}));
    EXPECT_THAT(first->done.transactions, IsEmpty()) << "the table beside it is the one that is wanted";
    EXPECT_EQ(first->generation, kernel.generation());
    EXPECT_NE(kernel.ruleset().table(nft::Family::bridge, "nftlink"), nullptr) << "in force until the second part";
    EXPECT_NE(kernel.ruleset().table(nft::Family::inet, "nftlink"), nullptr);

    const auto second = apply(kernel, small_target());
    ASSERT_TRUE(second) << second.error();
    EXPECT_EQ(second->again_in.count(), 0);
    EXPECT_EQ(second->done.transactions.size(), 1u);
    ASSERT_EQ(kernel.ruleset().tables.size(), 2u) << "and that of frames";
    EXPECT_EQ(kernel.ruleset().table(nft::Family::bridge, "nftlink"), nullptr);
    EXPECT_TRUE(plan(kernel, small_target())->empty());
}

TEST(Apply, LeavingTheBridgeFamilyItsTableGoesLast) {
    kernel::FakeKernel kernel;
    kernel.bridge_state = with_docker0();
    model::FirewallPolicy policy;
    policy.bridges["docker0"];
    policy.family = model::Family::bridge;
    ASSERT_TRUE(apply(kernel, make_target({}, policy)));
    policy.family = model::Family::ip;
    const auto first = apply(kernel, make_target({}, policy));
    ASSERT_TRUE(first) << first.error();
    EXPECT_GT(first->again_in.count(), 0);
    EXPECT_EQ(first->done.transactions.size(), 1u) << "the preparation alone";
    EXPECT_NE(kernel.ruleset().table(nft::Family::ip, "nftlink"), nullptr);
    EXPECT_NE(kernel.ruleset().table(nft::Family::bridge, "nftlink"), nullptr) << "in force until the second part";
    EXPECT_NE(kernel.ruleset().table(nft::Family::inet, "nftlink"), nullptr) << "likewise";
    ASSERT_TRUE(apply(kernel, make_target({}, policy)));
    EXPECT_EQ(kernel.ruleset().tables.size(), 2u);
    EXPECT_EQ(kernel.ruleset().table(nft::Family::bridge, "nftlink"), nullptr);
}

TEST(Apply, SwitchesBridgeNetfilterOn) {
    kernel::FakeKernel kernel;
    kernel.bridge_state = with_docker0();
    const auto outcome = apply(kernel, small_target());
    EXPECT_THAT(outcome->done.switches, ElementsAre(Switch{"docker0", {true, true}}));
    EXPECT_EQ(outcome->done.switches[0].to_string(),
              "ip link set docker0 type bridge nf_call_iptables 1 nf_call_ip6tables 1");
    EXPECT_EQ(kernel.bridge_state.bridges[0].own, (kernel::BridgeNetfilter{true, true}));
}

TEST(Plan, TheGlobalSwitchIsAsGood) {
    kernel::FakeKernel kernel;
    kernel.bridge_state = with_docker0();
    kernel.bridge_state.global = {true, false};
    EXPECT_THAT(plan(kernel, small_target())->switches, ElementsAre(Switch{"docker0", {false, true}}));
}

TEST(Plan, SaysWhatCannotBeEnforced) {
    kernel::FakeKernel kernel;
    EXPECT_THAT(plan(kernel, small_target())->bridge_warnings, ElementsAre(HasSubstr("bridge docker0 does not exist")));
    kernel.bridge_state = with_docker0(false);
    const auto planned = plan(kernel, small_target());
    EXPECT_THAT(planned->bridge_warnings, ElementsAre(HasSubstr("br_netfilter module is not loaded")));
    EXPECT_TRUE(planned->switches.empty());
}

TEST(Plan, NamesTheChainsThatAreMissing) {
    kernel::FakeKernel kernel;
    model::FirewallPolicy policy;
    policy.layout = model::Layout::rules;
    policy.attach = {{model::AttachPoint::Family::ip, "filter", "FORWARD"}};
    const auto planned = plan(kernel, make_target({}, policy));
    EXPECT_THAT(planned->missing_chains, ElementsAre("ip filter FORWARD"));
    EXPECT_THAT(planned->warnings, ElementsAre(HasSubstr("chain ip filter FORWARD does not exist")));
    EXPECT_THAT(plan(kernel, small_target())->missing_chains, IsEmpty());
}

TEST(Plan, RefusesSomebodyElsesTable) {
    kernel::FakeKernel kernel;
    nft::Table foreign;
    foreign.name = "nftlink";
    kernel.ruleset().tables.push_back(foreign);
    EXPECT_TRUE(plan(kernel, small_target())) << "an empty one is free to take";
    kernel.ruleset().tables[0].other_object_count = 1;
    EXPECT_FALSE(plan(kernel, small_target())) << "a counter or flowtable is somebody's";
    kernel.ruleset().tables[0].other_object_count = 0;
    kernel.ruleset().tables[0].chains.emplace_back().name = "mine";
    const auto planned = plan(kernel, small_target());
    ASSERT_FALSE(planned);
    EXPECT_THAT(planned.error(), HasSubstr("nft delete table inet nftlink"));
}

TEST(Clear, DeletesWhatCarriesOurMark) {
    kernel::FakeKernel kernel;
    ASSERT_TRUE(apply(kernel, small_target()));
    kernel.ruleset().tables.emplace_back().name = "other";
    ASSERT_TRUE(clear(kernel, "nftlink"));
    ASSERT_EQ(kernel.ruleset().tables.size(), 1u);
    EXPECT_EQ(kernel.ruleset().tables[0].name, "other");
}

TEST(Clear, FindsATableByItsFormAlone) {
    kernel::FakeKernel kernel;
    ASSERT_TRUE(apply(kernel, small_target()));
    nft::Table& table = kernel.ruleset().tables[0];
    const auto forget = [](auto& object) {
        object.comment.clear();
        object.owner.clear();
    };
    forget(table);
    std::ranges::for_each(table.sets, forget);
    for (nft::Chain& chain : table.chains) {
        forget(chain);
        std::ranges::for_each(chain.rules, forget);
    }
    ASSERT_TRUE(clear(kernel, "nftlink"));
    EXPECT_TRUE(kernel.ruleset().tables.empty());
}

// One parent and so many children.
Target star(int count) {
    model::FirewallPolicy policy;
    policy.bridges["docker0"];
    model::Topology topology;
    const auto at = [](int last, int before) {
        return std::vector{model::Network{
            "docker0", {*model::Address::parse("10.0." + std::to_string(before) + "." + std::to_string(last))}}};
    };
    topology.containers["web"] = {"web", at(1, 0), {}, {}, {}};
    for (int number = 0; number < count; ++number) {
        const std::string name = "c" + std::to_string(number);
        topology.containers[name] = {name, at(number % 250 + 1, 1 + number / 250), *model::parse_ports("80"), {}, {}};
        topology.containers["web"].links.push_back({name, name});
    }
    return make_target(topology, policy);
}

TEST(DenyFirst, MakesThePolicyWithoutTheLinks) {
    kernel::FakeKernel kernel;
    kernel.bridge_state = with_docker0();
    const Target target = star(100);
    ASSERT_TRUE(deny_first(kernel, target));
    const nft::Table* table = kernel.ruleset().table(nft::Family::inet, "nftlink");
    ASSERT_NE(table, nullptr);
    EXPECT_TRUE(table->set("links4")->elements.empty());
    EXPECT_TRUE(table->set("replies4")->elements.empty());
    EXPECT_THAT(names_in(*table, "bridges"), ElementsAre("\"docker0\"")) << "what isn't linked is dropped there";
    EXPECT_EQ(table->chain("forward")->rules.size(), target.want.tables[0].chain("forward")->rules.size());
    const auto outcome = apply(kernel, target);
    ASSERT_TRUE(outcome);
    ASSERT_EQ(outcome->done.transactions.size(), 1U);
    EXPECT_EQ(outcome->done.transactions[0].size(), 2U) << "the elements of links and replies are all that is missing";
    EXPECT_EQ(kernel.ruleset().tables[0].set("links4")->elements.size(), 100U);
}

TEST(DenyFirst, IsNotForWhatIsThereNorForFewLinks) {
    kernel::FakeKernel kernel;
    kernel.bridge_state = with_docker0();
    EXPECT_FALSE(deny_first(kernel, star(64)));
    ASSERT_TRUE(apply(kernel, star(3)));
    const std::size_t commits = kernel.commit_count;
    EXPECT_FALSE(deny_first(kernel, star(100)));
    EXPECT_EQ(kernel.commit_count, commits);
}

}  // namespace
}  // namespace nftlink::enforce
