#include "cli/rates.hpp"

#include <gmock/gmock.h>

#include <boost/json/parse.hpp>

#include "nftlink/api/reader.hpp"

namespace nftlink::cli {
namespace {

using namespace std::chrono_literals;

Reading reading(const char* links, std::chrono::milliseconds time) {
    const auto record = api::read<api::Links>(boost::json::object{{"links", boost::json::parse(links)}});
    return read_counters(record.links, std::chrono::steady_clock::time_point(time));
}

TEST(Rates, AreInOneSecondAndTheFastestFirst) {
    const auto before = reading(
        R"([{"name":"/a/x","child":"x","packets":10,"bytes":1000},{"name":"/b/y","child":"y","packets":0,"bytes":0},
            {"name":"/c/z","child":"z","packets":5,"bytes":9}])",
        1s);
    const auto now = reading(
        R"([{"name":"/a/x","child":"x","packets":11,"bytes":1100},{"name":"/b/y","child":"y","packets":4,"bytes":4000},
            {"name":"/c/z","child":"z","packets":5,"bytes":9}])",
        3s);
    const auto found = rates(before, now);
    ASSERT_EQ(found.size(), 3);
    EXPECT_EQ(found[0].link, "/b/y");
    EXPECT_EQ(found[0].packets, 2);
    EXPECT_EQ(found[0].bytes, 2000);
    EXPECT_EQ(found[1].link, "/a/x");
    EXPECT_EQ(found[1].packets, 0.5);
    EXPECT_EQ(found[2].bytes, 0);
    EXPECT_EQ(rates_text(found, 2),
              "LINK   CHILD  PACKETS/S  BYTES/S\n"
              "/b/y   y            2.0     2000\n"
              "/a/x   x            0.5       50\n"
              "all 3               2.5     2050\n");
}

TEST(Rates, OfACounterThatBeganAgainCountFromZero) {
    const auto found = rates(reading(R"([{"name":"/a/x","packets":1000,"bytes":5000}])", 0s),
                             reading(R"([{"name":"/a/x","packets":3,"bytes":30}])", 1s));
    EXPECT_EQ(found.at(0).packets, 3);
    EXPECT_EQ(found.at(0).bytes, 30);
}

TEST(Rates, OfALinkThatIsNewAreNotWhatItEverCounted) {
    const auto found = rates(reading("[]", 0s), reading(R"([{"name":"/a/x","packets":1000,"bytes":5000}])", 1s));
    EXPECT_EQ(found.at(0).bytes, 0);
    EXPECT_THAT(rates(reading(R"([{"name":"/a/x"}])", 0s), reading("[]", 1s)), testing::IsEmpty())
        << "one that has ended";
}

TEST(Rates, BetweenReadingsOfOneMomentAreNone) {
    const auto found =
        rates(reading(R"([{"name":"/a/x","bytes":1}])", 1s), reading(R"([{"name":"/a/x","bytes":2}])", 1s));
    EXPECT_EQ(found.at(0).bytes, 0);
}

}  // namespace
}  // namespace nftlink::cli
