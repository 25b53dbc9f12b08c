#include "nftlink/api/reader.hpp"

#include <gmock/gmock.h>

#include <boost/json/parse.hpp>

#include "nftlink/api/answers.hpp"

namespace nftlink::api {
namespace {

namespace json = boost::json;
using testing::ElementsAre;

TEST(Reader, GivesBackWhatWasWritten) {
    Status status;
    status.version = "1\n\"";
    status.pid = 7;
    status.configuration.refused = RefusedConfiguration{"now", {"a", "b"}};
    status.links = {3, 18446744073709551615U};
    Source& source = status.sources.emplace_back();
    source.connected = true;
    source.conflicts = {{"c", "is taken"}};
    status.last_heal.emplace();
    status.last_heal->program = "nft";
    status.last_heal->seconds = 0.002;
    status.uptime_seconds = 93784.5;
    EXPECT_EQ(to_text(read<Status>(json::parse(to_text(status)))), to_text(status));

    Link link;
    link.ports = {"1/tcp"};
    link.packets = std::uint64_t{5};
    link.waiting = "for b";
    link.routes = {{{"x", "y"}}};
    EXPECT_EQ(to_text(read<Link>(json::parse(to_text(link)).as_object())), to_text(link));
    EXPECT_EQ(to_text(read<Link>(json::parse(to_text(Link())))), to_text(Link()));

    Environment environment;
    environment.variables = {{"B", "1"}, {"A", "2"}};
    EXPECT_EQ(to_text(read<Environment>(json::parse(to_text(environment)))), to_text(environment));
}

TEST(Reader, PassesOverWhatItDoesNotKnow) {
    EXPECT_EQ(read<Opening>(json::parse(R"({"later": [1, {}], "why": "chosen"})")).why, "chosen");
}

TEST(Reader, LeavesTheStructsOwnValueWhereTheAnswerHasNone) {
    for (const char* text :
         {"{}", "[]", "5", "null", R"({"schema": "1", "pid": 1e10, "version": 5, "in_force": 1, "links": 3,
             "last_heal": "x", "last_error": null, "generation": -1, "uptime_seconds": "1", "warnings": {}})"})
        EXPECT_EQ(to_text(read<Status>(json::parse(text))), to_text(Status())) << text;
}

TEST(Reader, CountsRecordsThatAreNoneAndLeavesOutOtherItems) {
    const auto links = read<Links>(json::parse(R"({"links": [1, {}, {"ports": [7, "x", null]}]})")).links;
    ASSERT_EQ(links.size(), 3U);
    EXPECT_THAT(links[2].ports, ElementsAre("x"));
}

}  // namespace
}  // namespace nftlink::api
