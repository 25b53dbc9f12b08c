#include "nftlink/api/json.hpp"

#include <gtest/gtest.h>

#include "nftlink/api/answers.hpp"
#include "nftlink/api/fault.hpp"

namespace nftlink::api {
namespace {

TEST(Json, IsWrittenAsBoostJsonDoes) {
    LastHeal heal;
    heal.program = "a\x1b\n\\\u00e9";
    heal.seconds = 0.002;
    EXPECT_EQ(to_text(heal),
              R"({"time":"","program":"a\u001b\n\\é","pid":0,"operations":0,"seconds":2E-3,"reason":""})");
    EXPECT_EQ(to_text(Links()), R"({"links":[],"counters":true,"generation":0})");
    EXPECT_EQ(to_text(Containers()), R"({"containers":{},"sources":{}})");
}

TEST(Json, HasTheNameOfAnEnumerator) {
    EXPECT_EQ(to_text(Fault{Code::not_found, "a", ""}), R"({"code":"not_found","message":"a","path":""})");
}

}  // namespace
}  // namespace nftlink::api
