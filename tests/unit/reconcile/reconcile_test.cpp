#include "nftlink/reconcile/reconcile.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nftlink/kernel/fake_kernel.hpp"

namespace nftlink::reconcile {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Target small_target() {
    model::FirewallPolicy policy;
    policy.bridges["docker0"];
    return make_target({}, policy);
}

kernel::Bridges with_docker0(bool module_loaded = true) {
    return {{{"docker0", 3, {}}}, module_loaded, {}};
}

TEST(MakeTarget, PolicesBridgesWithIccDeny) {
    model::FirewallPolicy policy;
    policy.bridges["open"].icc = model::Icc::allow;
    model::Topology topology;
    topology.containers["a"].networks = {{"open", {}}, {"unlisted", {}}};
    EXPECT_THAT(make_target(topology, policy).bridges, ElementsAre(PolicedBridge{"unlisted", {true, true}}));
    policy.family = model::Family::ip;
    EXPECT_THAT(make_target(topology, policy).bridges, ElementsAre(PolicedBridge{"unlisted", {true, false}}));
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

TEST(Apply, GivesUpWhenItNeverStops) {
    kernel::FakeKernel kernel;
    kernel.before_apply = [&] { ++kernel.ruleset().generation; };
    const auto outcome = apply(kernel, small_target());
    ASSERT_FALSE(outcome);
    EXPECT_THAT(outcome.error(), HasSubstr("changed by another program"));
    EXPECT_EQ(kernel.commit_count, 0u);
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
    EXPECT_THAT(plan(kernel, small_target())->warnings, ElementsAre(HasSubstr("bridge docker0 does not exist")));
    kernel.bridge_state = with_docker0(false);
    const auto planned = plan(kernel, small_target());
    EXPECT_THAT(planned->warnings, ElementsAre(HasSubstr("br_netfilter module is not loaded")));
    EXPECT_TRUE(planned->switches.empty());
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

TEST(Clear, DeletesWhatCarriesOurTag) {
    kernel::FakeKernel kernel;
    ASSERT_TRUE(apply(kernel, small_target()));
    kernel.ruleset().tables.emplace_back().name = "other";
    ASSERT_TRUE(clear(kernel));
    ASSERT_EQ(kernel.ruleset().tables.size(), 1u);
    EXPECT_EQ(kernel.ruleset().tables[0].name, "other");
}

TEST(Clear, FindsATableByTheTagOfARuleAlone) {
    kernel::FakeKernel kernel;
    ASSERT_TRUE(apply(kernel, small_target()));
    nft::Table& table = kernel.ruleset().tables[0];
    table.comment.clear();
    for (nft::Chain& chain : table.chains)
        chain.comment.clear();
    ASSERT_TRUE(clear(kernel));
    EXPECT_TRUE(kernel.ruleset().tables.empty());
}

}  // namespace
}  // namespace nftlink::reconcile
