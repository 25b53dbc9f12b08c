// Rules of ours in other programs' chains: whose is whose, and whether a rule of theirs matters.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nftlink/firewall/compile.hpp"
#include "nftlink/firewall/diff.hpp"
#include "nftlink/firewall/render.hpp"
#include "nftlink/kernel/fake_kernel.hpp"
#include "nftlink/nft/build.hpp"
#include "nftlink/nft/text.hpp"
#include "nftlink/nft/xt.hpp"
#include "topologies.hpp"

namespace nftlink::firewall {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

model::FirewallPolicy attached_policy(model::AttachPoint::Family family = model::AttachPoint::Family::ip) {
    model::FirewallPolicy policy;
    policy.layout = model::Layout::rules;
    policy.attach = {{family, "filter", "FORWARD"}};
    return policy;
}

nft::RuleBuilder theirs() {
    return nft::RuleBuilder(nft::Family::ip, nft::Dialect::iptables);
}

// A kernel whose chain FORWARD holds those rules of somebody else's.
class AttachedTest : public testing::Test {
protected:
    AttachedTest() {
        nft::Table table;
        table.family = nft::Family::ip;
        table.name = "filter";
        table.chains.push_back({"FORWARD", nft::Hook{"filter", 2, 0, 1}, {}, {}, {}});
        kernel_.ruleset().tables.push_back(table);
    }

    std::vector<nft::Rule>& rules() { return kernel_.ruleset().tables[0].chains[0].rules; }

    void insert(std::size_t place, nft::Rule rule) {
        rule.handle = 1000 + rules().size();
        rules().insert(rules().begin() + static_cast<std::ptrdiff_t>(place), std::move(rule));
    }

    std::string change(const Wanted& want) {
        const auto have = kernel_.snapshot([](const nft::Table&, const nft::Ruleset&) { return true; });
        const nft::Batch batch = diff(have, want);
        EXPECT_TRUE(kernel_.apply(batch, {}));
        return nft::to_text(batch);
    }

    std::string shown() {
        std::string text;
        for (const nft::Rule& rule : rules())
            text += nft::to_text(rule) + "\n";
        return text;
    }

    kernel::FakeKernel kernel_;
};

TEST_F(AttachedTest, OursComeOnTopInTheirOrderAndASecondTimeNothing) {
    insert(0, theirs().counter().drop().build());
    const auto want = compile(seed(), attached_policy());
    change(want);
    ASSERT_EQ(rules().size(), 4u);
    EXPECT_THAT(nft::to_text(rules()[0]), HasSubstr("tcp sport 6379 xt match \"conntrack\""));
    EXPECT_THAT(nft::to_text(rules()[1]), HasSubstr("tcp dport 6379"));
    EXPECT_EQ(nft::to_text(rules()[3]), "counter packets 0 bytes 0 drop");
    EXPECT_EQ(change(want), "");
}

TEST_F(AttachedTest, WithoutTheirMarkTheyAreKnownByTheCopies) {
    const auto want = compile(seed(), attached_policy());
    change(want);
    const std::string before = shown();
    for (nft::Rule& rule : rules())
        rule.owner.clear();
    EXPECT_NE(change(want), "");
    EXPECT_EQ(shown(), before);
    for (const nft::Rule& rule : rules())
        EXPECT_EQ(rule.owner, "nftlink");
}

TEST_F(AttachedTest, WithoutCopiesTheyAreKnownByWhatIsWanted) {
    const auto want = compile(seed(), attached_policy());
    change(want);
    const std::string before = shown();
    for (nft::Rule& rule : rules())
        rule.owner.clear();
    kernel_.ruleset().tables.pop_back();  // the copies: a reboot
    change(want);
    EXPECT_EQ(shown(), before);
    change({});
    EXPECT_EQ(rules().size(), 0u);
}

// iptables -Z takes the mark off those rules that have counted.
TEST_F(AttachedTest, SomeWithoutTheirMarkAreKnownToo) {
    const auto want = compile(seed(), attached_policy());
    change(want);
    rules()[1].owner.clear();
    change(want);
    EXPECT_EQ(rules().size(), 3u);
}

// Docker's own base rules, which say the same as ours.
TEST_F(AttachedTest, APartOfWhatIsWantedIsSomebodys) {
    auto policy = attached_policy();
    policy.replies = model::Replies::source_port;
    policy.bridges["docker0"] = {model::Icc::allow, true};
    for (const bool with_links : {true, false}) {
        const auto want = compile(with_links ? seed() : model::Topology{}, policy);
        change(want);
        std::vector<nft::Rule> base(rules().end() - 3, rules().end());
        change({});
        for (nft::Rule& rule : base) {
            rule.owner.clear();
            insert(rules().size(), rule);
        }
        change(want);
        EXPECT_EQ(rules().size(), with_links ? 8u : 6u);
        change({});
        EXPECT_EQ(rules().size(), 3u);
        rules().clear();
    }
}

// What comes into a chain after we could not attach to it is not ours.
TEST_F(AttachedTest, NothingIsCopiedForAChainThatIsNotThere) {
    const auto want = compile(seed(), attached_policy());
    const nft::Table theirs_alone = kernel_.ruleset().tables[0];
    kernel_.ruleset().tables.clear();
    EXPECT_THAT(change(want), Not(HasSubstr("filter/FORWARD")));
    EXPECT_EQ(change(want), "");
    kernel_.ruleset().tables.push_back(theirs_alone);
    EXPECT_THAT(change(want), HasSubstr("add chain ip nftlink filter/FORWARD"));
}

TEST_F(AttachedTest, AnAcceptAboveOursMattersWhenOursSetAMark) {
    auto policy = attached_policy();
    policy.accept_mark = 7;
    const auto want = compile(seed(), policy);
    change(want);
    insert(0, nft::RuleBuilder(nft::Family::ip).iifname("docker0").established_or_related().accept().build());
    EXPECT_NE(change(want), "");
}

TEST_F(AttachedTest, WhatNftLoadedFromOurScriptIsKnownByItsComment) {
    const auto want = compile(seed(), attached_policy());
    std::vector<std::string> left_out;
    EXPECT_THAT(render(want, left_out), HasSubstr("insert rule ip filter FORWARD iifname \"docker0\""));
    ASSERT_EQ(left_out.size(), 1u);
    EXPECT_THAT(left_out[0], StartsWith("ip filter FORWARD: "));
    change(want);
    for (int round = 0; round < 2; ++round) {
        nft::Rule loaded = rules()[0];
        loaded.owner.clear();
        loaded.comment = "nftlink attached: x";
        insert(0, loaded);
    }
    change(want);
    EXPECT_EQ(rules().size(), 3u);
}

TEST_F(AttachedTest, CountsAreCarriedOverToWhatIsPutBack) {
    const auto want = compile(seed(), attached_policy());
    change(want);
    nft::counters(rules()[0])->packets = 9;
    insert(0, theirs().iifname("docker0").counter().accept().build());
    EXPECT_THAT(change(want), HasSubstr("counter packets 9"));
    EXPECT_EQ(nft::counters(rules()[0])->packets, 9u);
}

TEST_F(AttachedTest, MovingToOurOwnTableTakesThemAway) {
    change(compile(seed(), attached_policy()));
    insert(3, theirs().counter().drop().build());
    const std::string text = change(compile(seed(), {}));
    EXPECT_THAT(text, HasSubstr("delete table ip nftlink\n"));
    EXPECT_EQ(shown(), "counter packets 0 bytes 0 drop\n");
}

struct Above {
    std::string name;
    nft::Rule rule;
    bool matters;
};

class RulesAbove : public AttachedTest, public testing::WithParamInterface<Above> {};

TEST_P(RulesAbove, MoveOursOnlyIfTheyChangeAVerdict) {
    const auto want = compile(seed(), attached_policy());
    kernel_.ruleset().tables[0].chains.push_back({"GONE", {}, {}, {}, {}});
    change(want);
    insert(0, GetParam().rule);
    EXPECT_EQ(change(want) != "", GetParam().matters) << shown();
    EXPECT_EQ(change(want), "");
}

const std::vector<std::uint8_t> parent{172, 17, 0, 3}, child{172, 17, 0, 2}, stranger{172, 17, 0, 4};

nft::RuleBuilder inside() {
    auto rule = theirs();
    rule.iifname("docker0").oifname("docker0");
    return rule;
}

// `ct state & (established | related) == established drop`
nft::Rule states_by_value() {
    nft::Rule rule = nft::RuleBuilder(nft::Family::ip).established_or_related().drop().build();
    auto& compare = std::get<nft::Compare>(rule.expressions[2]);
    compare.operation = 0;  // NFT_CMP_EQ
    compare.value = {2, 0, 0, 0};
    return rule;
}

// `iifname "docker0" fib daddr type unicast drop`: what is compared last isn't the name.
nft::Rule with_unknown_value() {
    nft::Rule rule = theirs().iifname("docker0").build();
    rule.expressions.push_back(nft::Unknown{"fib", {1}});
    rule.expressions.push_back(nft::Compare{1, 0, {1, 0, 0, 0}});
    rule.expressions.push_back(nft::Verdict{0, {}});
    return rule;
}

// Whom no link lets in.
nft::RuleBuilder new_from_stranger() {
    return inside().source(stranger);
}

nft::Rule with_target(const std::string& name) {
    nft::Rule rule = new_from_stranger().build();
    rule.expressions.push_back(nft::xt_conntrack_state(8));  // NEW
    rule.expressions.push_back(nft::XtTarget{name, 0, {0, 0, 0, 0, 0, 0, 0, 0}});
    return rule;
}

nft::Rule nft_reject(bool of_strangers) {
    nft::Rule rule = of_strangers ? new_from_stranger().build() : inside().build();
    if (of_strangers)
        rule.expressions.push_back(nft::xt_conntrack_state(8));
    rule.expressions.push_back(nft::Unknown{"reject", {1}});
    return rule;
}

// `-m conntrack --ctstate DNAT -j DROP`: an established connection may be meant.
nft::Rule states_of_status() {
    nft::Rule rule = inside().build();
    rule.expressions.push_back(nft::xt_conntrack_state(1 << 7));
    rule.expressions.push_back(nft::Verdict{0, {}});
    return rule;
}

// `iifname "docker0" meta iifkind "bridge" accept`: the two have one register.
nft::Rule kind_of_interface() {
    nft::Rule rule = theirs().iifname("docker0").build();
    rule.expressions.push_back(nft::MetaLoad{26, 1});
    rule.expressions.push_back(nft::Compare{1, 0, {'b', 'r', 'i', 'd', 'g', 'e', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}});
    rule.expressions.push_back(nft::Verdict{1, {}});
    return rule;
}

// `ip saddr vmap { 172.17.0.3 : drop } accept`
nft::Rule map_and_accept() {
    nft::Rule rule = new_from_stranger().build();
    rule.expressions.push_back(nft::xt_conntrack_state(8));
    rule.expressions.push_back(nft::Unknown{"lookup", {1}});
    rule.expressions.push_back(nft::Verdict{0, {}});
    return rule;
}

// `meta mark 0 meta mark set 1 meta mark 1 accept`
nft::Rule marked_then_asked_for() {
    nft::Rule rule = theirs().build();
    for (const std::uint8_t mark : {std::uint8_t{0}, std::uint8_t{1}}) {
        rule.expressions.push_back(nft::MetaLoad{3, 1});
        rule.expressions.push_back(nft::Compare{1, 0, {mark, 0, 0, 0}});
        rule.expressions.push_back(nft::Immediate{1, {1, 0, 0, 0}});
        rule.expressions.push_back(nft::MetaSet{3, 1});
    }
    rule.expressions.push_back(nft::Verdict{1, {}});
    return rule;
}

// A goto leaves the base chain for good, even where its chain says nothing.
nft::Rule going_away() {
    nft::Rule rule = inside().build();
    rule.expressions.push_back(nft::Verdict{-4, "GONE"});  // NFT_GOTO
    return rule;
}

nft::Rule with_unknown() {
    nft::Rule rule = inside().build();
    rule.expressions.push_back(nft::Unknown{"lookup", {1}});
    return rule;
}

INSTANTIATE_TEST_SUITE_P(
    All, RulesAbove,
    testing::Values(
        Above{"accept_all", theirs().accept().build(), true}, Above{"drop_all", theirs().drop().build(), true},
        Above{"count", theirs().counter().build(), false}, Above{"log", theirs().log("x").build(), false},
        Above{"mark", inside().set_mark(1).build(), false},
        Above{"other_bridge", theirs().iifname("br0").drop().build(), false},
        Above{"outgoing", theirs().iifname("docker0").oifname_not("docker0").drop().build(), false},
        Above{"our_link_again",
              inside().protocol(6).source(parent).destination(child).destination_port(6, 6379).accept().build(), false},
        Above{"our_link_closed",
              inside().protocol(6).source(parent).destination(child).destination_port(6, 6379).drop().build(), true},
        Above{"strangers_dropped", inside().source(stranger).drop().build(), false},
        Above{"another_port", inside().protocol(6).source(stranger).destination_port(6, 80).accept().build(), true},
        Above{"established", theirs().established_or_related().accept().build(), true},
        Above{"established_dropped", theirs().established_or_related().drop().build(), true},
        Above{"established_by_value", states_by_value(), true}, Above{"unknown_value", with_unknown_value(), true},
        Above{"strangers_rejected", with_target("REJECT"), false},
        Above{"strangers_rewritten", with_target("TOS"), true}, Above{"strangers_audited", with_target("AUDIT"), false},
        Above{"strangers_held_up", with_target("TARPIT"), false},
        Above{"strangers_queued", with_target("NFQUEUE"), true}, Above{"all_rejected", nft_reject(false), true},
        Above{"strangers_rejected_by_nft", nft_reject(true), false},
        Above{"kind_of_interface", kind_of_interface(), true}, Above{"map_and_accept", map_and_accept(), true},
        Above{"marked_then_asked_for", marked_then_asked_for(), true},
        Above{"translated_dropped", states_of_status(), true}, Above{"goes_away", going_away(), true},
        Above{"verdict_map", with_unknown(), true}),
    [](const auto& test) { return test.param.name; });

// Docker's own rule, which says the same as one of ours that somebody has deleted.
TEST_F(AttachedTest, ATwinBelowOursIsNotTakenForTheOneThatIsMissing) {
    auto policy = attached_policy();
    policy.bridges["docker0"] = {model::Icc::allow, true};
    const auto want = compile(seed(), policy);
    change(want);
    ASSERT_EQ(rules().size(), 5u);
    nft::Rule twin = rules()[2];
    twin.owner.clear();
    twin.comment = "";
    insert(5, twin);
    rules().erase(rules().begin() + 2);
    change(want);
    EXPECT_EQ(rules().size(), 6u);
    EXPECT_EQ(rules()[5].owner, "") << "it is still there";
}

// A rule that somebody has commented is somebody's, whatever it means.
TEST_F(AttachedTest, ACommentedTwinStays) {
    const auto want = compile(seed(), attached_policy());
    change(want);
    nft::Rule twin = rules()[0];
    twin.owner.clear();
    twin.comment = "bob's";
    rules().erase(rules().begin());
    insert(0, twin);
    change(want);
    EXPECT_EQ(std::ranges::count(rules(), "bob's", &nft::Rule::comment), 1) << shown();
    change({});
    EXPECT_EQ(rules().size(), 1u);
}

// A reboot with another link in the configuration than in what iptables has saved.
TEST_F(AttachedTest, WithoutCopiesOtherLinksThanWantedHideNothing) {
    change(compile(seed(), attached_policy()));
    for (nft::Rule& rule : rules())
        rule.owner.clear();
    kernel_.ruleset().tables.pop_back();
    auto more = seed();
    more.containers["redis"].expose.push_back(model::parse_ports("80").value().front());
    change(compile(more, attached_policy()));
    EXPECT_EQ(rules().size(), 5u) << shown();
    change({});
    EXPECT_EQ(rules().size(), 0u) << shown();
}

// A program that takes ours away and puts its own there does it for the first place too.
TEST_F(AttachedTest, WhenAllOfOursAreGoneThatIsAnObstacle) {
    const auto want = compile(seed(), attached_policy());
    change(want);
    rules().clear();
    insert(0, theirs().counter().drop().build());
    const auto have = kernel_.snapshot([](const nft::Table&, const nft::Ruleset&) { return true; });
    std::vector<Obstacle> found;
    EXPECT_EQ(nft::to_text(diff(have, want, {.moves = false}, &found)), "");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_NE(nft::to_text(diff(have, want)), "");
}

// The chain that is to be attached to isn't there (yet).
class MissingChain : public AttachedTest {
protected:
    static Wanted to_missing(model::AttachPoint::Family family, bool also_forward = false) {
        auto policy = attached_policy();
        if (!also_forward)
            policy.attach.clear();
        policy.attach.push_back({family, "fw", "later"});
        return compile(seed(), policy);
    }
    void add_missing(nft::Family family) {
        nft::Table table;
        table.family = family;
        table.name = "fw";
        table.chains.push_back({"later", nft::Hook{"filter", 2, 0, 1}, {}, {}, {}});
        kernel_.ruleset().tables.push_back(table);
    }
    const nft::Table* ours(nft::Family family) { return kernel_.ruleset().table(family, "nftlink"); }
};

TEST_F(MissingChain, OurRulesInAnotherChainStayUntilItIsThere) {
    change(compile(seed(), attached_policy()));
    const std::string before = shown();
    EXPECT_EQ(change(to_missing(model::AttachPoint::Family::inet)).find("delete"), std::string::npos);
    EXPECT_EQ(shown(), before);
    for (nft::Rule& rule : rules())
        rule.owner.clear();
    change(to_missing(model::AttachPoint::Family::inet));
    EXPECT_EQ(shown(), before) << "marked again";
    add_missing(nft::Family::inet);
    change(to_missing(model::AttachPoint::Family::inet));
    EXPECT_EQ(shown(), "");
    EXPECT_EQ(ours(nft::Family::ip), nullptr);
}

// A link that ends meanwhile ends there too.
TEST_F(MissingChain, EndedLinksGoFromTheChainThatStays) {
    change(compile(seed(), attached_policy()));
    auto policy = attached_policy();
    policy.attach = {{model::AttachPoint::Family::ip, "fw", "later"}};
    auto links = seed();
    links.containers["client"].links.clear();
    change(compile(links, policy));
    EXPECT_EQ(shown().find("6379"), std::string::npos) << shown();
    EXPECT_EQ(rules().size(), 1u) << "what drops stays";
    EXPECT_EQ(change(compile(links, policy)), "");
}

// Nothing but a rule that leads there from the forward hook makes packets come to a chain.
TEST_F(MissingChain, AChainThatNoForwardedPacketComesToIsIdle) {
    auto& table = kernel_.ruleset().tables[0];
    table.chains.push_back({"USER", {}, {}, {}, {}});
    table.chains.push_back({"INPUT", nft::Hook{"filter", 1, 0, 1}, {}, {}, {theirs().jump("USER").build()}});
    auto policy = attached_policy();
    const auto idle = [&](const std::string& chain) {
        policy.attach[0].chain = chain;
        const auto want = compile(seed(), policy);
        const auto found = idle_chains(kernel_.ruleset(), want);
        return found.empty() ? "no" : found[0].is_there ? "no packet comes" : "missing";
    };
    EXPECT_STREQ(idle("FORWARD"), "no");
    EXPECT_STREQ(idle("NONE"), "missing");
    EXPECT_STREQ(idle("INPUT"), "no packet comes");
    EXPECT_STREQ(idle("USER"), "no packet comes");
    insert(0, theirs().jump("USER").build());
    EXPECT_STREQ(idle("USER"), "no");
    kernel_.ruleset().tables[0].dormant = true;
    EXPECT_STREQ(idle("USER"), "no packet comes");
}

TEST_F(AttachedTest, OursStayBelowWhereTheyMayNotMove) {
    const auto want = compile(seed(), attached_policy());
    change(want);
    insert(0, inside().accept().build());
    const auto have = [&] { return kernel_.snapshot([](const nft::Table&, const nft::Ruleset&) { return true; }); };
    std::vector<Obstacle> found;
    EXPECT_EQ(nft::to_text(diff(have(), want, {.moves = false}, &found)), "");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].chain, "ip filter FORWARD");
    EXPECT_EQ(found[0].rule, "iifname \"docker0\" oifname \"docker0\" accept");
    change(want);
    found.clear();
    EXPECT_EQ(nft::to_text(diff(have(), want, {.moves = false}, &found)), "");
    EXPECT_TRUE(found.empty());
}

TEST_F(AttachedTest, AJumpIsWhatItsChainDoes) {
    const auto want = compile(seed(), attached_policy());
    change(want);
    auto& chains = kernel_.ruleset().tables[0].chains;
    chains.push_back({"USER", {}, {}, {}, {}});
    chains[1].rules = {theirs().iifname("eth0").drop().build()};
    insert(0, theirs().jump("USER").build());
    EXPECT_EQ(change(want), "");
    kernel_.ruleset().tables[0].chains[1].rules.push_back(theirs().drop().build());
    EXPECT_NE(change(want), "");
}

}  // namespace
}  // namespace nftlink::firewall
