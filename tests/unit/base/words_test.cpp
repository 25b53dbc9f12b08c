#include "nftlink/base/words.hpp"

#include <gtest/gtest.h>

namespace nftlink::base {
namespace {

TEST(Count, HasAPlural) {
    EXPECT_EQ(count(0, "link"), "0 links");
    EXPECT_EQ(count(1, "link"), "1 link");
    EXPECT_EQ(count(2, "link"), "2 links");
}

}  // namespace
}  // namespace nftlink::base
