#include "nftlink/api/fault.hpp"

#include <gtest/gtest.h>

#include <boost/describe/enumerators.hpp>
#include <boost/json/serialize.hpp>
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
    EXPECT_EQ(json::serialize(to_json(Faults{{Code::invalid, "a\xff", ""}})),
              "{\"code\":\"invalid\",\"message\":\"a\uFFFD\",\"path\":\"\"}");
}

TEST(Faults, AreAllListed) {
    const auto record = to_json(Faults{{Code::invalid, "one", "/a"}, {Code::conflict, "two", "/b"}});
    EXPECT_EQ(record.at("message"), "one");
    EXPECT_EQ(json::serialize(record.at("errors")), R"([{"message":"one","path":"/a"},{"message":"two","path":"/b"}])");
}

}  // namespace
}  // namespace nftlink::api
