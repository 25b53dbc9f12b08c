#include "nftlink/model/topology.hpp"

#include <gtest/gtest.h>

namespace nftlink::model {
namespace {

using namespace std::string_view_literals;

TEST(Names, AreDockers) {
    for (const char* name : {"a", "Z", "0", "redis", "my-db_1.x", "a--", "1.2"})
        EXPECT_TRUE(is_name(name)) << name;
    for (const std::string_view name :
         {""sv, "-a"sv, "_a"sv, ".a"sv, "a b"sv, "a/b"sv, "a:b"sv, "ä"sv, "a\n"sv, "a\0"sv})
        EXPECT_FALSE(is_name(name)) << name;
    EXPECT_TRUE(is_name(std::string(64, 'a')));
    EXPECT_FALSE(is_name(std::string(65, 'a')));
}

TEST(Names, OfInterfacesAreTheKernelsLessWhatNftTripsOver) {
    for (const char* name : {"docker0", "br-1a2b3c4d5e6f", "a", "-", "br.10", "_x@y", "15characterlong"})
        EXPECT_TRUE(is_interface_name(name)) << name;
    for (const std::string_view name : {""sv, "."sv, ".."sv, "16characterslong"sv, "a b"sv, "a\t"sv, "a/b"sv, "a:0"sv,
                                        "br*"sv, "a\"b"sv, "a\\b"sv, "brücke"sv, "a\x7f"sv, "a\0"sv})
        EXPECT_FALSE(is_interface_name(name)) << name;
}

TEST(Names, ThatAreNoneAreToldWhy) {
    EXPECT_EQ(name_fault("redis"), "");
    EXPECT_EQ(name_fault(""), "a name cannot be empty");
    EXPECT_EQ(name_fault(std::string(65, 'a')), "a name has at most 64 characters, not 65");
    EXPECT_EQ(name_fault("-a"),
              "a name starts with a letter or digit and goes on with letters, digits, '_', '.' and '-'");
}

TEST(Links, AreWrittenAsTheChildAndTheAliasAfterTheFirstColon) {
    EXPECT_EQ(parse_link("redis"), (LinkText{"redis", "redis"}));
    EXPECT_EQ(parse_link("redis:db"), (LinkText{"redis", "db"}));
    EXPECT_EQ(parse_link("redis:"), (LinkText{"redis", ""}));
    EXPECT_EQ(parse_link("a:b:c"), (LinkText{"a", "b:c"}));
    EXPECT_EQ(parse_link(""), (LinkText{"", ""}));
}

TEST(Links, OfNoNamesOrToTheParentItselfAreWrong) {
    EXPECT_EQ(link_fault("web", "redis:db"), "");
    EXPECT_EQ(link_fault("web", ":db"), "link ':db': child '': a name cannot be empty");
    EXPECT_EQ(link_fault("web", "redis:"), "link 'redis:': alias '': a name cannot be empty");
    EXPECT_EQ(link_fault("web", "web:me"), "'web' cannot have a link to itself");
}

TEST(Names, OfLinksAreParentAndAlias) {
    EXPECT_EQ(link_name("web", "db"), "/web/db");
}

TEST(ATopology, FindsContainersAndTheirNetworks) {
    const Address address = Address::parse("172.17.0.2").value();
    Topology topology;
    topology.containers["redis"] = {"redis", {{"docker0", {address}}, {"br-back", {address}}}, {}, {}, {}};
    ASSERT_NE(topology.find("redis"), nullptr);
    EXPECT_EQ(topology.find("redis")->name, "redis");
    EXPECT_EQ(topology.find("redi"), nullptr);
    ASSERT_NE(topology.find("redis")->on("br-back"), nullptr);
    EXPECT_EQ(topology.find("redis")->on("br-back")->bridge, "br-back");
    EXPECT_EQ(topology.find("redis")->on("br"), nullptr);
}

}  // namespace
}  // namespace nftlink::model
