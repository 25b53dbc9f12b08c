#include "nftlink/kernel/fake_kernel.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <system_error>

#include "nftlink/nft/build.hpp"

namespace nftlink::kernel {
namespace {

nft::Operation inet(nft::Action action) {
    return {nft::Family::inet, "t", std::move(action)};
}

nft::Element element(std::uint8_t last) {
    nft::Element made;
    made.key.append(std::array<std::uint8_t, 4>{10, 0, 0, last});
    return made;
}

nft::Set set_of(std::uint32_t size, bool counter = false) {
    nft::Set set;
    set.name = "s";
    set.key = {nft::DataType::ipv4_addr};
    set.size = size;
    set.counter = counter;
    return set;
}

nft::Chain chain(std::string name) {
    nft::Chain made;
    made.name = std::move(name);
    return made;
}

nft::Rule jump(std::string_view to) {
    return nft::RuleBuilder(nft::Family::inet).jump(to).build();
}
nft::Rule lookup() {
    return nft::RuleBuilder(nft::Family::inet).in_set({nft::Field::source}, "s").accept().build();
}

const nft::Batch basis{inet(nft::AddTable{}), inet(nft::AddChain{chain("a")}), inet(nft::AddChain{chain("b")}),
                       inet(nft::AddSet{set_of(2)})};

class FakeKernelTest : public testing::Test {
protected:
    FakeKernelTest() { EXPECT_TRUE(kernel_.apply(basis, {})); }

    // The errno of the batch's first refused operation, 0 when it was done.
    int apply(const nft::Batch& batch) {
        const auto commit = kernel_.apply(batch, {});
        return commit ? 0 : commit.error().operations.at(0).error_number;
    }

    FakeKernel kernel_;
};

TEST_F(FakeKernelTest, AllOrNothing) {
    const auto before = kernel_.generation();
    const auto commit =
        kernel_.apply({inet(nft::AddChain{chain("c")}), inet(nft::DeleteChain{"x"}), inet(nft::DeleteSet{"y"})}, {});
    ASSERT_FALSE(commit);
    EXPECT_EQ(commit.error().operations.size(), 2u) << "every bad operation is named";
    EXPECT_EQ(kernel_.generation(), before);
    EXPECT_EQ(kernel_.ruleset().tables[0].chain("c"), nullptr);
}

TEST_F(FakeKernelTest, GuardsByGeneration) {
    const auto commit = kernel_.apply({inet(nft::DeleteTable{})}, kernel_.generation() + 1);
    ASSERT_FALSE(commit);
    EXPECT_EQ(commit.error().reason, Refusal::Reason::stale);
    EXPECT_TRUE(kernel_.apply({inet(nft::DeleteTable{})}, kernel_.generation()));
}

TEST_F(FakeKernelTest, WhatIsReferredToIsBusy) {
    EXPECT_EQ(apply({inet(nft::AddRule{"a", jump("b"), 0}), inet(nft::AddRule{"a", lookup(), 0})}), 0);
    EXPECT_EQ(apply({inet(nft::DeleteChain{"b"})}), EBUSY);
    EXPECT_EQ(apply({inet(nft::DeleteSet{"s"})}), EBUSY);
    EXPECT_EQ(apply({inet(nft::DeleteChain{"a"})}), EBUSY) << "it has rules";
    EXPECT_EQ(apply({inet(nft::FlushChain{"a"}), inet(nft::DeleteChain{"b"}), inet(nft::DeleteSet{"s"})}), 0);
}

TEST_F(FakeKernelTest, RulesNeedWhatTheyName) {
    EXPECT_EQ(apply({inet(nft::AddRule{"a", jump("x"), 0})}), ENOENT);
    EXPECT_EQ(apply({inet(nft::AddRule{"x", jump("b"), 0})}), ENOENT);
}

TEST_F(FakeKernelTest, RulesAreKnownByHandleAndKeepTheirOrder) {
    ASSERT_EQ(apply({inet(nft::AddRule{"a", jump("b"), 0})}), 0);
    const auto handle = kernel_.ruleset().tables[0].chain("a")->rules[0].handle;
    ASSERT_EQ(apply({inet(nft::AddRule{"a", lookup(), handle})}), 0);
    EXPECT_TRUE(nft::same_rule(kernel_.ruleset().tables[0].chain("a")->rules[0], lookup()));
    EXPECT_EQ(apply({inet(nft::DeleteRule{"a", handle})}), 0);
    EXPECT_EQ(apply({inet(nft::DeleteRule{"a", handle})}), ENOENT);
    EXPECT_EQ(apply({inet(nft::ReplaceRule{"a", handle, lookup()})}), ENOENT);
}

TEST_F(FakeKernelTest, FullSetRefusesEvenWhatItHas) {
    const auto add = [](std::uint8_t last) { return inet(nft::AddElements{"s", {}, {element(last)}}); };
    EXPECT_EQ(apply({add(1), add(1), add(2)}), 0);
    EXPECT_EQ(apply({add(1)}), ENFILE);
    EXPECT_EQ(apply({inet(nft::DeleteElements{"s", {}, {element(1)}}), add(3)}), 0) << "deletes before adds";
    EXPECT_EQ(apply({inet(nft::DeleteElements{"s", {}, {element(1)}})}), ENOENT);
}

TEST_F(FakeKernelTest, CountedSetCountsFromZero) {
    nft::Set counted = set_of(0, true);
    counted.name = "counted";
    ASSERT_EQ(apply({inet(nft::AddSet{counted}), inet(nft::AddElements{"counted", {}, {element(1)}})}), 0);
    EXPECT_EQ(kernel_.ruleset().tables[0].set("counted")->elements[0].counters, nft::Counters{});
}

TEST_F(FakeKernelTest, WhatChangesNothingLeavesTheGeneration) {
    ASSERT_EQ(apply({inet(nft::AddElements{"s", {}, {element(1)}})}), 0);
    const auto before = kernel_.generation();
    EXPECT_EQ(apply({inet(nft::AddTable{}), inet(nft::AddElements{"s", {}, {element(1)}}), inet(nft::FlushChain{"a"})}),
              0);
    EXPECT_EQ(kernel_.generation(), before);
    EXPECT_EQ(apply({inet(nft::AddTable{}), inet(nft::AddElements{"s", {}, {element(2)}})}), 0);
    EXPECT_EQ(kernel_.generation(), before + 1);
}

TEST_F(FakeKernelTest, RefusesWhatIsTooLarge) {
    kernel_.limit = 100;
    const auto commit = kernel_.apply({inet(nft::DeleteTable{})}, {});
    ASSERT_FALSE(commit);
    EXPECT_EQ(commit.error().reason, Refusal::Reason::too_large);
}

TEST_F(FakeKernelTest, EveryStepCanBeMadeToFail) {
    using Step = FakeKernel::Step;
    Step failing = Step::snapshot;
    kernel_.fails = [&](Step step) { return step == failing; };
    const auto every_table = [](const nft::Table&, const nft::Ruleset&) { return true; };
    EXPECT_THROW(kernel_.snapshot(every_table), std::system_error);
    EXPECT_EQ(apply({inet(nft::DeleteChain{"b"})}), 0);
    failing = Step::apply;
    EXPECT_EQ(apply({inet(nft::DeleteChain{"a"})}), ENOMEM);
    EXPECT_NE(kernel_.snapshot(every_table).tables[0].chain("a"), nullptr);
    failing = Step::bridges;
    EXPECT_THROW(kernel_.bridges(), std::system_error);
    failing = Step::enable;
    kernel_.bridge_state.bridges = {{"docker0", 3, {}}};
    EXPECT_FALSE(kernel_.enable_bridge_netfilter("docker0", {true, true}));
    EXPECT_EQ(kernel_.bridges().bridges[0].own, BridgeNetfilter{});
}

TEST(Refusal, SaysWhichWhatAndWhy) {
    const Refusal refusal{Refusal::Reason::operations,
                          41,
                          {{18, "add element inet nftlink links4 { … }", "", ENOENT, ""},
                           {40, "add rule inet nftlink c accept", "c", EBUSY, "chain is in use"}}};
    EXPECT_EQ(refusal.to_string(),
              "kernel refused 2 of 41: #19 add element inet nftlink links4 { … }: No such file or directory; "
              "#41 add rule inet nftlink c accept (c): Device or resource busy (chain is in use)");
}

}  // namespace
}  // namespace nftlink::kernel
