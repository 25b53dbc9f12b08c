#include "nftlink/base/error.hpp"

#include <gtest/gtest.h>

namespace nftlink::base {

TEST(Error, NamesThePlace) {
    EXPECT_EQ((Error{{"a.yaml", 3, 7}, "unknown key"}.to_string()), "a.yaml:3:7: unknown key");
}

TEST(Error, OfAWholeFileHasNoLine) {
    EXPECT_EQ((Error{{"a.yaml"}, "is empty"}.to_string()), "a.yaml: is empty");
}

TEST(Error, WithoutAPlaceIsItsMessage) {
    EXPECT_EQ((Error{{}, "no room"}.to_string()), "no room");
}

}  // namespace nftlink::base
