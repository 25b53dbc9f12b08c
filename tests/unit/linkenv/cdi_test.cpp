#include "nftlink/linkenv/cdi.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace nftlink::linkenv {
namespace {

using namespace std::string_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

const std::vector<Variable> one{{"DB_NAME", "/web/db"}};

TEST(Cdi, HasADeviceForEachParent) {
    const auto [text, errors] =
        cdi_specification({{"web", {{"DB_PORT", "tcp://172.17.0.2:6379"}, {"DB_NAME", "/web/db"}}}, {"api", one}});
    EXPECT_EQ(
        text,
        "{\"cdiVersion\":\"0.3.0\",\"kind\":\"nftlink/links\",\"devices\":[\n"
        "{\"name\":\"api\",\"containerEdits\":{\"env\":[\"DB_NAME=/web/db\"]}},\n"
        "{\"name\":\"web\",\"containerEdits\":{\"env\":[\"DB_PORT=tcp://172.17.0.2:6379\",\"DB_NAME=/web/db\"]}}\n"
        "]}\n");
    EXPECT_THAT(errors, IsEmpty());
}

TEST(Cdi, WithoutADeviceIsNone) {
    EXPECT_EQ(cdi_specification({}).text, "");
    const auto [text, errors] = cdi_specification({{"web", {}}, {"api_", {}}});
    EXPECT_EQ(text, "");
    EXPECT_THAT(errors, IsEmpty());
    EXPECT_EQ(cdi_specification({{"web", one}, {"plain", {}}}).text, cdi_specification({{"web", one}}).text);
}

TEST(Cdi, ADigitInFrontNeedsANewerVersion) {
    EXPECT_THAT(cdi_specification({{"1web", one}, {"web", one}}).text, HasSubstr("\"cdiVersion\":\"0.5.0\""));
    EXPECT_THAT(cdi_specification({{"9", one}}).text, AllOf(HasSubstr("0.5.0"), HasSubstr("\"name\":\"9\"")));
    EXPECT_THAT(cdi_specification({{"1web", {}}, {"1_", one}, {"web", one}}).text, HasSubstr("0.3.0"));
}

TEST(Cdi, ANameThatNoDeviceMayHaveIsReported) {
    const auto [text, errors] = cdi_specification({{"a_", one}, {"b.", one}, {"c-", one}, {"a_.-z", one}, {"Z", one}});
    EXPECT_THAT(errors, ElementsAre(StartsWith("container 'a_' has no CDI device"), StartsWith("container 'b.' has"),
                                    StartsWith("container 'c-' has")));
    EXPECT_EQ(text, cdi_specification({{"a_.-z", one}, {"Z", one}}).text);
}

TEST(Cdi, CarriesWhatJsonCan) {
    const std::string value = "a\nb\t\"\\\x01 é€😀=c";
    const auto [text, errors] = cdi_specification({{"web", {{"A.B-C", value}, {"EMPTY", ""}}}});
    EXPECT_THAT(errors, IsEmpty());
    const auto env = boost::json::parse(text).at("devices").at(0).at("containerEdits").at("env");
    EXPECT_EQ(env, (boost::json::array{"A.B-C=" + value, "EMPTY="}));
}

TEST(Cdi, LeavesOutWhatItCannotCarryAndSaysSo) {
    const auto [text, errors] = cdi_specification(
        {{"web", {{"A", "\xff"}, {"B", "x"}, {"C\xc3", "y"}, {"N", "a\0b"s}}}, {"api", {{"A", "\x80"}}}});
    EXPECT_EQ(text, cdi_specification({{"web", {{"B", "x"}}}}).text);
    EXPECT_THAT(errors,
                ElementsAre("container 'api': its CDI device is without A, which is not UTF-8, which JSON cannot carry",
                            "container 'web': its CDI device is without A, which is not UTF-8, which JSON cannot carry",
                            HasSubstr("is not UTF-8"), HasSubstr("is without N, which holds a NUL byte")));
}

TEST(Cdi, KnowsItsOwnKind) {
    EXPECT_TRUE(is_cdi_specification(cdi_specification({{"web", one}}).text));
    EXPECT_TRUE(is_cdi_specification("{\"cdiVersion\": \"9\", \"kind\": \"nftlink/links\"}"));
    for (const std::string other :
         {"", "{", "[]", "{}", "{\"kind\": 1}", "{\"kind\": \"nvidia.com/gpu\"}", "nftlink/links"})
        EXPECT_FALSE(is_cdi_specification(other)) << other;
}

}  // namespace
}  // namespace nftlink::linkenv
