#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>

#include "nftlink/linkenv/environment.hpp"

namespace nftlink::linkenv {
namespace {

using namespace std::string_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// Why the variable can't be written so; empty when it can.
std::string refused(const Variable& variable, Format how) {
    const auto text = format({{"A", "1"}, variable}, how);
    return text ? "" : text.error();
}

TEST(Formats, HaveNames) {
    EXPECT_EQ(parse_format("env"), Format::env);
    EXPECT_EQ(parse_format("shell"), Format::shell);
    EXPECT_EQ(parse_format("json"), Format::json);
    EXPECT_EQ(parse_format("null"), Format::null);
    EXPECT_EQ(parse_format("yaml"), std::nullopt);
    EXPECT_EQ(parse_format(""), std::nullopt);
    EXPECT_EQ(parse_hosts_format("hosts"), HostsFormat::hosts);
    EXPECT_EQ(parse_hosts_format("docker"), HostsFormat::docker);
    EXPECT_EQ(parse_hosts_format("env"), std::nullopt);
}

TEST(Formats, WriteVariablesInTheirOrder) {
    const std::vector<Variable> two{{"B", "1"}, {"A", ""}};
    EXPECT_EQ(format(two, Format::env), "B=1\nA=\n");
    EXPECT_EQ(format(two, Format::shell), "export B='1'\nexport A=''\n");
    EXPECT_EQ(format(two, Format::json), "{\"B\":\"1\",\"A\":\"\"}\n");
    EXPECT_EQ(format(two, Format::null), "B=1\0A=\0"s);
}

TEST(Formats, OfNothing) {
    EXPECT_EQ(format({}, Format::env), "");
    EXPECT_EQ(format({}, Format::shell), "");
    EXPECT_EQ(format({}, Format::json), "{}\n");
    EXPECT_EQ(format({}, Format::null), "");
}

TEST(Formats, OfLinesRefuseNewlines) {
    EXPECT_THAT(refused({"K", "a\nB=2"}, Format::env), AllOf(HasSubstr("K "), HasSubstr("shell"), HasSubstr("null")));
    EXPECT_NE(refused({"K\nX", "a"}, Format::env), "");
    for (const Format other : {Format::shell, Format::json, Format::null})
        EXPECT_EQ(refused({"K", "a\nB=2"}, other), "");
}

TEST(Formats, OfShellRefuseOtherNames) {
    for (const char* name : {"MY-DB_NAME", "MY.DB_NAME", "1_NAME", "", "A B", "A;reboot", "Ä"}) {
        EXPECT_THAT(refused({name, "x"}, Format::shell), AllOf(HasSubstr(name), HasSubstr("json"))) << name;
        EXPECT_EQ(refused({name, "x"}, Format::json), "") << name;
    }
    EXPECT_THAT(refused({"A\nB", "x"}, Format::shell), HasSubstr("A\\x0aB "));
    EXPECT_EQ(refused({"_a9_Z", "x"}, Format::shell), "");
}

TEST(Formats, OfJsonRefuseWhatIsNotUtf8) {
    EXPECT_THAT(refused({"K", "\xff"}, Format::json), AllOf(HasSubstr("K "), HasSubstr("null")));
    EXPECT_NE(refused({"K", "\xc0\xaf"}, Format::json), "");
    EXPECT_EQ(refused({"K", "\xff"}, Format::null), "");
    EXPECT_EQ(format({{"K", "ä\"\\\n\x01"}}, Format::json), "{\"K\":\"ä\\\"\\\\\\n\\u0001\"}\n");
}

TEST(Formats, ButJsonRefuseNulBytes) {
    for (const Format how : {Format::env, Format::shell, Format::null})
        EXPECT_THAT(refused({"K", "a\0b"s}, how), HasSubstr("--format json"));
    EXPECT_EQ(format({{"K", "a\0b"s}}, Format::json), "{\"K\":\"a\\u0000b\"}\n");
}

// What a real shell makes of the lines.
std::string evaluated(const std::string& value) {
    const std::string script = format({{"K", value}}, Format::shell).value() + "printf %s \"$K\"";
    setenv("NFTLINK_TEST_SCRIPT", script.c_str(), 1);
    FILE* shell = popen("eval \"$NFTLINK_TEST_SCRIPT\"", "r");
    std::string output;
    std::array<char, 256> buffer{};
    while (const std::size_t size = fread(buffer.data(), 1, buffer.size(), shell))
        output.append(buffer.data(), size);
    pclose(shell);
    return output;
}

TEST(Formats, OfShellAreSafeToEvaluate) {
    for (const char* value :
         {"",    "plain",         "it's",      "''", "'", "a b  c", "$(echo no)", "`echo no`", "${HOME}",  "\\",
          "\\'", "'; echo no; '", "a\nb\n\nc", "\"", "*", "!!",     "#",          "tab\there", "\x01\x7f", "ä€"})
        EXPECT_EQ(evaluated(value), value);
}

}  // namespace
}  // namespace nftlink::linkenv
