#include "nftlink/api/answers.hpp"

#include <gtest/gtest.h>

namespace nftlink::api {
namespace {

Link db() {
    Link link;
    link.name = "/web/db";
    link.parent = "web";
    link.child = "redis";
    link.alias = "db";
    link.bridges = {"docker0"};
    link.ports = {"6379/tcp", "53/udp"};
    link.source = "api";
    return link;
}

TEST(Answers, HaveTheirMembersInOrderAndNullForACounterThatIsNone) {
    EXPECT_EQ(to_text(db()), R"({"name":"/web/db","parent":"web","child":"redis","alias":"db","bridges":["docker0"],)"
                             R"("ports":["6379/tcp","53/udp"],"packets":null,"bytes":null,"installed":false,)"
                             R"("source":"api"})");
}

TEST(Answers, NameOnlyWhatALinkWaitsForAndItsRoutes) {
    Link link = db();
    link.packets = 18446744073709551615U;
    link.bytes = std::uint64_t{0};
    link.waiting = "there is no \"redis\" yet";
    link.routes = {{{"a", "b"}}};
    EXPECT_EQ(to_text(link), R"({"name":"/web/db","parent":"web","child":"redis","alias":"db","bridges":["docker0"],)"
                             R"("ports":["6379/tcp","53/udp"],"packets":18446744073709551615,"bytes":0,)"
                             R"("installed":false,"waiting":"there is no \"redis\" yet","source":"api",)"
                             R"("routes":[{"from":"a","to":"b"}]})");
}

TEST(Answers, AreWrittenAsBoostJsonDoes) {
    LastHeal heal;
    heal.program = "a\x1b\n\\\u00e9";
    heal.seconds = 0.002;
    EXPECT_EQ(to_text(heal),
              R"({"time":"","program":"a\u001b\n\\é","pid":0,"operations":0,"seconds":2E-3,"reason":""})");
    EXPECT_EQ(to_text(Links()), R"({"links":[],"counters":false,"generation":0})");
    EXPECT_EQ(to_text(Containers()), R"({"containers":{},"sources":{}})");
}

}  // namespace
}  // namespace nftlink::api
