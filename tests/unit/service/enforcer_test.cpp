// How the target follows the bridges of the host.
#include "service/enforcer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <thread>

#include "frame.hpp"
#include "nftlink/kernel/fake_kernel.hpp"

namespace nftlink::service {
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

    void start(const std::string& text = "bridges: {docker0: , br-*: }\n") {
        desired_.emplace(std::make_shared<const config::Loaded>(*config::parse({{"nftlink.yaml", text}})));
        enforcer_.emplace(
            context_.get_executor(), kernel_, *desired_,
            Enforcer::Listener{[](const Cause&, const Enforced&) {}, [](const Cause&, const std::string&) {}});
        const auto adopted = enforcer_->adopt();
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
    // What the message of the kernel about a bridge leads to, with the pause that a repair before may have left.
    void look() {
        enforcer_->bridges_changed();
        context_.restart();
        context_.run_for(std::chrono::milliseconds(20));
    }
    // Until the pause is over that a repair has left.
    static void rest() { std::this_thread::sleep_for(std::chrono::milliseconds(100)); }
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
        for (const reconcile::BridgeState& state : enforcer_->bridges())
            names.push_back(state.bridge + (state.enforced ? "" : ": " + state.reason));
        return names;
    }

    FakeKernel kernel_;
    boost::asio::io_context context_{1};
    std::optional<Desired> desired_;
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
    rest();
    remove_bridge("br-new");
    look();
    EXPECT_FALSE(is_policed("br-new"));
    EXPECT_TRUE(is_policed("docker0"));
    EXPECT_THAT(bridges(), ElementsAre("docker0"));
    EXPECT_EQ(kernel_.commit_count, commits + 1);
    EXPECT_EQ(snapshot_count_, 0) << "the ruleset is known";
    EXPECT_EQ(enforcer_->generation(), kernel_.generation());
    EXPECT_TRUE(reconcile::plan(kernel_, enforcer_->target())->empty());
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
    rest();
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
        context_.restart();
        context_.run_for(std::chrono::milliseconds(1200));
        EXPECT_TRUE(enforcer_->in_force());
        EXPECT_TRUE(is_policed("br-new"));
        EXPECT_EQ(bridge("br-new").own, (kernel::BridgeNetfilter{true, true}));
        EXPECT_THAT(bridges(), ElementsAre("br-new", "docker0"));
    }
}

// A repair leaves others three times what it took.
TEST_F(EnforcerTest, ABridgeThatMustWaitForAPauseIsToldAsItIs) {
    start();
    kernel_.before_apply = [] {
        for (const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
             std::chrono::steady_clock::now() < end;) {
        }
    };
    add_bridge("br-new", 5);
    enforcer_->bridges_changed();
    bridge("docker0").own = {};
    enforcer_->bridges_changed();
    EXPECT_THAT(bridges(),
                ElementsAre("br-new", testing::HasSubstr("docker0: the bridge's own netfilter hooks are off")));
    rest();
    context_.restart();
    context_.run_for(std::chrono::milliseconds(20));
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
    const std::string text = "firewall: {family: bridge}\nbridges: {docker0: }\n";
    desired_.emplace(std::make_shared<const config::Loaded>(*config::parse({{"nftlink.yaml", text}})));
    enforcer_.emplace(
        context_.get_executor(), kernel_, *desired_,
        Enforcer::Listener{[](const Cause&, const Enforced&) {}, [](const Cause&, const std::string&) {}});
    const auto adopted = enforcer_->adopt();
    ASSERT_FALSE(adopted);
    EXPECT_THAT(adopted.error(), testing::HasSubstr("say family: inet"));
    EXPECT_TRUE(kernel_.ruleset().tables.empty());
}

TEST_F(EnforcerTest, ABridgeThatCameWithARefusedChangeIsNotForgotten) {
    start();
    add_bridge("br-new", 5);
    kernel_.fails = [](Step step) { return step == Step::apply; };
    EXPECT_FALSE(enforcer_->adopt());
    EXPECT_THAT(bridges(), ElementsAre("docker0"));
    count_snapshots();
    look();
    EXPECT_TRUE(is_policed("br-new"));
    EXPECT_THAT(bridges(), ElementsAre("br-new", "docker0"));
}

TEST_F(EnforcerTest, WhatIsTakenBackIsTriedAgainWithTheHostAsItIsThen) {
    start();
    kernel_.fails = [](Step step) { return step == Step::bridges; };
    enforcer_->take_back();
    EXPECT_FALSE(enforcer_->in_force());
    add_bridge("br-new", 5);
    count_snapshots();
    context_.restart();
    context_.run_for(std::chrono::milliseconds(1200));
    EXPECT_TRUE(enforcer_->in_force());
    EXPECT_TRUE(is_policed("br-new"));
}

TEST_F(EnforcerTest, EachPatternHasItsPolicy) {
    add_bridge("br-open", 5);
    start("bridges: {br-op*: {icc: allow}, '*': {}}\n");
    EXPECT_EQ(bridge("br-open").own, kernel::BridgeNetfilter{}) << "nothing is dropped there";
    EXPECT_EQ(bridge("virbr0").own, (kernel::BridgeNetfilter{true, true}));
    std::vector<std::pair<std::string, model::Icc>> states;
    for (const reconcile::BridgeState& state : enforcer_->bridges())
        states.emplace_back(state.bridge, state.icc);
    EXPECT_THAT(states, ElementsAre(std::pair("br-open", model::Icc::allow), std::pair("docker0", model::Icc::deny),
                                    std::pair("virbr0", model::Icc::deny)));
}

}  // namespace
}  // namespace nftlink::service
