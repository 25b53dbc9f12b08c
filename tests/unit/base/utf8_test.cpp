#include "nftlink/base/utf8.hpp"

#include <gtest/gtest.h>

namespace nftlink::base {
namespace {

TEST(Utf8, LeavesWellFormedTextAlone) {
    for (const std::string text :
         {"", "plain\n", "ä€😀", "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf", "\xc2\x80"})
        EXPECT_EQ(utf8(text), text);
}

TEST(Utf8, ReplacesEachByteThatIsNoPartOfACharacter) {
    EXPECT_EQ(utf8("a\xff"
                   "b"),
              "a\uFFFDb");
    EXPECT_EQ(utf8("\xc3"), "\uFFFD");                      // cut off
    EXPECT_EQ(utf8("\xe2\x82"), "\uFFFD\uFFFD");            // likewise
    EXPECT_EQ(utf8("\x80"), "\uFFFD");                      // only the continuation
    EXPECT_EQ(utf8("\xc0\xaf"), "\uFFFD\uFFFD");            // a long form
    EXPECT_EQ(utf8("\xe0\x9f\xbf"), "\uFFFD\uFFFD\uFFFD");  // likewise
    EXPECT_EQ(utf8("\xf0\x8f\xbf\xbf"), "\uFFFD\uFFFD\uFFFD\uFFFD");
    EXPECT_EQ(utf8("\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD");            // a surrogate
    EXPECT_EQ(utf8("\xf4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD");  // beyond U+10FFFF
    EXPECT_EQ(utf8("\xf5\x80\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD");
    EXPECT_EQ(utf8("\xe2\x28\xa1"), "\uFFFD(\uFFFD");
}

TEST(Utf8, IsToldFromOtherBytes) {
    EXPECT_TRUE(is_utf8(""));
    EXPECT_TRUE(is_utf8("\u00e9\U0001F600"));
    EXPECT_FALSE(is_utf8("caf\xe9"));
}

}  // namespace
}  // namespace nftlink::base
