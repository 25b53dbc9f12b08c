#include "http/target.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nftlink::http {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

std::vector<std::string> path(std::string_view text) {
    const auto target = parse_target(text);
    return target ? target->path : std::vector<std::string>{"refused"};
}

std::map<std::string, std::string> query(std::string_view text) {
    const auto target = parse_target(text);
    return target ? target->query : std::map<std::string, std::string>{{"refused", ""}};
}

TEST(Target, HasSegments) {
    EXPECT_THAT(path("/v1/links/web/db"), ElementsAre("v1", "links", "web", "db"));
    EXPECT_THAT(path("/metrics?a=b"), ElementsAre("metrics"));
    EXPECT_THAT(path("/"), ElementsAre(""));
}

TEST(Target, KeepsEmptySegments) {
    EXPECT_THAT(path("/v1/containers/"), ElementsAre("v1", "containers", ""));
    EXPECT_THAT(path("//v1"), ElementsAre("", "v1"));
}

TEST(Target, DecodesAfterSplitting) {
    EXPECT_THAT(path("/v1/a%2Fb/c%20d"), ElementsAre("v1", "a/b", "c d"));
    EXPECT_THAT(path("/%7e%7E"), ElementsAre("~~"));
    EXPECT_THAT(path("/a%3Fb"), ElementsAre("a?b"));
    EXPECT_THAT(path("/%00"), ElementsAre(std::string(1, '\0')));
    EXPECT_THAT(query("/?a%26=b%3D"), ElementsAre(Pair("a&", "b=")));
}

TEST(Target, RefusesBadEscapes) {
    for (const char* text : {"/%", "/%2", "/%zz", "/%2g", "/%-1", "/%+1", "/% 1", "/?a=%", "/?%=a", "/a%/b"})
        EXPECT_EQ(parse_target(text), std::nullopt) << text;
}

TEST(Target, HasAQuery) {
    EXPECT_THAT(query("/env?format=json&dialect=docker-28"),
                ElementsAre(Pair("dialect", "docker-28"), Pair("format", "json")));
    EXPECT_THAT(query("/?a=1&a=2"), ElementsAre(Pair("a", "2")));
    EXPECT_THAT(query("/?a=1=2"), ElementsAre(Pair("a", "1=2")));
    EXPECT_THAT(query("/?a&b="), ElementsAre(Pair("a", ""), Pair("b", "")));
    EXPECT_THAT(query("/?"), IsEmpty());
    EXPECT_THAT(query("/?&&"), IsEmpty());
}

TEST(Target, IsAPath) {
    EXPECT_THAT(path("http://localhost/v1/status"), ElementsAre("v1", "status"));
    EXPECT_THAT(path("/a#b"), ElementsAre("a"));
    for (const char* text : {"", "*", "v1", "localhost:80", "http://localhost"})
        EXPECT_EQ(parse_target(text), std::nullopt) << text;
}

}  // namespace
}  // namespace nftlink::http
