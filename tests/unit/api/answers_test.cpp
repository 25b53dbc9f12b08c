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

TEST(Answers, HaveTheirWarningsPlacesApart) {
    const base::Error warning{{"/e/n.yaml", 3, 5}, "odd: thing"};
    EXPECT_EQ(to_text(to_record(warning)), R"({"message":"odd: thing","file":"/e/n.yaml","line":3,"column":5})");
    EXPECT_EQ(to_text(to_record(base::Error{{}, "odd"})), R"({"message":"odd"})");
    EXPECT_EQ(to_error(to_record(warning)), warning);
}

}  // namespace
}  // namespace nftlink::api
