#include "nftlink/api/requests.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nftlink::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

std::vector<std::string> faults(const std::string& body) {
    std::vector<std::string> paths;
    const auto transaction = read_transaction(body);
    if (!transaction)
        for (const Fault& fault : transaction.error())
            paths.push_back(fault.path);
    return paths;
}

TEST(Transaction, IsRead) {
    const auto transaction = read_transaction(R"({
        "put": {"containers": {"web": {"bridge": "b"}}, "links": [{"parent": "web", "child": "redis", "alias": "db"},
                                                                  {"parent": "web", "child": "cache"}]},
        "delete": {"containers": ["old"], "links": [{"parent": "a", "alias": "b"}]}})");
    ASSERT_TRUE(transaction);
    EXPECT_EQ(transaction->put_containers[0].path, "/put/containers/web");
    EXPECT_THAT(transaction->put_links, ElementsAre(LinkPut{{"web", "db"}, "redis", "/put/links/0"},
                                                    LinkPut{{"web", "cache"}, "cache", "/put/links/1"}));
    EXPECT_THAT(transaction->delete_containers, ElementsAre("old"));
    EXPECT_THAT(transaction->delete_links, ElementsAre(LinkName{"a", "b"}));
    EXPECT_THAT(faults("{}"), ElementsAre());
}

TEST(Transaction, HasEachContainersRecordAsItWasWritten) {
    const auto transaction = read_transaction(R"( { "delete" : {"links": []}, "put":{"links":[],"containers" : {
        "a" : {"environment": {"N": 1.10, "{\"": "}]\\", "b": [{}, "\"", [1,2]]}} ,"b":{},"\u0063\"": 1e3,"d": "," }}})");
    ASSERT_TRUE(transaction);
    std::vector<std::pair<std::string, std::string>> records;
    for (const ContainerPut& put : transaction->put_containers)
        records.emplace_back(put.name, put.record);
    EXPECT_THAT(
        records,
        ElementsAre(Pair("a", HasSubstr(R"({"environment": {"N": 1.10, "{\"": "}]\\", "b": [{}, "\"", [1,2]]}})")),
                    Pair("b", "{}"), Pair("c\"", " 1e3"), Pair("d", R"( "," )")));
    EXPECT_TRUE(read_transaction(R"({"put": {"containers": {}}})")->put_containers.empty());
}

TEST(Transaction, IsNoneWhereTheTextIsNoJson) {
    const auto none = read_transaction("{");
    ASSERT_FALSE(none);
    EXPECT_THAT(none.error(), ElementsAre(parse("{").error()));
}

TEST(Transaction, NamesAllFaults) {
    EXPECT_THAT(faults("[]"), ElementsAre(""));
    EXPECT_THAT(faults(R"({"puts": {}})"), ElementsAre("/puts"));
    EXPECT_THAT(faults(R"({"put": {"containers": [], "links": {}}})"), ElementsAre("/put/containers", "/put/links"));
    EXPECT_THAT(faults(R"({"put": {"links": [1, {"parent": 1, "chidl": "x"}]}})"),
                ElementsAre("/put/links/0", "/put/links/1/chidl", "/put/links/1/parent", "/put/links/1"));
    EXPECT_THAT(faults(R"({"delete": {"containers": ["a", 1], "links": [{"parent": "a"}]}})"),
                ElementsAre("/delete/containers/1", "/delete/links/0"));
}

TEST(Parse, SaysWhereItIsNoJson) {
    EXPECT_EQ(parse(R"({"a": 1})")->as_object().at("a"), 1);
    EXPECT_EQ(parse("").error().code, Code::malformed);
    EXPECT_THAT(parse("{\"a\": x}").error().message, HasSubstr("at byte 6"));
    EXPECT_FALSE(parse("{} {}"));
    EXPECT_FALSE(parse("{\"a\": \"\xff\"}"));
    EXPECT_FALSE(parse(std::string(100, '[') + std::string(100, ']')));
    EXPECT_FALSE(parse("{\"a\":"));
}

TEST(Parse, RefusesAMemberThatIsGivenTwice) {
    const auto twice = parse(R"({"put": {"a": {"b": 1, "x": [{"b": 2}], "\u0062": 3}}})");
    ASSERT_FALSE(twice);
    EXPECT_EQ(
        twice.error(),
        (Fault{Code::malformed, "the member 'b' is given twice in one object, the second time before byte 47", ""}));
    EXPECT_TRUE(parse(R"({"a": {"a": [{"a": 1}, {"a": "a"}]}, "b": "a", "": {"": 1, "c": 1}, "c": 2})"));
    EXPECT_FALSE(parse(R"({"": 1, "": 1})"));
    EXPECT_FALSE(parse("{\"" + std::string(5000, 'x') + "\": 1, \"" + std::string(5000, 'x') + "\": 1}"));
    EXPECT_TRUE(parse("{\"" + std::string(5000, 'x') + "\": 1, \"" + std::string(5001, 'x') + "\": 1}"));
}

}  // namespace
}  // namespace nftlink::api
