#include "nftlink/api/records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "nftlink/api/answers.hpp"
#include "nftlink/config/fragment.hpp"

namespace nftlink::api {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;

// The pointers of what the configuration's reader finds wrong with a record.
std::vector<std::string> wrong(const std::string& record, const std::string& name = "web") {
    const ContainerText text = to_yaml(name, json::parse(record), "/it");
    std::vector<std::string> paths;
    const auto parsed = config::parse_container({"x", text.yaml}, name);
    if (!parsed)
        for (const base::Error& error : parsed.error())
            paths.push_back(text.path(error.where.line));
    return paths;
}

TEST(ContainerText, LeadsErrorsToTheirFields) {
    const std::string good = R"("bridge": "docker0", "addresses": ["10.0.0.1"])";
    EXPECT_THAT(wrong("{" + good + "}"), ElementsAre());
    EXPECT_THAT(wrong("{" + good + R"(, "expose": [6379, "x/tcp", "1-2/udp", []]})"),
                ElementsAre("/it/expose/1", "/it/expose/3"));
    EXPECT_THAT(wrong("{" + good + R"(, "adresses": []})"), ElementsAre("/it/adresses"));
    EXPECT_THAT(wrong("{" + good + R"(, "a/b~c": 1})"), ElementsAre("/it/a~1b~0c"));
    EXPECT_THAT(wrong(R"({"networks": {"b": ["10.0.0.1", "nonsense"]}})"), ElementsAre("/it/networks/b/1"));
    EXPECT_THAT(wrong("{" + good + R"(, "environment": {"A": {"B": 1}}})"), ElementsAre("/it/environment/A"));
    EXPECT_THAT(wrong("{" + good + R"(, "links": ["a", "b:", "web"]})"), ElementsAre("/it/links/1", "/it/links/2"));
    for (const std::string nothing : {"[]", "null", "1", "\"x\"", "[{}]", "{}"})
        EXPECT_THAT(wrong(nothing), ElementsAre(HasSubstr("/it"))) << nothing;
    EXPECT_THAT(wrong("{" + good + "}", "-x"), ElementsAre("/it"));
    EXPECT_THAT(wrong("{" + good + "}", "a\nb: c"), ElementsAre("/it"));
}

TEST(ContainerText, KeepsStringsStrings) {
    const std::string record =
        R"({"bridge":"docker0","addresses":["10.0.0.1"],"environment":{"A":"1","B":"yes","C":"~","D":"x\ny\u2028é\u0001","E":7}})";
    const ContainerText text = to_yaml("web", json::parse(record), "");
    const auto parsed = config::parse_container({"x", text.yaml}, "web");
    ASSERT_TRUE(parsed) << parsed.error().front().to_string();
    EXPECT_THAT(parsed->environment, ElementsAre("A=1", "B=yes", "C=~", "D=x\ny\u2028é\x01", "E=7"));
}

TEST(Records, AContainerComesBackAsItWas) {
    for (
        const std::string record :
        {R"({"bridge":"docker0","addresses":["10.0.0.1","fd00::1"],"expose":["1/tcp","2/udp"],"environment":["A=b","C"],"links":["redis:db"]})",
         R"({"networks":{"a":["10.0.0.1"],"b":["10.1.0.1"]}})"}) {
        const auto parsed = config::parse_container({"x", to_yaml("web", json::parse(record), "").yaml}, "web");
        ASSERT_TRUE(parsed) << parsed.error().front().to_string();
        EXPECT_EQ(to_text(to_record(*parsed)), record);
        EXPECT_EQ(config::parse_container({"x", config::to_yaml(*parsed)}, "web"), *parsed);
    }
}

std::vector<std::string> faults(const std::string& body) {
    std::vector<std::string> paths;
    const auto transaction = read_transaction(json::parse(body));
    if (!transaction)
        for (const Fault& fault : transaction.error())
            paths.push_back(fault.path);
    return paths;
}

TEST(Transaction, IsRead) {
    const auto transaction = read_transaction(json::parse(R"({
        "put": {"containers": {"web": {"bridge": "b"}}, "links": [{"parent": "web", "child": "redis", "alias": "db"},
                                                                  {"parent": "web", "child": "cache"}]},
        "delete": {"containers": ["old"], "links": [{"parent": "a", "alias": "b"}]}})"));
    ASSERT_TRUE(transaction);
    EXPECT_EQ(transaction->put_containers[0].path, "/put/containers/web");
    EXPECT_THAT(transaction->put_links, ElementsAre(LinkPut{{"web", "db"}, "redis", "/put/links/0"},
                                                    LinkPut{{"web", "cache"}, "cache", "/put/links/1"}));
    EXPECT_THAT(transaction->delete_containers, ElementsAre("old"));
    EXPECT_THAT(transaction->delete_links, ElementsAre(LinkName{"a", "b"}));
    EXPECT_THAT(faults("{}"), ElementsAre());
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
