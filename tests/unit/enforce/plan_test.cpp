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

// Each bridge with the kinds of packets that must meet our rules.
std::vector<std::string> needs(const Target& target) {
    std::vector<std::string> all;
    for (const PolicedBridge& bridge : target.bridges)
        all.push_back(bridge.name + (bridge.needed.ipv4 ? " ipv4" : "") + (bridge.needed.ipv6 ? " ipv6" : ""));
    return all;
}

TEST(MakeTarget, OnlyBridgesWithIccDenyMustBeSeen) {
    model::FirewallPolicy policy;
    policy.bridges["open"].icc = model::Icc::allow;
    model::Topology topology;
    topology.containers["a"].networks = {{"open", {}}, {"unlisted", {}}};
    EXPECT_THAT(needs(make_target(topology, policy)), ElementsAre("open", "unlisted ipv4 ipv6"));
    policy.family = model::Family::ip;
    EXPECT_THAT(needs(make_target(topology, policy)), ElementsAre("open", "unlisted ipv4"));
    policy.family = model::Family::bridge;
    EXPECT_THAT(needs(make_target(topology, policy)), ElementsAre("open", "unlisted"));
}

TEST(MakeTarget, APatternStandsForTheBridgesThatAreThere) {
    kernel::FakeKernel kernel;
    kernel.bridge_state = {{{"br-a", 3, {}}, {"br-b", 4, {}}, {"docker0", 5, {}}, {"virbr0", 6, {}}}, true, {}};
    model::FirewallPolicy policy;
    EXPECT_THAT(host_facts(kernel, {}, policy, kernel.bridges())->bridges, IsEmpty());
    policy.bridge_patterns = {{"br-*", {}}, {"d*", {model::Icc::allow, false}}};
    policy.bridges["br-b"].icc = model::Icc::allow;
    const auto facts = host_facts(kernel, {}, policy, kernel.bridges());
    EXPECT_THAT(facts->bridges, ElementsAre("br-a", "docker0"));
    model::Topology topology;
    topology.containers["a"].networks = {{"br-later", {}}};
    const auto target = make_target(topology, policy, *facts);
    EXPECT_THAT(needs(target), ElementsAre("br-a ipv4 ipv6", "br-b", "br-later ipv4 ipv6", "docker0"));
    const nft::Table& table = target.want.tables.front();
    EXPECT_THAT(names_in(table, "bridges"), ElementsAre("\"br-a\"", "\"br-b\"", "\"br-later\"", "\"docker0\""));
    EXPECT_THAT(names_in(table, "open"), ElementsAre("\"br-b\" . \"br-b\"", "\"docker0\" . \"docker0\""));
}

TEST(HostFacts, TheBridgeFamilyNeedsTheNamesOfBridges) {
    kernel::FakeKernel kernel;
    kernel.family_state = kernel::BridgeFamily{.names = false, .conntrack = true};
    model::FirewallPolicy policy;
    EXPECT_TRUE(host_facts(kernel, {}, policy, kernel.bridges())) << "no other family asks for them";
    policy.family = model::Family::bridge;
    const auto facts = host_facts(kernel, {}, policy, kernel.bridges());
    ASSERT_FALSE(facts);
    EXPECT_THAT(facts.error(), AllOf(HasSubstr("meta ibrname"), HasSubstr("CONFIG_NFT_BRIDGE_META"),
                                     HasSubstr("this kernel doesn't have"), HasSubstr("say family: inet")));
    kernel.family_state = kernel::BridgeFamily{.names = true, .conntrack = true};
    EXPECT_TRUE(host_facts(kernel, {}, policy, kernel.bridges())->bridge_conntrack);
    kernel.family_state.reset();
    EXPECT_THAT(host_facts(kernel, {}, policy, kernel.bridges()).error(), HasSubstr("CAP_NET_ADMIN"));
}

TEST(HostFacts, BaseRulesOfAPatternNeedTracking) {
    kernel::FakeKernel kernel;
    kernel.family_state = kernel::BridgeFamily{true, false};
    model::FirewallPolicy policy;
    policy.family = model::Family::bridge;
    EXPECT_THAT(host_facts(kernel, {}, policy, kernel.bridges()).error(), HasSubstr("replies: source-port"));
    policy.layout = model::Layout::rules;
    policy.replies = model::Replies::source_port;
    policy.bridge_patterns = {{"br-*", {}}};
    EXPECT_TRUE(host_facts(kernel, {}, policy, kernel.bridges()));
    policy.bridge_patterns.front().policy.base_rules = true;
    EXPECT_THAT(host_facts(kernel, {}, policy, kernel.bridges()).error(), HasSubstr("base_rules"));
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

// `between_bridges: routed: allow`, those that nobody has chosen in capitals.
std::vector<std::string> open_by(const model::FirewallPolicy& policy, firewall::Frames frames = {}) {
    std::vector<std::string> words;
    for (const Opening& opening : policed_bridge("br0", policy, frames).open)
        words.push_back(
            fmt::format("{}{}: {}", opening.chosen ? "" : "NOT CHOSEN ", to_string(opening.aspect), opening.why));
    return words;
}

TEST(Openings, AreWhatTheConfigurationLeavesOpen) {
    model::FirewallPolicy policy;
    EXPECT_THAT(open_by(policy), IsEmpty());
    policy.bridges["br0"].routed = model::Routed::published;
    policy.bridges["br0"].other_frames = model::OtherFrames::allow;
    EXPECT_THAT(open_by(policy),
                ElementsAre("between_bridges: routed: published", "other_frames: other_frames: allow"));
    policy.bridges["br0"] = {};
    policy.family = model::Family::ip;
    EXPECT_THAT(open_by(policy), ElementsAre("ipv6: family: ip", "between_bridges: family: ip"));
    EXPECT_THAT(open_by(policy, firewall::Frames::none),
                testing::Contains(HasSubstr("NOT CHOSEN other_frames: this kernel has no nftables")));
    policy = {};
    policy.layout = model::Layout::rules;
    policy.bridges["br0"].base_rules = true;
    EXPECT_THAT(open_by(policy), ElementsAre("between_bridges: base_rules: true", "ended_links: base_rules: true"));
    // They let out what begins on their own bridge.
    policy.bridges["br1"] = std::exchange(policy.bridges["br0"], {});
    EXPECT_THAT(open_by(policy), ElementsAre("between_bridges: base_rules: true of br1"));
    policy.family = model::Family::bridge;
    EXPECT_THAT(open_by(policy), IsEmpty()) << "nothing leaves a bridge there";
    policy.family = model::Family::inet;
    policy.bridges.erase("br1");
    policy.bridge_patterns = {{"br-*", {model::Icc::deny, true}}};
    EXPECT_THAT(open_by(policy), ElementsAre("between_bridges: base_rules: true of br-*"));
    policy.bridge_patterns.clear();
    policy.attach = {{model::AttachPoint::Family::ip, "filter", "FORWARD"}};
    EXPECT_THAT(
        open_by(policy),
        ElementsAre("ipv6: attach names no chain for IPv6", "between_bridges: attach leaves it to the other chain",
                    "other_frames: attach, without other_frames: deny", "ended_links: attach, between bridges"));
    policy.bridges["br0"].other_frames = model::OtherFrames::deny;
    EXPECT_THAT(open_by(policy), testing::Not(testing::Contains(HasSubstr("other_frames"))));
}

TEST(BridgeStates, SayWhatIsClosed) {
    model::FirewallPolicy policy;
    policy.bridges["br0"].routed = model::Routed::allow;
    policy.bridges["eth0"];
    const kernel::Bridges bridges{{{"br0", 3, {true, false}}}, true, {}, {"eth0"}};
    auto states = bridge_states(make_target({}, policy).bridges, bridges);
    EXPECT_THAT(states[0].closed(), ElementsAre(Aspect::ipv4, Aspect::other_frames));
    EXPECT_FALSE(states[0].enforced);
    EXPECT_TRUE(states[1].present);
    EXPECT_THAT(states[1].reason, HasSubstr("it is no bridge"));
    EXPECT_THAT(states[1].closed(), IsEmpty());
    const std::string first = states[0].reason;
    states[0].not_enforced("nothing is there");
    EXPECT_THAT(states[0].closed(), IsEmpty()) << "whatever else is wrong with it";
    EXPECT_EQ(states[0].reason, first);
    EXPECT_EQ(states[0].open.size(), 4u) << "each aspect once";
}

TEST(BridgeStates, SayWhetherAPolicyIsEnforcedAndWhyNot) {
    model::FirewallPolicy policy;
    policy.bridges["docker0"];
    policy.bridges["open"].icc = model::Icc::allow;
    policy.bridges["gone"];
    policy.bridges["gone-open"].icc = model::Icc::allow;
    const Target target = make_target({}, policy);
    kernel::Bridges bridges{{{"docker0", 3, {}}, {"open", 4, {}}}, true, {}};
    using enum model::Routed;
    const auto chosen = [](Aspect aspect) { return Opening{aspect, "icc: allow", true}; };
    const BridgeState open{"open",
                           model::Icc::allow,
                           deny,
                           true,
                           true,
                           "",
                           {chosen(Aspect::ipv4), chosen(Aspect::ipv6), chosen(Aspect::other_frames)}};
    const BridgeState gone{"gone", model::Icc::deny, deny, false, false, "the bridge does not exist"};
    const BridgeState gone_open{"gone-open", model::Icc::allow, deny, false, false, "the bridge does not exist"};
    const auto docker0 = [](bool enforced, const std::string& reason) {
        BridgeState state{"docker0", model::Icc::deny, deny, true, enforced, reason};
        if (reason.contains("module") || reason.contains("call_iptables"))
            state.open.push_back({Aspect::ipv4, reason, false});
        if (!enforced)
            state.open.push_back({Aspect::ipv6, reason, false});
        return state;
    };
    const std::string off = "the bridge's own netfilter hooks are off: run ip link set docker0 type bridge";
    EXPECT_THAT(bridge_states(target.bridges, bridges),
                ElementsAre(docker0(false, off + " nf_call_iptables 1 nf_call_ip6tables 1"), gone, gone_open, open));
    bridges.bridges[0].own.ipv4 = true;
    EXPECT_EQ(bridge_states(target.bridges, bridges)[0], docker0(false, off + " nf_call_ip6tables 1"));
    bridges.global.ipv6 = true;
    EXPECT_EQ(bridge_states(target.bridges, bridges)[0], docker0(true, ""));
    bridges.module_loaded = false;
    EXPECT_EQ(bridge_states(target.bridges, bridges)[0],
              docker0(false, "the br_netfilter module is not loaded: run modprobe br_netfilter"));
    EXPECT_EQ(bridge_states(target.bridges, bridges)[3], open);
    policy.family = model::Family::bridge;
    EXPECT_EQ(bridge_states(make_target({}, policy).bridges, bridges)[0], docker0(true, "")) << "which needs no switch";
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
