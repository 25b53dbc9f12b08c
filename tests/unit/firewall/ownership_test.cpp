// Tables of ours, of others, and of both.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nftlink/firewall/compile.hpp"
#include "nftlink/firewall/diff.hpp"
#include "nftlink/firewall/ownership.hpp"
#include "nftlink/kernel/fake_kernel.hpp"
#include "nftlink/nft/build.hpp"
#include "nftlink/nft/text.hpp"
#include "old_table.hpp"
#include "topologies.hpp"

namespace nftlink::firewall {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A table as nft saves and loads it; or, without comments, as its JSON has it.
nft::Table without_marks(nft::Table table, bool with_comments = true) {
    const auto strip = [&](auto& object) {
        object.owner.clear();
        if (!with_comments)
            object.comment.clear();
    };
    strip(table);
    std::ranges::for_each(table.sets, strip);
    for (nft::Chain& chain : table.chains) {
        strip(chain);
        std::ranges::for_each(chain.rules, strip);
    }
    return table;
}

nft::Chain* chain_of(nft::Table& table, std::string_view name) {
    const auto found = std::ranges::find(table.chains, name, &nft::Chain::name);
    return found == table.chains.end() ? nullptr : &*found;
}

nft::Rule stranger() {
    return nft::RuleBuilder(nft::Family::inet).iifname("eth0").accept().build();
}

// Every policy that makes a difference to the form.
std::vector<model::FirewallPolicy> policies() {
    std::vector<model::FirewallPolicy> all;
    for (const auto family : {model::Family::inet, model::Family::ip, model::Family::bridge})
        for (const auto layout : {model::Layout::sets, model::Layout::rules})
            for (const auto replies : {model::Replies::established, model::Replies::source_port})
                for (const auto icc : {model::Icc::allow, model::Icc::deny})
                    for (const bool rich : {false, true}) {
                        model::FirewallPolicy policy;
                        policy.family = family;
                        policy.layout = layout;
                        policy.replies = replies;
                        policy.bridges["docker0"] = {icc, rich && layout == model::Layout::rules};
                        policy.bridges["br@1"] = {icc, false};
                        policy.log_drops = rich;
                        policy.counters = rich ? model::Counters::links : model::Counters::none;
                        if (rich)
                            policy.accept_mark = 7;
                        all.push_back(policy);
                    }
    return all;
}

TEST(Ownership, EveryTableOfOursIsKnownByItsMarkAndWithoutItByNameAndForm) {
    for (const model::FirewallPolicy& policy : policies())
        for (const bool tracks : {true, false}) {
            for (const nft::Table& table : compile(seed(), policy, {.bridge_conntrack = tracks}).tables) {
                EXPECT_TRUE(is_ours(table, "other"));
                for (const bool with_comments : {true, false}) {
                    const nft::Table bare = without_marks(table, with_comments);
                    EXPECT_TRUE(is_ours(bare, "nftlink")) << nft::to_text(bare);
                    EXPECT_FALSE(is_ours(bare, "other"));
                    EXPECT_THAT(strangers(bare), IsEmpty());
                }
            }
        }
}

TEST(Ownership, CopiesOfWhatIsAttachedHaveTheForm) {
    model::FirewallPolicy policy;
    policy.layout = model::Layout::rules;
    policy.attach = {{model::AttachPoint::Family::ip, "filter", "FORWARD"}};
    for (const nft::Table& table : compile(seed(), policy).tables)
        EXPECT_TRUE(is_ours(without_marks(table, false), "nftlink")) << nft::to_text(table);
}

// With `attach` to a chain that isn't there yet.
TEST(Ownership, ATableThatOnlyTracksIsOurs) {
    model::FirewallPolicy policy;
    policy.layout = model::Layout::rules;
    policy.attach = {{model::AttachPoint::Family::ip, "filter", "DOCKER-USER"}};
    nft::Table table = without_marks(compile(seed(), policy).tables.at(0));
    std::erase_if(table.chains, [](const nft::Chain& chain) { return chain.name != "tracking"; });
    EXPECT_TRUE(is_ours(table, "nftlink"));
    EXPECT_FALSE(is_ours(table, "other"));
}

// Names that anybody may give.
TEST(Ownership, ATableWithSetsAndChainsOfOurNamesIsNotOursForThat) {
    nft::Table table;
    table.name = "nftlink";
    for (const char* name : {"bridges", "open"}) {
        nft::Set& set = table.sets.emplace_back();
        set.name = name;
        set.key = std::string(name) == "open" ? std::vector{nft::DataType::ifname, nft::DataType::ifname}
                                              : nft::interface_key();
    }
    table.chains.push_back({"forward", nft::Hook{"filter", 2, 0, 1}, {}, {}, {}});
    EXPECT_FALSE(is_ours(table, "nftlink"));
    table.chains[0].rules = {
        nft::RuleBuilder(nft::Family::inet).destination(std::array<std::uint8_t, 4>{1}).drop().build(),
        nft::RuleBuilder(nft::Family::inet).drop().build()};
    EXPECT_FALSE(is_ours(table, "nftlink"));
}

// In a frame's table a chain of that name is somebody's: 0.1's led there from its base chain.
TEST(Ownership, AChainNamedAsOneOfTheFirstVersionIsAStrangersWhereNothingLeadsThere) {
    nft::Table table = compile(seed(), {}).tables.at(0);
    table.chains.push_back({"bridge-lan", {}, {}, {}, {stranger()}});
    EXPECT_THAT(strangers(table), ElementsAre("chain bridge-lan"));
}

TEST(Ownership, ACommentMakesNothingOurs) {
    nft::Table table;
    table.name = "site";
    table.comment = "nftlink: mine";
    table.chains.push_back({"input", nft::Hook{"filter", 1, 0, 0}, "nftlink: leave port 22 open", {}, {stranger()}});
    table.chains[0].rules[0].comment = "nftlink: see there";
    table.sets.emplace_back().comment = "nftlink: its bridges";
    for (const char* name : {"site", "nftlink"})
        EXPECT_FALSE(is_ours(table, name));
}

TEST(Ownership, ATableWithoutMarksIsOursByItsChainsAndWhatElseIsInItIsNot) {
    const nft::Table ours = without_marks(compile(seed(), {}).tables[0]);
    const auto strangers_after = [&](auto change) {
        nft::Table table = ours;
        change(table);
        EXPECT_TRUE(is_ours(table, "nftlink"));
        EXPECT_FALSE(is_ours(table, "other"));
        EXPECT_FALSE(has_form_alone(table, "other"));
        return strangers(table).size();
    };
    EXPECT_TRUE(has_form_alone(ours, "other"));
    EXPECT_EQ(strangers_after([](nft::Table& table) { table.chains.push_back({"x", {}, {}, {}, {}}); }), 1u);
    EXPECT_EQ(strangers_after([](nft::Table& table) { table.sets.emplace_back().name = "x"; }), 1u);
    EXPECT_EQ(strangers_after([](nft::Table& table) { table.other_object_count = 1; }), 1u);
    EXPECT_EQ(strangers_after([](nft::Table& table) { table.sets[0].key = nft::interface_key(); }), 1u);
    EXPECT_EQ(strangers_after([](nft::Table& table) { table.sets[0].unknown = {1}; }), 1u);
    for (const char* chain : {"forward", "errors"}) {
        EXPECT_EQ(strangers_after([&](nft::Table& table) { chain_of(table, chain)->rules.push_back(stranger()); }), 1u);
        EXPECT_EQ(strangers_after([&](nft::Table& table) {
                      chain_of(table, chain)->rules.push_back(nft::RuleBuilder(nft::Family::inet).jump("x").build());
                  }),
                  1u);
    }
}

// Chains of such names that somebody else has made.
TEST(Ownership, WhatOnlyLooksALittleLikeOursIsSomebodys) {
    const nft::Table ours = without_marks(compile(seed(), {}).tables[0]);
    const auto is_ours_after = [&](auto change) {
        nft::Table table = ours;
        change(table);
        return is_ours(table, "nftlink");
    };
    EXPECT_TRUE(is_ours_after([](nft::Table&) {}));
    const auto hook = [](nft::Table& table) -> nft::Hook& { return *chain_of(table, "forward")->hook; };
    EXPECT_FALSE(is_ours_after([&](nft::Table& table) { hook(table).number = 1; })) << "input";
    EXPECT_FALSE(is_ours_after([&](nft::Table& table) { hook(table).policy = 0; }));
    EXPECT_FALSE(is_ours_after([&](nft::Table& table) { hook(table).type = "nat"; }));
    EXPECT_FALSE(is_ours_after([](nft::Table& table) { table.family = nft::Family::arp; }));
    EXPECT_FALSE(is_ours_after([](nft::Table& table) { chain_of(table, "forward")->rules = {stranger()}; }));
    EXPECT_FALSE(is_ours_after([](nft::Table& table) {
        std::erase_if(table.sets, [](const nft::Set& set) { return set.name == "bridges"; });
    }));
    nft::Table theirs;
    theirs.name = "nftlink";
    theirs.chains.push_back({"forward", nft::Hook{"filter", 2, 0, 1}, {}, {}, {}});
    theirs.chains.push_back({"my/rules", {}, {}, {}, {stranger()}});
    EXPECT_FALSE(is_ours(theirs, "nftlink"));
    EXPECT_FALSE(is_ours(nft::Table{}, "")) << "an empty one is nobody's";
    EXPECT_TRUE(is_ours_after([](nft::Table& table) { chain_of(table, "forward")->comment = "mine"; }));
    EXPECT_TRUE(is_ours_after([](nft::Table& table) { table.unknown = {1}; })) << "dormant";
    nft::Table marked = compile(seed(), {}).tables[0];
    marked.chains.push_back({"my/rules", {}, {}, {}, {}});
    EXPECT_THAT(strangers(marked), IsEmpty()) << "it keeps nothing from being deleted";
    EXPECT_FALSE(is_ours(marked, marked.chains.back())) << "but isn't removed by itself";
}

// The copies of a chain called b.
TEST(Ownership, NoChainsNameHidesItsCopies) {
    model::FirewallPolicy policy;
    policy.layout = model::Layout::rules;
    policy.attach = {{model::AttachPoint::Family::inet, "fw", "b"}};
    EXPECT_TRUE(is_ours(without_marks(compile(seed(), policy).tables[0]), "nftlink"));
}

// Which nft's save and load takes from a table, but not, with some versions, from its chains; or the other way round.
TEST(Ownership, TheMarkOfATableOrOfOneChainIsEnough) {
    nft::Table table = without_marks(compile(seed(), {}).tables[0]);
    table.name = "renamed";
    EXPECT_FALSE(is_ours(table, "nftlink"));
    table.chains[1].owner = "nftlink";
    EXPECT_TRUE(is_ours(table, "nftlink"));
    table.chains[1].owner.clear();
    table.owner = "nftlink";
    EXPECT_TRUE(is_ours(table, "nftlink"));
}

// As whoever upgrades has it: without marks, and with them after some version in between.
TEST(Ownership, ATableOf01IsOurs) {
    for (const nft::Family family : {nft::Family::inet, nft::Family::bridge}) {
        const nft::Table marked = old_table(seed_of_01(family, {}, true));
        EXPECT_TRUE(is_ours(marked, "other"));
        EXPECT_THAT(strangers(marked), IsEmpty());
        for (nft::Table bare : {old_table(seed_of_01(family)), without_marks(marked, false)}) {
            EXPECT_TRUE(is_ours(bare, "nftlink"));
            EXPECT_FALSE(is_ours(bare, "other"));
            EXPECT_THAT(strangers(bare), IsEmpty()) << nft::to_text(bare);
            bare.name = "nftlink-routed";
            EXPECT_TRUE(is_ours(bare, "nftlink"));
        }
    }
}

TEST(Ownership, WhatMayBeOursAndWhatIsAttachedToIsRead) {
    model::FirewallPolicy policy;
    policy.layout = model::Layout::rules;
    policy.attach = {{model::AttachPoint::Family::ip, "filter", "FORWARD"}};
    const auto want = compile(seed(), policy);
    const auto reads = [&](nft::Family family, const std::string& name, std::string owner = {}) {
        nft::Table table;
        table.family = family;
        table.name = name;
        table.owner = std::move(owner);
        return is_relevant(table, {}, want);
    };
    EXPECT_TRUE(reads(nft::Family::ip, "filter"));
    EXPECT_FALSE(reads(nft::Family::ip6, "filter"));
    for (const char* name : {"nftlink", "nftlink-routed"})
        EXPECT_TRUE(reads(nft::Family::inet, name));
    EXPECT_FALSE(reads(nft::Family::inet, "other"));
    EXPECT_TRUE(reads(nft::Family::inet, "other", "nftlink"));
}

TEST(Ownership, AMarkThatIsLostComesBackWhereThatIsAskedFor) {
    const auto want = compile(seed(), {});
    kernel::FakeKernel kernel;
    nft::Ruleset& have = kernel.ruleset();
    ASSERT_TRUE(kernel.apply(diff({}, want), {}));
    for (nft::Table& table : have.tables)
        table = without_marks(table);
    EXPECT_EQ(nft::to_text(diff(have, want)), "");
    const nft::Batch batch = diff(have, want, {.marks = true});
    EXPECT_THAT(nft::to_text(batch), testing::Not(testing::HasSubstr("delete table"))) << "not at others' expense";
    ASSERT_TRUE(kernel.apply(batch, {}));
    for (const nft::Table& table : have.tables)
        for (const nft::Chain& chain : table.chains) {
            EXPECT_EQ(chain.owner, "nftlink");
            for (const nft::Rule& rule : chain.rules)
                EXPECT_EQ(rule.owner, "nftlink");
        }
    EXPECT_EQ(nft::to_text(diff(have, want, {.marks = true})), "");
}

TEST(Ownership, StrangersAreNamed) {
    nft::Table table = compile(seed(), {}).tables[0];
    EXPECT_THAT(strangers(table), IsEmpty());
    table.chains.push_back({"x", {}, {}, {}, {stranger()}});
    table.sets.emplace_back().name = "s";
    table.sets.emplace_back().anonymous = true;
    table.other_object_count = 2;
    chain_of(table, "forward")->rules.push_back(stranger());
    chain_of(table, "forward")->rules.back().handle = 7;
    EXPECT_THAT(strangers(table), ElementsAre("the rule with handle 7 in chain forward", "chain x", "set s",
                                              "2 other objects (counters, flowtables …)"));
}

const HostFacts alone{.frames = Frames::none};

class Strangers : public testing::Test {
protected:
    Strangers() {
        have_ = compile(seed(), uncounted(), alone);
        table().chains.push_back({"x", {}, {}, {}, {stranger()}});
        table().sets.emplace_back().name = "s";
    }
    static model::FirewallPolicy uncounted() {
        model::FirewallPolicy policy;
        policy.counters = model::Counters::none;
        return policy;
    }
    nft::Table& table() { return have_.tables[0]; }
    std::string change(const Wanted& want, Manner manner = {}) { return nft::to_text(diff(have_, want, manner)); }

    nft::Ruleset have_;
};

TEST_F(Strangers, StayWhereTheTableStays) {
    EXPECT_EQ(change(compile(seed(), uncounted(), alone)), "");
    table().other_object_count = 1;
    EXPECT_EQ(change(compile(seed(), uncounted(), alone)), "");
    chain_of(table(), "forward")->rules.push_back(stranger());
    chain_of(table(), "forward")->rules.back().handle = 7;
    EXPECT_EQ(change(compile(seed(), uncounted(), alone)), "delete rule inet nftlink forward handle 7\n")
        << "our chain is ours";
}

// The kernel deletes no set that a rule refers to.
TEST_F(Strangers, LoseTheRulesThatLeadToWhatGoes) {
    auto& rules = chain_of(table(), "x")->rules;
    rules.push_back(nft::RuleBuilder(nft::Family::inet).in_set({nft::Field::source}, "links4").accept().build());
    rules.push_back(nft::RuleBuilder(nft::Family::inet).jump("errors").build());
    for (std::size_t index = 0; index < rules.size(); ++index)
        rules[index].handle = 10 + index;
    model::FirewallPolicy by_rules = uncounted();
    by_rules.layout = model::Layout::rules;
    const std::string text = change(compile(seed(), by_rules, alone));
    EXPECT_THAT(text, testing::HasSubstr("delete rule inet nftlink x handle 11\n")) << text;
    EXPECT_THAT(text, testing::Not(testing::HasSubstr("handle 12"))) << "the chain stays";
    EXPECT_LT(text.find("handle 11"), text.find("delete set inet nftlink links4\n"));
}

TEST_F(Strangers, KeepATableFromBeingDeletedUnlessByForce) {
    EXPECT_EQ(change({}), "");
    EXPECT_EQ(change({}, {.force = true}), "delete table inet nftlink\n");
    model::FirewallPolicy elsewhere = uncounted();
    elsewhere.table = "other";
    const auto want = compile(seed(), elsewhere, alone);
    EXPECT_THAT(change(want), testing::Not(testing::HasSubstr("delete table")));
    EXPECT_THAT(change(want, {.force = true}), testing::HasSubstr("delete table inet nftlink"));
}

TEST_F(Strangers, StayWhereOurChainsAreMadeAnew) {
    for (nft::Chain& chain : table().chains)
        chain.owner.clear();
    const std::string text = change(compile(seed(), uncounted(), alone), {.marks = true});
    EXPECT_THAT(text, testing::HasSubstr("delete chain inet nftlink forward\n"));
    EXPECT_THAT(text, testing::Not(testing::HasSubstr("nftlink x")));
    EXPECT_THAT(text, testing::Not(testing::HasSubstr("delete table")));
}

}  // namespace
}  // namespace nftlink::firewall
