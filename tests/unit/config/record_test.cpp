#include "nftlink/config/record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "nftlink/base/json_pointer.hpp"
#include "nftlink/config/container_yaml.hpp"

namespace nftlink::config {
namespace {

namespace json = boost::json;
using base::below;
using testing::ElementsAre;
using testing::HasSubstr;

// What is wrong with a record: pointers in `file`.
base::Errors wrong(const std::string& record, const std::string& name = "web", const std::string& pointer = "") {
    const auto parsed = parse_record(record, pointer, name);
    return parsed ? base::Errors{} : parsed.error();
}

std::vector<std::string> paths(const std::string& record, const std::string& name = "web",
                               const std::string& pointer = "") {
    std::vector<std::string> paths;
    for (const base::Error& error : wrong(record, name, pointer)) {
        EXPECT_EQ(error.where.line, 0u);
        paths.push_back(error.where.file);
    }
    return paths;
}

const char* const good[] = {
    R"({"bridge":"docker0","addresses":["10.0.0.1","fd00::1"],"expose":["80/tcp",6379],"environment":["A=b","C=d"],)"
    R"("links":["redis:db","cache"]})",
    R"({"networks":{"docker0":["10.0.0.1"],"br~1":["10.1.0.1"]},"environment":{"A~/b":"x","N":7,"T":true,"E":""}})",
};

// The pointers of all parts of a record, itself among them.
void add_parts(const json::value& value, const std::string& path, std::vector<std::string>& parts) {
    parts.push_back(path);
    if (const json::object* object = value.if_object())
        for (const auto& [key, member] : *object)
            add_parts(member, below(path, key), parts);
    if (const json::array* array = value.if_array())
        for (std::size_t index = 0; index < array->size(); ++index)
            add_parts((*array)[index], below(path, index), parts);
}

bool contains(const std::string& outer, const std::string& inner) {
    return inner.starts_with(outer) && (inner.size() == outer.size() || inner[outer.size()] == '/');
}

// Puts nonsense into the place of every part of a record, one at a time, at every depth.
TEST(Record, ErrorsAreWhereTheNonsenseIs) {
    const json::array nonsense = {nullptr,
                                  true,
                                  -1,
                                  1.5,
                                  "",
                                  "no\nsense: [",
                                  "\u2028}",
                                  json::array{},
                                  json::object{},
                                  json::array{json::array{1}},
                                  json::array{nullptr},
                                  json::array{json::object{{"a", nullptr}}},
                                  json::object{{"a", json::array{json::object{}}}},
                                  json::object{{"", ""}},
                                  json::object{{"<<", json::object{{"x", 1}}}},
                                  std::string(2000, 'x'),
                                  json::object{{std::string(2000, 'x'), "y"}}};
    for (const char* text : good) {
        const json::value record = json::parse(text);
        EXPECT_THAT(paths(text), ElementsAre());
        std::vector<std::string> parts;
        add_parts(record, "", parts);
        for (const std::string& part : parts)
            for (const json::value& other : nonsense) {
                json::value changed = record;
                json::error_code error;
                *changed.find_pointer(part, error) = other;
                for (const auto& [where, message] : wrong(json::serialize(changed))) {
                    const std::string& path = where.file;
                    EXPECT_TRUE(contains(part, path) || contains(path, part))
                        << json::serialize(changed) << " at " << part << ": " << path << ": " << message;
                    EXPECT_NE(changed.find_pointer(path, error), nullptr) << path;
                }
            }
    }
}

TEST(Record, LeadsErrorsToTheirFields) {
    const auto at_it = [](const std::string& record, const std::string& name = "web") {
        return paths(record, name, "/it");
    };
    const std::string bridge = R"("bridge": "docker0", "addresses": ["10.0.0.1"])";
    EXPECT_THAT(at_it("{" + bridge + "}"), ElementsAre());
    EXPECT_THAT(at_it("{" + bridge + R"(, "expose": [6379, "x/tcp", "1-2/udp", []]})"),
                ElementsAre("/it/expose/1", "/it/expose/3"));
    EXPECT_THAT(at_it("{" + bridge + R"(, "adresses": []})"), ElementsAre("/it/adresses"));
    EXPECT_THAT(at_it("{" + bridge + R"(, "a/b~c": 1})"), ElementsAre("/it/a~1b~0c"));
    EXPECT_THAT(at_it(R"({"networks": {"b": ["10.0.0.1", "nonsense"]}})"), ElementsAre("/it/networks/b/1"));
    EXPECT_THAT(at_it("{" + bridge + R"(, "environment": {"A": {"B": 1}}})"), ElementsAre("/it/environment/A"));
    EXPECT_THAT(at_it("{" + bridge + R"(, "links": ["a", "b:", "web"]})"), ElementsAre("/it/links/1", "/it/links/2"));
    for (const std::string nothing : {"[]", "null", "1", "\"x\"", "[{}]", "{}"})
        EXPECT_THAT(at_it(nothing), ElementsAre("/it")) << nothing;
    EXPECT_THAT(at_it("{" + bridge + "}", "-x"), ElementsAre("/it"));
    EXPECT_THAT(at_it("{" + bridge + "}", "a\nb: c"), ElementsAre("/it"));
}

TEST(Record, EveryFieldHasItsOwnPath) {
    EXPECT_THAT(
        paths(
            R"({"bridge":["b"],"addresses":["x","10.0.0.1",[1],{"a":1}],"expose":{"a":[1]},"environment":{"A=":1,"B":[1]},
            "links":[["a"],":","ok",{"redis":"db"}],"lnks":[{"deep":[[]]}],"":null})"),
        ElementsAre("/bridge", "/addresses/0", "/addresses/2", "/addresses/3", "/expose",
                    "/environment/A=", "/environment/B", "/links/0", "/links/1", "/links/3", "/lnks", "/"));
}

TEST(Record, ASecondPlaceInAMessageIsAPointerToo) {
    const auto errors =
        wrong(R"({"bridge":"b","addresses":["10.0.0.1"],"links":["a","b:a"],"environment":["X=1","X=2"]})", "web",
              "/put/containers/web");
    ASSERT_EQ(errors.size(), 2u);
    EXPECT_EQ(errors[0].message, "'web' has the alias 'a' twice; the first is at /put/containers/web/links/0");
    EXPECT_EQ(errors[1].message, "the variable 'X' is given twice; the first is at /put/containers/web/environment/0");
}

TEST(Record, KnowsThePlaceOfEachAddress) {
    const auto record = parse_record(R"({"networks":{"a":["10.0.0.1"],"b~c":["10.1.0.1","fd00::1"]}})", "/it", "x");
    ASSERT_TRUE(record);
    EXPECT_THAT(record->addresses, ElementsAre("/it/networks/a/0", "/it/networks/b~0c/0", "/it/networks/b~0c/1"));
}

TEST(Record, MayBeOnNoBridgeWhereAnEngineKnows) {
    EXPECT_THAT(paths(R"({"links": ["redis"]})"), ElementsAre(""));
    EXPECT_TRUE(parse_record(R"({"links": ["redis"]})", "", "web", model::Unplaced::allowed));
}

TEST(Record, WhatIsSaidOfLongNamesIsAboutTheName) {
    const std::string name(1500, 'n');
    const auto of_name = wrong(good[0], name);
    ASSERT_EQ(of_name.size(), 1u);
    EXPECT_THAT(of_name.front().message, HasSubstr("a name has at most 64 characters, not 1500"));
    json::value record = json::parse(good[0]);
    record.as_object()["environment"] = json::object{{name, "v"}, {"\n" + name, json::array{}}};
    EXPECT_THAT(paths(json::serialize(record)), ElementsAre(below("/environment", "\n" + name)));
    record.as_object()["environment"] = json::object{{name, "v"}};
    EXPECT_THAT(parse_record(json::serialize(record), "", "web")->container.environment, ElementsAre(name + "=v"));
}

TEST(Record, KeepsNumbersAsTheyAreWritten) {
    const auto parsed = parse_record(R"({"bridge":"b","addresses":["10.0.0.1"],"expose":[80],"environment":
        {"A":1.10,"B":-3,"C":18446744073709551615,"D":7.0,"E":1e3,"F":false,"G":null,"H":-0,"I":1E+400,"J":true,
         "K":123456789012345678901234567890.50,"L":0}})",
                                     "", "web");
    ASSERT_TRUE(parsed) << parsed.error().front().to_string();
    EXPECT_THAT(parsed->container.environment,
                ElementsAre("A=1.10", "B=-3", "C=18446744073709551615", "D=7.0", "E=1e3", "F=false", "G", "H=-0",
                            "I=1E+400", "J=true", "K=123456789012345678901234567890.50", "L=0"));
    EXPECT_EQ(parsed->container.expose.front().number, 80);
    EXPECT_THAT(paths(R"({"bridge":"b","addresses":["10.0.0.1"],"expose":[80.0, 8e1]})"),
                ElementsAre("/expose/0", "/expose/1"));
}

TEST(Record, KeepsStringsStrings) {
    const auto parsed = parse_record(
        R"({"bridge":"docker0","addresses":["10.0.0.1"],"environment":
           {"A":"1","B":"yes","C":"~","D":"x\ny\u2028é\u0001\ud83d\ude00","E":7,"F":"null","<<":""}})",
        "", "web");
    ASSERT_TRUE(parsed) << parsed.error().front().to_string();
    EXPECT_THAT(parsed->container.environment,
                ElementsAre("A=1", "B=yes", "C=~", "D=x\ny\u2028é\x01😀", "E=7", "F=null", "<<="));
}

TEST(Record, OfTwoMembersOfOneNameTheSecondIsWrong) {
    const auto errors = wrong(R"({"bridge":"b","addresses":["10.0.0.1"],"br\u0069dge":"c"})", "web", "/it");
    ASSERT_EQ(errors.size(), 1u);
    EXPECT_EQ(errors[0].to_string(), "/it/bridge: 'bridge' is given twice; the first is at /it/bridge");
}

TEST(Record, IsJson) {
    for (const std::string text : {"", "{", "{} {}", "{'a': 1}", "{\"a\":\xff}", "nul", "1e"})
        EXPECT_THAT(wrong(text, "web", "/it"),
                    ElementsAre(testing::Field(&base::Error::message, HasSubstr("this is no JSON: "))))
            << text;
    EXPECT_THAT(wrong(std::string(100, '[') + std::string(100, ']')).front().message, HasSubstr("more than 64 deep"));
    EXPECT_THAT(wrong(std::string(100, '[')).front().message, HasSubstr("more than 64 deep"));
}

TEST(Record, BecomesTheYamlOfTheSameContainer) {
    for (const char* text : good) {
        const auto record = parse_record(text, "", "web");
        ASSERT_TRUE(record);
        EXPECT_EQ(parse_container({"x", to_yaml(record->container)}, "web"), record->container);
    }
}

}  // namespace
}  // namespace nftlink::config
