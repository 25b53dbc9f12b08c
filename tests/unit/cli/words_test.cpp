#include "cli/words.hpp"

#include <gtest/gtest.h>

#include "cli/table.hpp"

namespace nftlink::cli {
namespace {

using namespace std::chrono_literals;

TEST(Words, HaveTheTwoLargestUnits) {
    EXPECT_EQ(duration_words(0s), "0 seconds");
    EXPECT_EQ(duration_words(-5s), "0 seconds");
    EXPECT_EQ(duration_words(1s), "1 second");
    EXPECT_EQ(duration_words(59s), "59 seconds");
    EXPECT_EQ(duration_words(60s), "1 minute");
    EXPECT_EQ(duration_words(125s), "2 minutes 5 seconds");
    EXPECT_EQ(duration_words(1h + 59s), "1 hour");
    EXPECT_EQ(duration_words(25h + 30min), "1 day 1 hour");
    EXPECT_EQ(duration_words(48h + 59min), "2 days");
    EXPECT_EQ(duration_words(12.9), "12 seconds");
    EXPECT_FALSE(duration_words(1e300).empty());
    EXPECT_EQ(duration_words(-1e300), "0 seconds");
}

TEST(Words, ForShortSpans) {
    EXPECT_EQ(span_words(0.0021), "2.1 ms");
    EXPECT_EQ(span_words(1.5), "1.50 s");
}

TEST(Words, ForTimes) {
    const auto time = std::chrono::system_clock::from_time_t(1795514400);
    EXPECT_EQ(time_words("2026-11-24T10:00:00.123Z"), "2026-11-24 10:00:00Z");
    EXPECT_EQ(time_words("2026-11-24T10:00:00Z", time + 5min), "2026-11-24 10:00:00Z, 5 minutes ago");
    EXPECT_EQ(time_words("2026-11-24T10:00:00Z", time), "2026-11-24 10:00:00Z, just now");
    EXPECT_EQ(time_words("2026-11-24T10:00:00Z", time - 1h), "2026-11-24 10:00:00Z, just now") << "a clock set back";
}

TEST(Words, LeaveOddTimesAsTheyAreButForTheTerminalsSake) {
    for (const char* odd :
         {"", "yesterday", "2026-11-24", "2026-11-24T10:00:00", "2026-11-24T10:00Z", "2026-1-2T3:4:5Z"}) {
        EXPECT_EQ(time_words(odd), odd);
        EXPECT_EQ(time_words(odd, {}), odd);
    }
    EXPECT_EQ(time_words("\x1b[2J"), "\\x1b[2J");
}

TEST(Words, ForPortsMakeRangesOfRuns) {
    EXPECT_EQ(port_words({}), "-");
    EXPECT_EQ(port_words({"6379/tcp"}), "6379/tcp");
    EXPECT_EQ(port_words({"8000/tcp", "8001/tcp", "8001/udp", "8002/tcp", "8004/tcp", "53/udp"}),
              "53/udp,8000-8002/tcp,8001/udp,8004/tcp");
    EXPECT_EQ(port_words({"65534/sctp", "65535/sctp", "1/sctp"}), "1/sctp,65534-65535/sctp");
    EXPECT_EQ(port_words({"what", "80/tcp"}), "what,80/tcp");
}

TEST(Table, AlignsAndEndsLinesWithoutBlanks) {
    constexpr auto right = Column::Align::right;
    EXPECT_EQ(to_table({{"NAME"}, {"BYTES", right}, {""}}, {{"a", "1", ""}, {"longer", "123456", "x"}}),
              "NAME     BYTES\n"
              "a            1\n"
              "longer  123456  x\n");
    EXPECT_EQ(to_table({{""}, {""}}, {{"ü", "b"}, {"cc", "d"}}), "ü   b\ncc  d\n") << "no line for titles that aren't";
    EXPECT_EQ(to_table({{"A"}}, {}), "A\n");
}

}  // namespace
}  // namespace nftlink::cli
