// Plans and changes where others have put something into our tables, nothing comes to a chain, or all is known
// beforehand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nftlink/enforce/plan.hpp"
#include "nftlink/kernel/fake_kernel.hpp"
#include "nftlink/nft/text.hpp"

namespace nftlink::enforce {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

Target small_target() {
    model::FirewallPolicy policy;
    policy.bridges["docker0"];
    return make_target({}, policy);
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
    EXPECT_EQ(kernel_.ruleset().table(nft::Family::inet, "nftlink"), nullptr);
}

TEST_F(Mixed, IsLeftAndTold) {
    const auto outcome = apply(kernel_, renamed(), {.strangers = Strangers::leave});
    ASSERT_TRUE(outcome) << outcome.error();
    EXPECT_THAT(outcome->done.left, ElementsAre(HasSubstr("chain theirs")));
    EXPECT_THAT(outcome->done.warnings, testing::Contains(HasSubstr("it stays")));
    EXPECT_NE(kernel_.ruleset().table(nft::Family::inet, "nftlink"), nullptr);
    EXPECT_TRUE(plan(kernel_, renamed(), {.strangers = Strangers::leave})->transactions.empty());
    const auto cleared = clear(kernel_, "other", Strangers::leave);
    ASSERT_TRUE(cleared);
    EXPECT_EQ(cleared->left.size(), 1u);
    ASSERT_EQ(kernel_.ruleset().tables.size(), 1u);
    EXPECT_EQ(table().name, "nftlink");
}

TEST_F(Mixed, ThatIsDormantIsWokenInPlace) {
    EXPECT_TRUE(plan(kernel_, small_target())->transactions.empty());
    table().unknown = {1};
    table().dormant = true;
    const auto outcome = apply(kernel_, small_target());
    ASSERT_TRUE(outcome) << outcome.error();
    ASSERT_EQ(outcome->done.transactions.size(), 1u);
    EXPECT_EQ(nft::to_text(outcome->done.transactions[0]).find("delete"), std::string::npos);
    EXPECT_FALSE(table().dormant);
    EXPECT_NE(table().chain("theirs"), nullptr);
    EXPECT_TRUE(plan(kernel_, small_target())->transactions.empty());
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
    // Of each port in our own table; none where no packet meets it.
    std::optional<std::size_t> rule_count() {
        const nft::Table* own = kernel_.ruleset().table(nft::Family::inet, "nftlink");
        const nft::Chain* chain = own == nullptr || own->chain("forward") == nullptr ? nullptr : own->chain("links");
        return chain == nullptr ? std::nullopt : std::optional(chain->rules.size());
    }

    kernel::FakeKernel kernel_;
};

TEST_P(IdleAttachment, LeavesOurOwnTableInForceWithTheLinksOfNow) {
    ASSERT_TRUE(apply(kernel_, target(false)));
    ASSERT_TRUE(apply(kernel_, target(true)));
    EXPECT_EQ(rule_count(), 2u);
    EXPECT_TRUE(plan(kernel_, target(true))->transactions.empty());
    const auto ended = apply(kernel_, target(true, false));
    ASSERT_TRUE(ended);
    EXPECT_EQ(rule_count(), 0u);
    EXPECT_THAT(ended->done.warnings, testing::Contains(HasSubstr("stays in force, with the links of now")));
    add_chain();
    ASSERT_TRUE(apply(kernel_, target(true)));
    EXPECT_EQ(rule_count(), std::nullopt);
    EXPECT_EQ(kernel_.ruleset()
                  .table(GetParam() == model::AttachPoint::Family::ip ? nft::Family::ip : nft::Family::inet, "fw")
                  ->chains[0]
                  .rules.size(),
              3u + (GetParam() == model::AttachPoint::Family::ip ? 0u : 2u));
}

TEST_P(IdleAttachment, MakesNoTableWhereNoneWasInForce) {
    ASSERT_TRUE(apply(kernel_, target(true)));
    EXPECT_EQ(rule_count(), std::nullopt);
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
    for (nft::Set& set : table.sets)
        set.owner.clear();
    for (nft::Chain& chain : table.chains) {
        chain.owner.clear();
        for (nft::Rule& rule : chain.rules)
            rule.owner.clear();
    }
    const auto planned = plan(kernel, small_target());
    ASSERT_TRUE(planned);
    EXPECT_THAT(planned->warnings, testing::Contains(HasSubstr("nft delete table inet old")));
    ASSERT_TRUE(apply(kernel, small_target()));
    EXPECT_EQ(kernel.ruleset().tables.size(), 3u) << "the old one, and two of ours";
    // Something in it was written anew since: it is ours, and never taken apart by halves.
    kernel.ruleset().tables[0].chains[0].rules[0].owner = "nftlink";
    ASSERT_TRUE(apply(kernel, small_target()));
    ASSERT_EQ(kernel.ruleset().tables.size(), 2u);
    EXPECT_EQ(kernel.ruleset().table(nft::Family::inet, "old"), nullptr);
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
        return apply(kernel_, to, {.known = Known{&from.want, before->generation}});
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
    ASSERT_TRUE(apply(kernel_, to, {.known = Known{&from.want, before->generation}}));
    EXPECT_EQ(kernel_.element_reads, 1u);
    EXPECT_TRUE(plan(kernel_, to)->transactions.empty());
}

TEST_F(KnownRuleset, IsReadForWhatMayHaveToBeTakenBack) {
    kernel_.limit = 60'000;
    const Target from = star(40), to = star(200);
    ASSERT_TRUE(change(from, to));
    EXPECT_GT(kernel_.commit_count, 2u) << "in pieces";
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
}  // namespace nftlink::enforce
