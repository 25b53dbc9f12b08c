// Errors of records that are wrong in any way lead to what is wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "api/pointer.hpp"
#include "nftlink/api/records.hpp"
#include "nftlink/config/fragment.hpp"

namespace nftlink::api {
namespace {

namespace json = boost::json;
using testing::ElementsAre;

struct Wrong {
    std::string path;
    std::string message;
};

std::vector<Wrong> wrong(const json::value& record, const std::string& name = "web") {
    const ContainerText text = to_yaml(name, record, "");
    EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(text.yaml, '\n')), text.paths.size()) << text.yaml;
    std::vector<Wrong> result;
    const auto parsed = config::parse_container({"x", text.yaml}, name);
    if (!parsed)
        for (const base::Error& error : parsed.error())
            result.push_back({text.path(error.where.line), error.message});
    return result;
}

std::vector<std::string> paths(const json::value& record) {
    std::vector<std::string> paths;
    for (const Wrong& fault : wrong(record))
        paths.push_back(fault.path);
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
TEST(ContainerText, ErrorsAreWhereTheNonsenseIs) {
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
        EXPECT_THAT(paths(record), ElementsAre());
        std::vector<std::string> parts;
        add_parts(record, "", parts);
        for (const std::string& part : parts)
            for (const json::value& other : nonsense) {
                json::value changed = record;
                json::error_code error;
                *changed.find_pointer(part, error) = other;
                for (const auto& [path, message] : wrong(changed)) {
                    EXPECT_TRUE(contains(part, path) || contains(path, part))
                        << json::serialize(changed) << " at " << part << ": " << path << ": " << message;
                    EXPECT_FALSE(message.starts_with("not valid YAML")) << json::serialize(changed) << ": " << message;
                    EXPECT_NE(changed.find_pointer(path, error), nullptr) << path;
                }
            }
    }
}

TEST(ContainerText, EveryFieldHasItsOwnPath) {
    const json::value record = json::parse(
        R"({"bridge":["b"],"addresses":["x","10.0.0.1",[1],{"a":1}],"expose":{"a":[1]},"environment":{"A=":1,"B":[1]},
            "links":[["a"],":","ok",{"redis":"db"}],"lnks":[{"deep":[[]]}],"":null})");
    EXPECT_THAT(paths(record),
                ElementsAre("/bridge", "/addresses/0", "/addresses/2", "/addresses/3", "/expose",
                            "/environment/A=", "/environment/B", "/links/0", "/links/1", "/links/3", "/lnks", "/"));
}

TEST(ContainerText, WhatIsSaidOfLongNamesIsAboutTheName) {
    const std::string name(1500, 'n');
    const auto of_name = wrong(json::parse(good[0]), name);
    ASSERT_EQ(of_name.size(), 1u);
    EXPECT_THAT(of_name.front().message, testing::HasSubstr("a name has at most 64 characters, not 1500"));
    json::value record = json::parse(good[0]);
    record.as_object()["environment"] = json::object{{name, "v"}, {"\n" + name, json::array{}}};
    EXPECT_THAT(paths(record), ElementsAre(below("/environment", "\n" + name)));
    record.as_object()["environment"] = json::object{{name, "v"}};
    const auto parsed = config::parse_container({"x", to_yaml("web", record, "").yaml}, "web");
    ASSERT_TRUE(parsed);
    EXPECT_THAT(parsed->environment, ElementsAre(name + "=v"));
}

TEST(ContainerText, NumbersAreWrittenAsPeopleWriteThem) {
    const json::value record = json::parse(R"({"bridge":"b","addresses":["10.0.0.1"],"expose":[80.0],
        "environment":{"A":7.5,"B":-3,"C":18446744073709551615,"D":7.0,"E":0.1,"F":false,"G":null}})");
    const auto parsed = config::parse_container({"x", to_yaml("web", record, "").yaml}, "web");
    ASSERT_TRUE(parsed) << parsed.error().front().to_string();
    EXPECT_THAT(parsed->environment,
                ElementsAre("A=7.5", "B=-3", "C=18446744073709551615", "D=7", "E=0.1", "F=false", "G"));
    EXPECT_EQ(parsed->expose.front().number, 80);
}

}  // namespace
}  // namespace nftlink::api
