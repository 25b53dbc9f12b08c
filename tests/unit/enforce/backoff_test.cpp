#include "nftlink/enforce/backoff.hpp"

#include <gtest/gtest.h>

namespace nftlink::enforce {
namespace {

using std::chrono::milliseconds;

class BackoffTest : public testing::Test {
protected:
    const Backoff::Time start_{std::chrono::hours(1)};
    const Cause rules_{.reason = "rules"}, bridges_{.reason = "bridges", .of = Cause::Of::bridges};
    Backoff backoff_;
};

TEST_F(BackoffTest, AFirstRepairIsMadeAtOnce) {
    EXPECT_TRUE(backoff_.may_repair(rules_, start_));
    EXPECT_FALSE(backoff_.due());
    EXPECT_FALSE(backoff_.is_behind());
}

TEST_F(BackoffTest, OthersGetThreeTimesAsMuchAsARepairCost) {
    backoff_.repaired(start_, milliseconds(20));
    EXPECT_FALSE(backoff_.may_repair(rules_, start_ + milliseconds(59)));
    EXPECT_TRUE(backoff_.is_behind());
    EXPECT_EQ(backoff_.due(), start_ + milliseconds(60));
    EXPECT_FALSE(backoff_.take(start_ + milliseconds(59)));
    EXPECT_EQ(backoff_.take(start_ + milliseconds(60))->reason, "rules");
    EXPECT_FALSE(backoff_.due());
    EXPECT_TRUE(backoff_.may_repair(rules_, start_ + milliseconds(60)));
    backoff_.caught_up();
    EXPECT_FALSE(backoff_.is_behind());
}

TEST_F(BackoffTest, WhatComesDuringAPauseIsOneRepairAfterIt) {
    backoff_.repaired(start_, milliseconds(20));
    for (int count = 0; count < 3; ++count)
        EXPECT_FALSE(backoff_.may_repair(rules_, start_ + milliseconds(count)));
    EXPECT_TRUE(backoff_.take(start_ + milliseconds(60)));
    EXPECT_FALSE(backoff_.take(start_ + milliseconds(60)));
    EXPECT_FALSE(backoff_.take_bridges());
}

// Bridges alone are no reason to call the rules out of force.
TEST_F(BackoffTest, BridgesThatChangeDuringAPauseAreLookedAtAfterIt) {
    backoff_.repaired(start_, milliseconds(20));
    EXPECT_FALSE(backoff_.may_repair(bridges_, start_));
    EXPECT_TRUE(backoff_.waits_for_bridges());
    EXPECT_FALSE(backoff_.is_behind());
    EXPECT_FALSE(backoff_.may_repair(rules_, start_));
    EXPECT_TRUE(backoff_.is_behind());
    EXPECT_EQ(backoff_.take(start_ + milliseconds(60))->reason, "rules");
    EXPECT_TRUE(backoff_.take_bridges());
    EXPECT_FALSE(backoff_.take_bridges());
    EXPECT_FALSE(backoff_.waits_for_bridges());
}

TEST_F(BackoffTest, NewsAreAReasonToTryAgainAtOnceWhatWasRefused) {
    backoff_.retry(rules_, start_ + milliseconds(1000));
    EXPECT_TRUE(backoff_.may_repair(rules_, start_));
    EXPECT_FALSE(backoff_.due());
}

TEST_F(BackoffTest, ALookAtTheBridgesIsDueAtOnceOrWithWhatIsDue) {
    backoff_.look_at_bridges(bridges_, start_);
    EXPECT_EQ(backoff_.due(), start_);
    EXPECT_EQ(backoff_.take(start_)->of, Cause::Of::bridges);
    backoff_.retry(rules_, start_ + milliseconds(1000));
    backoff_.look_at_bridges(bridges_, start_);
    EXPECT_EQ(backoff_.due(), start_ + milliseconds(1000));
    EXPECT_TRUE(backoff_.take_bridges());
}

}  // namespace
}  // namespace nftlink::enforce
