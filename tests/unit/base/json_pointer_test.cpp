#include "nftlink/base/json_pointer.hpp"

#include <gtest/gtest.h>

namespace nftlink::base {
namespace {

TEST(JsonPointer, LeadsToMembersAndItems) {
    EXPECT_EQ(below("", "put"), "/put");
    EXPECT_EQ(below("/put", ""), "/put/");
    EXPECT_EQ(below("/a", "b/c~d"), "/a/b~1c~0d");
    EXPECT_EQ(below("/a", 7), "/a/7");
}

}  // namespace
}  // namespace nftlink::base
