// The loader's inner parts, where whole configurations can't show a fault well.
#include <gtest/gtest.h>

#include "config/characters.hpp"
#include "config/report.hpp"
#include "config/words.hpp"

namespace nftlink::config {
namespace {

TEST(Suggestion, OffersOnlyWhatIsClose) {
    const std::string_view words[] = {"links", "expose", "icc"};
    EXPECT_EQ(suggest("link", words), "; did you mean 'links'?");
    EXPECT_EQ(suggest("exposes", words), "; did you mean 'expose'?");
    EXPECT_EQ(suggest("ports", words), "");
    EXPECT_EQ(suggest("x", words), "");
    EXPECT_EQ(suggest(std::string(1000, 'l'), words), "");
}

TEST(SourceText, CountsLinesAndCharacters) {
    const std::string text =
        "\xef\xbb\xbf"
        "ab\r\né€x\n" +
        std::string(10'000, 'y') + "ü" + std::string(10'000, 'z');
    const SourceText source("f", text);
    const auto at = [&](std::uint32_t offset) { return source.position(offset).to_string(); };
    EXPECT_EQ(at(0), "f:1:1") << "the byte order mark is no part of the text";
    EXPECT_EQ(at(3), "f:1:4");
    EXPECT_EQ(at(4), "f:2:1");
    EXPECT_EQ(at(9), "f:2:3");
    EXPECT_EQ(at(11), "f:3:1");
    EXPECT_EQ(at(11 + 10'000), "f:3:10001");
    EXPECT_EQ(at(11 + 10'002), "f:3:10002");
    EXPECT_EQ(at(11 + 15'000), "f:3:15000");
    EXPECT_EQ(at(Place::whole), "f");
}

struct Bad {
    std::string text;
    std::size_t offset;
};

TEST(FindBadCharacter, KnowsUtf8) {
    for (const std::string good : {"", "a\t\r\n", "é€😀", "\xc2\x85", "\xef\xbf\xbd", "\xf4\x8f\xbf\xbd"})
        EXPECT_FALSE(find_bad_character(good)) << testing::PrintToString(good);
    for (const auto& [text, offset] :
         {Bad{std::string("a\0b", 3), 1}, Bad{"ab\x04", 2}, Bad{"\x7f", 0}, Bad{"a\rb", 1}, Bad{"a\r", 1},
          Bad{"\xc3", 0}, Bad{"x\xc3(", 1}, Bad{"\x80", 0}, Bad{"\xc0\x80", 0}, Bad{"\xe0\x80\x80", 0},
          Bad{"\xed\xa0\x80", 0}, Bad{"\xf4\x90\x80\x80", 0}, Bad{"\xf8\x88\x80\x80\x80", 0}, Bad{"\xef\xbf\xbf", 0},
          Bad{"\xc2\x80", 0}}) {
        const auto bad = find_bad_character(text);
        ASSERT_TRUE(bad) << testing::PrintToString(text);
        EXPECT_EQ(bad->offset, offset) << testing::PrintToString(text);
    }
}

}  // namespace
}  // namespace nftlink::config
