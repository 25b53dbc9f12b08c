#include "nftlink/api/fault.hpp"

#include <gtest/gtest.h>

#include <boost/describe/enumerators.hpp>
#include <boost/json/parse.hpp>
#include <boost/mp11/algorithm.hpp>

namespace nftlink::api {
namespace {

namespace json = boost::json;

TEST(Codes, AreReadFromTheirWords) {
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<Code>>(
        [](auto each) { EXPECT_EQ(parse_code(to_string(each.value)), each.value) << each.name; });
    EXPECT_EQ(to_string(Code::kernel_refused), "kernel_refused");
    EXPECT_EQ(parse_code("of a later version"), Code::unknown);
    EXPECT_EQ(parse_code(""), Code::unknown);
}

TEST(Faults, TextThatIsNoUtf8BecomesJson) {
    EXPECT_EQ(to_text(Faults{{Code::invalid, "a\xff", ""}}),
              "{\"code\":\"invalid\",\"message\":\"a\uFFFD\",\"path\":\"\"}");
}

TEST(Faults, AreAllListed) {
    EXPECT_EQ(to_text(Faults{{Code::invalid, "one", "/a"}, {Code::conflict, "two", "/b"}}),
              R"({"code":"invalid","message":"one","path":"/a","errors":[)"
              R"({"code":"invalid","message":"one","path":"/a"},{"code":"conflict","message":"two","path":"/b"}]})");
}

TEST(Faults, OfFilesHaveTheirPlacesBesideTheMessage) {
    const base::Error error{{"/e/n.yaml", 3, 5}, "odd: thing"};
    EXPECT_EQ(to_text(Faults{to_fault(Code::invalid, error)}),
              R"({"code":"invalid","message":"/e/n.yaml:3:5: odd: thing","path":"",)"
              R"("file":"/e/n.yaml","line":3,"column":5})");
    for (const base::Error& each :
         {error, base::Error{{"/e/n.yaml", 0, 0}, "no such file"}, base::Error{{}, "a:1:2: b"}})
        EXPECT_EQ(to_error(to_fault(Code::invalid, each)), each);
}

TEST(Faults, AreReadBack) {
    for (const Faults& faults : {Faults{{Code::invalid, "one", "/a"}},
                                 Faults{{Code::invalid, "one", "/a"}, {Code::conflict, "two", "/b", "f", 1, 2}}})
        EXPECT_EQ(read_faults(json::parse(to_text(faults))), faults);
}

TEST(Faults, WithoutACodeOfTheirOwnHaveTheRefusals) {
    const Faults several{{Code::invalid, "a", "/x"}, {Code::invalid, "b", ""}};
    EXPECT_EQ(read_faults(json::parse(
                  R"({"code":"invalid","message":"a","errors":[{"message":"a","path":"/x"},{"message":"b"},{},1]})")),
              several);
    for (const char* body : {"[]", "{}", R"({"message":5})", R"({"errors":[1,{}]})"})
        EXPECT_EQ(read_faults(json::parse(body)), Faults()) << body;
}

}  // namespace
}  // namespace nftlink::api
