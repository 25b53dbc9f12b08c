#include "nftlink/base/suggestion.hpp"

#include <gtest/gtest.h>

namespace nftlink::base {
namespace {

TEST(EditDistance, CountsLettersAndNeighboursSwapped) {
    EXPECT_EQ(edit_distance("", ""), 0);
    EXPECT_EQ(edit_distance("", "abc"), 3);
    EXPECT_EQ(edit_distance("abc", ""), 3);
    EXPECT_EQ(edit_distance("layuot", "layout"), 1);
    EXPECT_EQ(edit_distance("LAYOUT", "layout"), 0);
    EXPECT_EQ(edit_distance("adresses", "addresses"), 1);
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3);
    EXPECT_EQ(edit_distance("ab", "cd"), 2);
}

TEST(Suggestion, IsTheClosestWord) {
    Suggestion suggestion("exposes");
    for (const char* word : {"links", "expose", "export"})
        suggestion.offer(word);
    EXPECT_EQ(suggestion.to_string(), "; did you mean 'expose'?");
}

TEST(Suggestion, IsNothingWhereNoWordIsClose) {
    Suggestion suggestion("ports");
    suggestion.offer("links");
    EXPECT_EQ(suggestion.to_string(), "");
}

TEST(Quote, FitsOneLine) {
    EXPECT_EQ(quote("a\n\x1b[1m"), "'a\\x0a\\x1b[1m'");
    EXPECT_EQ(quote(std::string(64, 'a')), "'" + std::string(64, 'a') + "'");
    EXPECT_EQ(quote(std::string(65, 'a')), "'" + std::string(64, 'a') + "…'");
    EXPECT_EQ(quote(std::string(63, 'a') + "é"), "'" + std::string(63, 'a') + "…'") << "no half characters";
}

}  // namespace
}  // namespace nftlink::base
