// How the target follows the bridges of the host.
#include "nftlink/enforce/enforcer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "nftlink/config/config.hpp"
#include "nftlink/kernel/fake_kernel.hpp"
#include "support/frame.hpp"

namespace nftlink::enforce {
namespace {

using kernel::FakeKernel;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Step = FakeKernel::Step;

class EnforcerTest : public testing::Test {
protected:
    EnforcerTest() {
        kernel_.bridge_state = {{{"docker0", 3, {}}, {"virbr0", 4, {}}}, true, {}};
        count_snapshots();
    }

    void configure(const std::string& text) {
        loaded_ = *config::parse({{"nftlink.yaml", text}});
        enforcer_.emplace(kernel_, Clock{[this] { return now_; }, [this] { return processor_time_; }});
    }
    Goal goal() const { return {&loaded_.config.topology, &loaded_.config.firewall}; }
    void start(const std::string& text = "bridges: {docker0: , br-*: }\n") {
        configure(text);
        const auto adopted = enforcer_->adopt(goal());
        ASSERT_TRUE(adopted) << adopted.error();
        snapshot_count_ = 0;
        kernel_.element_reads = 0;
    }
    void count_snapshots() {
        kernel_.fails = [this](Step step) {
            snapshot_count_ += step == Step::snapshot ? 1 : 0;
            return false;
        };
    }
    void look() { enforcer_->bridges_changed(); }
    // The time passes, and what is due then is done.
    void pass(std::chrono::milliseconds time) {
        now_ += time;
        enforcer_->repair_due();
    }
    void add_bridge(const std::string& name, std::uint32_t index) {
        kernel_.bridge_state.bridges.push_back({name, index, {}});
        std::ranges::sort(kernel_.bridge_state.bridges, {}, &kernel::Bridge::name);
    }
    kernel::Bridge& bridge(const std::string& name) {
        return *std::ranges::find(kernel_.bridge_state.bridges, name, &kernel::Bridge::name);
    }
    void remove_bridge(const std::string& name) {
        std::erase_if(kernel_.bridge_state.bridges, [&](const kernel::Bridge& each) { return each.name == name; });
    }
    bool is_policed(const std::string& name) {
        const auto all = bridges_in(kernel_, "bridges");
        return std::ranges::find(all, name) != all.end();
    }
    std::vector<std::string> bridges() const {
        std::vector<std::string> names;
        for (const BridgeState& state : enforcer_->bridges())
            names.push_back(state.bridge + (state.enforced ? "" : ": " + state.reason));
        return names;
    }

    FakeKernel kernel_;
    config::Loaded loaded_;
    Backoff::Time now_{std::chrono::hours(1)};
    std::chrono::nanoseconds processor_time_{};
    std::optional<Enforcer> enforcer_;
    int snapshot_count_ = 0;
};

TEST_F(EnforcerTest, ABridgeThatFitsIsPolicedAsLongAsItIsThere) {
    start();
    EXPECT_THAT(bridges(), ElementsAre("docker0"));
    add_bridge("br-new", 5);
    look();
    EXPECT_TRUE(is_policed("br-new"));
    EXPECT_EQ(bridge("br-new").own, (kernel::BridgeNetfilter{true, true}));
    EXPECT_THAT(bridges(), ElementsAre("br-new", "docker0"));
    const std::size_t commits = kernel_.commit_count;
    look();
    EXPECT_EQ(kernel_.commit_count, commits) << "the switches of the bridge are our own doing";
    remove_bridge("br-new");
    look();
    EXPECT_FALSE(is_policed("br-new"));
    EXPECT_TRUE(is_policed("docker0"));
    EXPECT_THAT(bridges(), ElementsAre("docker0"));
    EXPECT_EQ(kernel_.commit_count, commits + 1);
    EXPECT_EQ(snapshot_count_, 0) << "the ruleset is known";
    EXPECT_EQ(enforcer_->generation(), kernel_.generation());
    EXPECT_TRUE(plan(kernel_, enforcer_->target())->empty());
}

// The elements of every set that says something about a bridge.
TEST_F(EnforcerTest, ABridgeThatFitsHasThePolicyOfItsPattern) {
    start("bridges: {docker0: , br-op*: {icc: allow}, br-*: }\n");
    add_bridge("br-new", 5);
    add_bridge("br-open", 6);
    look();
    EXPECT_THAT(bridges_in(kernel_, "bridges"), ElementsAre("br-new", "br-open", "docker0"));
    EXPECT_THAT(bridges_in(kernel_, "denied"), ElementsAre("br-new", "br-open", "docker0"));
    EXPECT_THAT(bridges_in(kernel_, "open"), ElementsAre("br-open"));
    EXPECT_EQ(bridge("br-open").own, kernel::BridgeNetfilter{}) << "nothing is dropped there";
    remove_bridge("br-open");
    look();
    EXPECT_THAT(bridges_in(kernel_, "bridges"), ElementsAre("br-new", "docker0"));
    EXPECT_THAT(bridges_in(kernel_, "denied"), ElementsAre("br-new", "docker0"));
    EXPECT_THAT(bridges_in(kernel_, "open"), IsEmpty());
    EXPECT_EQ(snapshot_count_, 0);
}

TEST_F(EnforcerTest, ABridgeThatComesWhereOthersHaveTakenWhatItBuildsOnIsPoliced) {
    start();
    kernel_.ruleset().tables.clear();
    ++kernel_.ruleset().generation;  // of which the event is still to come
    add_bridge("br-new", 5);
    look();
    EXPECT_TRUE(is_policed("br-new"));
    EXPECT_TRUE(is_policed("docker0"));
    EXPECT_EQ(bridge("br-new").own, (kernel::BridgeNetfilter{true, true}));
    EXPECT_THAT(bridges(), ElementsAre("br-new", "docker0"));
}

TEST_F(EnforcerTest, ABridgeThatTheKernelRefusesIsTriedAgain) {
    for (const Step step : {Step::apply, Step::enable}) {
        SCOPED_TRACE(static_cast<int>(step));
        remove_bridge("br-new");
        start();
        EXPECT_FALSE(is_policed("br-new"));
        add_bridge("br-new", 5);
        kernel_.fails = [&](Step now) { return now == step; };
        look();
        EXPECT_FALSE(enforcer_->in_force());
        count_snapshots();
        pass(std::chrono::milliseconds(1000));
        EXPECT_TRUE(enforcer_->in_force());
        EXPECT_TRUE(is_policed("br-new"));
        EXPECT_EQ(bridge("br-new").own, (kernel::BridgeNetfilter{true, true}));
        EXPECT_THAT(bridges(), ElementsAre("br-new", "docker0"));
    }
}

// A repair leaves others three times what it took.
TEST_F(EnforcerTest, ABridgeThatMustWaitForAPauseIsToldAsItIs) {
    start();
    kernel_.before_apply = [this] { processor_time_ += std::chrono::milliseconds(20); };
    add_bridge("br-new", 5);
    enforcer_->bridges_changed();
    bridge("docker0").own = {};
    enforcer_->bridges_changed();
    EXPECT_THAT(bridges(),
                ElementsAre("br-new", testing::HasSubstr("docker0: the bridge's own netfilter hooks are off")));
    pass(std::chrono::milliseconds(59));
    EXPECT_NE(bridge("docker0").own, (kernel::BridgeNetfilter{true, true}));
    pass(std::chrono::milliseconds(1));
    EXPECT_THAT(bridges(), ElementsAre("br-new", "docker0"));
    EXPECT_EQ(bridge("docker0").own, (kernel::BridgeNetfilter{true, true}));
}

TEST_F(EnforcerTest, BridgesThatAreThereAreKnownFromTheStart) {
    add_bridge("br-old", 5);
    start();
    EXPECT_TRUE(is_policed("br-old"));
    EXPECT_FALSE(is_policed("virbr0"));
    EXPECT_THAT(bridges(), ElementsAre("br-old", "docker0"));
}

TEST_F(EnforcerTest, WhatMakesNoDifferenceCostsNothing) {
    start();
    add_bridge("lxcbr0", 7);
    bridge("docker0").ports = {"veth1"};
    bridge("virbr0").own = {true, true};
    const std::size_t commits = kernel_.commit_count;
    look();
    bridge("docker0").own = {};
    look();
    EXPECT_EQ(snapshot_count_, 0);
    EXPECT_EQ(kernel_.commit_count, commits);
    EXPECT_EQ(bridge("docker0").own, (kernel::BridgeNetfilter{true, true}));
}

TEST_F(EnforcerTest, TheBridgeFamilyFollowsBridgesInBothItsTables) {
    start("firewall: {family: bridge}\nbridges: {docker0: , br-*: }\n");
    bridge("docker0").ports = {"veth1"};
    look();
    EXPECT_EQ(snapshot_count_, 0) << "a port makes no difference";
    add_bridge("br-new", 5);
    look();
    for (const nft::Family family : {nft::Family::bridge, nft::Family::inet})
        EXPECT_THAT(kernel_.ruleset().table(family, "nftlink")->set("bridges")->elements, SizeIs(2));
    EXPECT_EQ(bridge("br-new").own, kernel::BridgeNetfilter{}) << "which needs no switch";
    EXPECT_EQ(snapshot_count_, 0);
}

TEST_F(EnforcerTest, TheBridgeFamilyIsRefusedWhereTheKernelHasNoNames) {
    kernel_.family_state = kernel::BridgeFamily{.names = false, .conntrack = true};
    configure("firewall: {family: bridge}\nbridges: {docker0: }\n");
    const auto adopted = enforcer_->adopt(goal());
    ASSERT_FALSE(adopted);
    EXPECT_THAT(adopted.error(), testing::HasSubstr("say family: inet"));
    EXPECT_TRUE(kernel_.ruleset().tables.empty());
}

TEST_F(EnforcerTest, ABridgeThatCameWithARefusedChangeIsNotForgotten) {
    start();
    add_bridge("br-new", 5);
    kernel_.fails = [](Step step) { return step == Step::apply; };
    EXPECT_FALSE(enforcer_->adopt(goal()));
    EXPECT_THAT(bridges(), ElementsAre("docker0"));
    count_snapshots();
    look();
    EXPECT_TRUE(is_policed("br-new"));
    EXPECT_THAT(bridges(), ElementsAre("br-new", "docker0"));
}

TEST_F(EnforcerTest, WhatIsTakenBackIsTriedAgainWithTheHostAsItIsThen) {
    start();
    kernel_.fails = [](Step step) { return step == Step::bridges; };
    EXPECT_TRUE(enforcer_->take_back(goal()));
    EXPECT_FALSE(enforcer_->in_force());
    add_bridge("br-new", 5);
    count_snapshots();
    pass(std::chrono::milliseconds(1000));
    EXPECT_TRUE(enforcer_->in_force());
    EXPECT_TRUE(is_policed("br-new"));
}

TEST_F(EnforcerTest, EachPatternHasItsPolicy) {
    add_bridge("br-open", 5);
    start("bridges: {br-op*: {icc: allow}, '*': {}}\n");
    EXPECT_EQ(bridge("br-open").own, kernel::BridgeNetfilter{}) << "nothing is dropped there";
    EXPECT_EQ(bridge("virbr0").own, (kernel::BridgeNetfilter{true, true}));
    std::vector<std::pair<std::string, model::Icc>> states;
    for (const BridgeState& state : enforcer_->bridges())
        states.emplace_back(state.bridge, state.icc);
    EXPECT_THAT(states, ElementsAre(std::pair("br-open", model::Icc::allow), std::pair("docker0", model::Icc::deny),
                                    std::pair("virbr0", model::Icc::deny)));
}

// A change that threw was never taken back.
TEST_F(EnforcerTest, AnyExceptionLeavesTheTargetOfBeforeAndIsTriedAgain) {
    start();
    const config::Loaded before = loaded_;
    loaded_ = *config::parse({{"nftlink.yaml", "bridges: {docker0: , br-*: , virbr0: }\n"}});
    for (const Step step : {Step::snapshot, Step::apply, Step::bridges, Step::enable}) {
        SCOPED_TRACE(static_cast<int>(step));
        kernel_.fails = [&](Step now) -> bool {
            if (now == step)
                throw std::bad_alloc();
            return false;
        };
        const auto adopted = enforcer_->adopt(goal());
        ASSERT_FALSE(adopted);
        EXPECT_EQ(adopted.error(), "there is not enough memory for it");
        kernel_.fails = nullptr;
        EXPECT_THAT(bridges(), ElementsAre("docker0"));
        ASSERT_FALSE(enforcer_->take_back({&before.config.topology, &before.config.firewall}));
        EXPECT_FALSE(is_policed("virbr0"));
        EXPECT_TRUE(enforcer_->in_force());
    }
    ASSERT_TRUE(enforcer_->adopt(goal()));
    EXPECT_TRUE(is_policed("virbr0"));
}

}  // namespace
}  // namespace nftlink::enforce
