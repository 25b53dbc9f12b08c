#include "nftlink/reconcile/reconcile.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <system_error>

#include "nftlink/kernel/fake_kernel.hpp"

namespace nftlink::reconcile {
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

kernel::Bridges with_docker0(bool module_loaded = true) {
    return {{{"docker0", 3, {}}}, module_loaded, {}};
}

TEST(MakeTarget, OnlyBridgesWithIccDenyMustBeSeen) {
    model::FirewallPolicy policy;
    policy.bridges["open"].icc = model::Icc::allow;
    model::Topology topology;
    topology.containers["a"].networks = {{"open", {}}, {"unlisted", {}}};
    const PolicedBridge open{"open", {false, false}, model::Icc::allow};
    EXPECT_THAT(make_target(topology, policy).bridges, ElementsAre(open, PolicedBridge{"unlisted", {true, true}}));
    policy.family = model::Family::ip;
    EXPECT_THAT(make_target(topology, policy).bridges, ElementsAre(open, PolicedBridge{"unlisted", {true, false}}));
    policy.family = model::Family::bridge;
    EXPECT_THAT(make_target(topology, policy).bridges, ElementsAre(open, PolicedBridge{"unlisted", {false, false}}));
}

TEST(MakeTarget, APatternStandsForTheBridgesThatAreThere) {
    kernel::FakeKernel kernel;
    kernel.bridge_state = {{{"br-a", 3, {}}, {"br-b", 4, {}}, {"docker0", 5, {}}, {"virbr0", 6, {}}}, true, {}};
    model::FirewallPolicy policy;
    EXPECT_THAT(host_facts(kernel, policy)->bridges, IsEmpty());
    policy.bridge_patterns = {{"br-*", {}}, {"d*", {model::Icc::allow, false}}};
    policy.bridges["br-b"].icc = model::Icc::allow;
    const auto facts = host_facts(kernel, policy);
    EXPECT_THAT(facts->bridges, ElementsAre("br-a", "docker0"));
    model::Topology topology;
    topology.containers["a"].networks = {{"br-later", {}}};
    const auto target = make_target(topology, policy, *facts);
    EXPECT_THAT(target.bridges, ElementsAre(PolicedBridge{"br-a", {true, true}},
                                            PolicedBridge{"br-b", {false, false}, model::Icc::allow},
                                            PolicedBridge{"br-later", {true, true}},
                                            PolicedBridge{"docker0", {false, false}, model::Icc::allow}));
    const nft::Table& table = target.want.tables.front();
    for (const std::string chain : {"bridge-br-a", "bridge-br-b", "bridge-br-later", "bridge-docker0"})
        EXPECT_NE(table.chain(chain), nullptr) << chain;
    EXPECT_EQ(table.chain("bridge-virbr0"), nullptr);
    EXPECT_EQ(table.chain("bridge-br-a")->rules.size(), table.chain("bridge-br-later")->rules.size());
}

TEST(HostFacts, BaseRulesOfAPatternNeedTracking) {
    kernel::FakeKernel kernel;
    kernel.family_state = kernel::BridgeFamily{true, false};
    model::FirewallPolicy policy;
    policy.family = model::Family::bridge;
    policy.replies = model::Replies::source_port;
    policy.bridge_patterns = {{"br-*", {}}};
    EXPECT_TRUE(host_facts(kernel, policy));
    policy.bridge_patterns.front().policy.base_rules = true;
    EXPECT_THAT(host_facts(kernel, policy).error(), HasSubstr("base_rules"));
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
    EXPECT_EQ(first->done.transactions.size(), 1u) << "the preparation alone";
    EXPECT_EQ(first->generation, kernel.generation());
    EXPECT_NE(kernel.ruleset().table(nft::Family::bridge, "nftlink"), nullptr) << "in force until the second part";
    EXPECT_EQ(kernel.ruleset().table(nft::Family::inet, "nftlink")->chain("forward"), nullptr);
    EXPECT_NE(kernel.ruleset().table(nft::Family::inet, "nftlink")->chain("bridge-docker0"), nullptr);

    const auto second = apply(kernel, small_target());
    ASSERT_TRUE(second) << second.error();
    EXPECT_EQ(second->again_in.count(), 0);
    EXPECT_EQ(second->done.transactions.size(), 1u);
    ASSERT_EQ(kernel.ruleset().tables.size(), 1u);
    EXPECT_NE(kernel.ruleset().tables[0].chain("forward"), nullptr);
    EXPECT_TRUE(plan(kernel, small_target())->empty());
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

TEST(BridgeStates, SayWhetherAPolicyIsEnforcedAndWhyNot) {
    model::FirewallPolicy policy;
    policy.bridges["docker0"];
    policy.bridges["open"].icc = model::Icc::allow;
    policy.bridges["gone"];
    policy.bridges["gone-open"].icc = model::Icc::allow;
    const Target target = make_target({}, policy);
    kernel::Bridges bridges{{{"docker0", 3, {}}, {"open", 4, {}}}, true, {}};
    const BridgeState open{"open", model::Icc::allow, true, true, ""};
    const BridgeState gone{"gone", model::Icc::deny, false, false, "the bridge does not exist"};
    const BridgeState gone_open{"gone-open", model::Icc::allow, false, false, "the bridge does not exist"};
    const auto docker0 = [](bool enforced, std::string reason) {
        return BridgeState{"docker0", model::Icc::deny, true, enforced, std::move(reason)};
    };
    const std::string off = "the bridge's own netfilter hooks are off: run ip link set docker0 type bridge";
    EXPECT_THAT(bridge_states(target, bridges),
                ElementsAre(docker0(false, off + " nf_call_iptables 1 nf_call_ip6tables 1"), gone, gone_open, open));
    bridges.bridges[0].own.ipv4 = true;
    EXPECT_EQ(bridge_states(target, bridges)[0], docker0(false, off + " nf_call_ip6tables 1"));
    bridges.global.ipv6 = true;
    EXPECT_EQ(bridge_states(target, bridges)[0], docker0(true, ""));
    bridges.module_loaded = false;
    EXPECT_EQ(bridge_states(target, bridges)[0],
              docker0(false, "the br_netfilter module is not loaded: run modprobe br_netfilter"));
    EXPECT_EQ(bridge_states(target, bridges)[3], open);
    policy.family = model::Family::bridge;
    EXPECT_EQ(bridge_states(make_target({}, policy), bridges)[0], docker0(true, "")) << "which needs no switch";
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
    ASSERT_TRUE(clear(kernel, "nftlink"));
    ASSERT_EQ(kernel.ruleset().tables.size(), 1u);
    EXPECT_EQ(kernel.ruleset().tables[0].name, "other");
}

TEST(Clear, FindsATableByItsFormAlone) {
    kernel::FakeKernel kernel;
    ASSERT_TRUE(apply(kernel, small_target()));
    nft::Table& table = kernel.ruleset().tables[0];
    table.comment.clear();
    for (nft::Chain& chain : table.chains)
        chain.comment.clear();
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
    EXPECT_TRUE(table->set("links4-docker0")->elements.empty());
    EXPECT_EQ(table->chain("bridge-docker0")->rules.size(),
              target.want.tables[0].chain("bridge-docker0")->rules.size());
    const auto outcome = apply(kernel, target);
    ASSERT_TRUE(outcome);
    ASSERT_EQ(outcome->done.transactions.size(), 1U);
    EXPECT_EQ(outcome->done.transactions[0].size(), 1U) << "the elements are all that is missing";
    EXPECT_EQ(kernel.ruleset().tables[0].set("links4-docker0")->elements.size(), 100U);
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

// A table of ours with a chain of somebody else's in it.
class Mixed : public testing::Test {
protected:
    Mixed() {
        EXPECT_TRUE(apply(kernel_, small_target()));
        table().chains.push_back({"theirs", {}, {}, {}, {}});
    }
    nft::Table& table() { return kernel_.ruleset().tables[0]; }
    static Target renamed() {
        model::FirewallPolicy policy;
        policy.table = "other";
        policy.bridges["docker0"];
        return make_target({}, policy);
    }

    kernel::FakeKernel kernel_;
};

TEST_F(Mixed, IsNotDeletedUnlessByForce) {
    for (const auto& error :
         {plan(kernel_, renamed()).error(), apply(kernel_, renamed()).error(), clear(kernel_, "nftlink").error()})
        EXPECT_THAT(error, AllOf(HasSubstr("table inet nftlink holds what is not nftlink's: chain theirs"),
                                 HasSubstr("nothing was changed"), HasSubstr("--force")));
    EXPECT_EQ(kernel_.commit_count, 1u);
    EXPECT_TRUE(apply(kernel_, renamed(), {.strangers = Strangers::remove}));
    EXPECT_EQ(kernel_.ruleset().tables.size(), 1u);
}

TEST_F(Mixed, IsLeftAndTold) {
    const auto outcome = apply(kernel_, renamed(), {.strangers = Strangers::leave});
    ASSERT_TRUE(outcome) << outcome.error();
    EXPECT_THAT(outcome->done.left, ElementsAre(HasSubstr("chain theirs")));
    EXPECT_THAT(outcome->done.warnings, testing::Contains(HasSubstr("it stays")));
    EXPECT_EQ(kernel_.ruleset().tables.size(), 2u);
    EXPECT_TRUE(plan(kernel_, renamed(), {.strangers = Strangers::leave})->transactions.empty());
    const auto cleared = clear(kernel_, "other", Strangers::leave);
    ASSERT_TRUE(cleared);
    EXPECT_EQ(cleared->left.size(), 1u);
    ASSERT_EQ(kernel_.ruleset().tables.size(), 1u);
    EXPECT_EQ(table().name, "nftlink");
}

TEST_F(Mixed, ThatIsDormantIsAnError) {
    EXPECT_TRUE(plan(kernel_, small_target())) << "nothing is to be deleted";
    table().unknown = {1};
    for (const auto strangers : {Strangers::refuse, Strangers::leave})
        EXPECT_THAT(apply(kernel_, small_target(), {.strangers = strangers}).error(), HasSubstr("can't be made anew"));
    EXPECT_TRUE(apply(kernel_, small_target(), {.strangers = Strangers::remove}));
    EXPECT_EQ(table().chain("theirs"), nullptr);
}

// A chain to attach to that no packet comes to takes nothing away: the policy stands in a table of ours until one does.
class IdleAttachment : public testing::TestWithParam<model::AttachPoint::Family> {
protected:
    static Target target(bool attached, bool linked = true) {
        model::FirewallPolicy policy;
        if (attached) {
            policy.layout = model::Layout::rules;
            policy.attach = {{GetParam(), "fw", "later"}};
        }
        model::Topology topology;
        topology.containers["db"].networks = {{"docker0", {model::Address::parse("10.0.0.2").value()}}};
        topology.containers["db"].expose = model::parse_ports("80").value();
        topology.containers["web"].networks = {{"docker0", {model::Address::parse("10.0.0.3").value()}}};
        if (linked)
            topology.containers["web"].links = {{"db", "db"}};
        return make_target(topology, policy);
    }
    void add_chain() {
        nft::Table table;
        table.family = GetParam() == model::AttachPoint::Family::ip ? nft::Family::ip : nft::Family::inet;
        table.name = "fw";
        table.chains.push_back({"later", nft::Hook{"filter", 2, 0, 1}, {}, {}, {}});
        kernel_.ruleset().tables.push_back(table);
        ++kernel_.ruleset().generation;
    }
    std::size_t rule_count() {
        const nft::Table* own = kernel_.ruleset().table(nft::Family::inet, "nftlink");
        const nft::Chain* chain = own == nullptr ? nullptr : own->chain("bridge-docker0");
        return chain == nullptr ? 0 : chain->rules.size();
    }

    kernel::FakeKernel kernel_;
};

TEST_P(IdleAttachment, LeavesOurOwnTableInForceWithTheLinksOfNow) {
    ASSERT_TRUE(apply(kernel_, target(false)));
    ASSERT_TRUE(apply(kernel_, target(true)));
    const std::size_t linked = rule_count();
    EXPECT_GT(linked, 3u);
    EXPECT_TRUE(plan(kernel_, target(true))->transactions.empty());
    const auto ended = apply(kernel_, target(true, false));
    ASSERT_TRUE(ended);
    EXPECT_EQ(rule_count(), linked - 1);
    EXPECT_THAT(ended->done.warnings, testing::Contains(HasSubstr("stays in force, with the links of now")));
    add_chain();
    ASSERT_TRUE(apply(kernel_, target(true)));
    EXPECT_EQ(rule_count(), 0u);
    EXPECT_EQ(kernel_.ruleset()
                  .table(GetParam() == model::AttachPoint::Family::ip ? nft::Family::ip : nft::Family::inet, "fw")
                  ->chains[0]
                  .rules.size(),
              3u + (GetParam() == model::AttachPoint::Family::ip ? 0u : 2u));
}

TEST_P(IdleAttachment, MakesNoTableWhereNoneWasInForce) {
    ASSERT_TRUE(apply(kernel_, target(true)));
    EXPECT_EQ(rule_count(), 0u);
}

INSTANTIATE_TEST_SUITE_P(All, IdleAttachment,
                         testing::Values(model::AttachPoint::Family::ip, model::AttachPoint::Family::inet),
                         [](const auto& test) { return test.param == model::AttachPoint::Family::ip ? "ip" : "inet"; });

TEST(Plan, NamesATableThatMayBeALeftover) {
    kernel::FakeKernel kernel;
    ASSERT_TRUE(apply(kernel, small_target()));
    nft::Table& table = kernel.ruleset().tables[0];
    table.name = "old";
    table.owner.clear();
    const auto planned = plan(kernel, small_target());
    ASSERT_TRUE(planned);
    EXPECT_THAT(planned->warnings, testing::Contains(HasSubstr("nft delete table inet old")));
    ASSERT_TRUE(apply(kernel, small_target()));
    EXPECT_EQ(kernel.ruleset().tables.size(), 2u);
}

// A known ruleset is compared without reading its elements.
class KnownRuleset : public testing::Test {
protected:
    static Target star(int count, const std::string& alias = "db") {
        model::Topology topology;
        model::Container db;
        db.networks = {{"docker0", {model::Address::parse("10.0.0.1").value()}}};
        db.expose = model::parse_ports("80").value();
        topology.containers["db"] = db;
        for (int number = 2; number < count + 2; ++number) {
            model::Container web;
            web.networks = {{"docker0", {model::Address::parse("10.0.0." + std::to_string(number)).value()}}};
            web.links = {{"db", alias}};
            topology.containers["web" + std::to_string(number)] = web;
        }
        return make_target(topology, {});
    }

    std::expected<Outcome, std::string> change(const Target& from, const Target& to) {
        const auto before = apply(kernel_, from);
        EXPECT_TRUE(before) << before.error();
        kernel_.element_reads = 0;
        return apply(kernel_, to, {.known = Known{&from.want, &before->done.in_second_slot, before->generation}});
    }

    kernel::FakeKernel kernel_;
};

TEST_F(KnownRuleset, IsNotRead) {
    ASSERT_TRUE(change(star(3), star(5)));
    EXPECT_EQ(kernel_.element_reads, 0u);
    EXPECT_TRUE(plan(kernel_, star(5))->transactions.empty());
    ASSERT_TRUE(change(star(5), star(2)));
    EXPECT_EQ(kernel_.element_reads, 0u);
    EXPECT_TRUE(plan(kernel_, star(2))->transactions.empty());
}

TEST_F(KnownRuleset, IsReadWhenSomebodyHasChangedIt) {
    const Target from = star(3), to = star(4);
    const auto before = apply(kernel_, from);
    kernel_.ruleset().tables[0].sets[0].elements.clear();
    ++kernel_.ruleset().generation;
    kernel_.element_reads = 0;
    ASSERT_TRUE(apply(kernel_, to, {.known = Known{&from.want, &before->done.in_second_slot, before->generation}}));
    EXPECT_EQ(kernel_.element_reads, 1u);
    EXPECT_TRUE(plan(kernel_, to)->transactions.empty());
}

TEST_F(KnownRuleset, IsReadForTheCountsOfWhatIsWrittenAnew) {
    ASSERT_TRUE(apply(kernel_, star(3)));
    kernel_.ruleset().tables[0].sets[0].elements[0].counters = nft::Counters{7, 420};
    ASSERT_TRUE(change(star(3), star(3, "cache")));
    EXPECT_EQ(kernel_.element_reads, 1u);
    EXPECT_EQ(kernel_.ruleset().tables[0].sets[0].elements[0].counters, (nft::Counters{7, 420}));
}

}  // namespace
}  // namespace nftlink::reconcile
