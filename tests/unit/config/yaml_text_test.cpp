#include "config/yaml_text.hpp"

#include <gtest/gtest.h>

namespace nftlink::config {
namespace {

TEST(YamlString, EscapesWhatYamlWouldNotReadBack) {
    EXPECT_EQ(yaml_string("plain ä€😀"), "\"plain ä€😀\"");
    EXPECT_EQ(yaml_string("a\"b\\c"), R"("a\"b\\c")");
    EXPECT_EQ(yaml_string("\n\t\x01\x7f"), R"("\x0a\x09\x01\x7f")");
    EXPECT_EQ(yaml_string("\u0085\u2028\uFEFF\uFFFF"), R"("\x85\u2028\uFEFF\uFFFF")");
    EXPECT_EQ(yaml_string(""), "\"\"");
}

}  // namespace
}  // namespace nftlink::config
