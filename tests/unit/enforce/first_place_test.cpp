// Fights for the top of a chain, and their end.
#include "enforce/first_place.hpp"

#include <gtest/gtest.h>

namespace nftlink::enforce {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// The number of times that ours are put back, when somebody comes above them with such pauses.
int count_of_moves(FirstPlace& place, FirstPlace::Time& now, seconds pause, int times) {
    int moves = 0;
    for (; times > 0 && place.may_take(now); --times, ++moves) {
        place.taken(now);
        now += pause;
    }
    return moves;
}

TEST(FirstPlace, IsGivenUpAfterFiveTimesWithinAMinute) {
    FirstPlace place;
    FirstPlace::Time now{minutes(1)};
    EXPECT_EQ(count_of_moves(place, now, seconds(1), 100), 5);
    EXPECT_FALSE(place.may_take(now + minutes(59)));
}

TEST(FirstPlace, IsGivenUpAfterTwentyTimesWithinAnHour) {
    FirstPlace place;
    FirstPlace::Time now{minutes(1)};
    EXPECT_EQ(count_of_moves(place, now, seconds(20), 100), 20);
}

TEST(FirstPlace, IsTakenForEverFromWhoComesSeldom) {
    FirstPlace place;
    FirstPlace::Time now{minutes(1)};
    EXPECT_EQ(count_of_moves(place, now, minutes(4), 100), 100);
}

TEST(FirstPlace, IsTriedAgainAfterAnHour) {
    FirstPlace place;
    FirstPlace::Time now{minutes(1)};
    count_of_moves(place, now, seconds(1), 100);
    EXPECT_FALSE(place.may_take(now));
    now += minutes(60);
    EXPECT_EQ(count_of_moves(place, now, seconds(1), 100), 5);
}

}  // namespace
}  // namespace nftlink::enforce
