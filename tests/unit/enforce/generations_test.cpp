#include "nftlink/enforce/generations.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace nftlink::enforce {
namespace {

using Meaning = Generations::Meaning;

constexpr std::uint32_t us = 1, somebody = 2;

class GenerationsTest : public testing::Test {
protected:
    GenerationsTest() { generations_.compared(10, 10, true); }

    Generations::Judgement judge(std::uint32_t generation, std::uint32_t process, bool of_ours) {
        kernel::Change change;
        change.generation = generation;
        change.process = process;
        change.tables = {{nft::Family::inet, of_ours ? "nftlink" : "other"}};
        return generations_.judge(change, tables_);
    }

    const std::vector<std::pair<nft::Family, std::string>> tables_{{nft::Family::inet, "nftlink"}};
    Generations generations_;
};

TEST_F(GenerationsTest, WhatOthersDoInTheirTablesIsPassedOver) {
    EXPECT_EQ(judge(11, somebody, false).meaning, Meaning::nothing);
    EXPECT_EQ(generations_.current(), 11u);
}

TEST_F(GenerationsTest, WhatOthersDoInOursIsNews) {
    EXPECT_EQ(judge(11, somebody, true).meaning, Meaning::news);
    EXPECT_EQ(generations_.current(), 10u);
}

TEST_F(GenerationsTest, AGapIsNewsWhateverTheEventIsAbout) {
    EXPECT_EQ(judge(12, somebody, false).meaning, Meaning::news);
}

TEST_F(GenerationsTest, AnOverrunIsNews) {
    kernel::Change change;
    change.overrun = true;
    EXPECT_EQ(generations_.judge(change, tables_).meaning, Meaning::news);
}

TEST_F(GenerationsTest, OurOwnAreKnownByTheProcessThatTheKernelCallsUs) {
    EXPECT_EQ(judge(10, us, true).meaning, Meaning::nothing) << "this event says who we are";
    EXPECT_EQ(judge(11, us, true).meaning, Meaning::nothing);
    EXPECT_EQ(judge(12, somebody, true).meaning, Meaning::news);
}

// Two commits of ours without a guard, and one of somebody's in between.
TEST_F(GenerationsTest, ACommitOfOthersBetweenOursIsStillNews) {
    generations_.committed(11);
    generations_.committed(13);
    EXPECT_EQ(generations_.current(), 11u);
    EXPECT_EQ(judge(11, us, true).meaning, Meaning::nothing);
    EXPECT_EQ(judge(12, somebody, true).meaning, Meaning::news);
}

TEST_F(GenerationsTest, WhatAChangeOfOursRepairedOnTheWayIsSaidWhenItsEventComes) {
    generations_.compared(12, 13, true);
    generations_.absorbed(10, {.operation_count = 7});
    const auto judged = judge(11, somebody, true);
    EXPECT_EQ(judged.meaning, Meaning::absorbed);
    EXPECT_EQ(judged.by->operation_count, 7u);
    EXPECT_EQ(judge(12, somebody, false).meaning, Meaning::nothing);
    EXPECT_EQ(judge(13, us, true).meaning, Meaning::nothing);
}

TEST_F(GenerationsTest, NothingIsAbsorbedByAComparisonThatFoundNothingNew) {
    generations_.compared(10, 11, true);
    generations_.absorbed(10, {.operation_count = 7});
    EXPECT_EQ(judge(10, somebody, true).meaning, Meaning::nothing);
}

TEST_F(GenerationsTest, TheyWrapAroundAndLeaveZeroOut) {
    constexpr std::uint32_t last = std::numeric_limits<std::uint32_t>::max();
    EXPECT_TRUE(is_later(1, last));
    EXPECT_FALSE(is_later(last, 1));
    generations_.compared(last, last, true);
    EXPECT_EQ(judge(1, somebody, false).meaning, Meaning::nothing);
    EXPECT_EQ(generations_.current(), 1u);
}

}  // namespace
}  // namespace nftlink::enforce
