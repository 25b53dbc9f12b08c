#include "nftlink/base/clock.hpp"

#include <gtest/gtest.h>

namespace nftlink::base {
namespace {

using namespace std::chrono_literals;

std::optional<std::int64_t> nanoseconds_of(std::string_view text) {
    const auto time = parse_timestamp(text);
    return time ? std::optional(time->time_since_epoch().count()) : std::nullopt;
}

TEST(Clock, WritesMilliseconds) {
    EXPECT_EQ(timestamp(std::chrono::system_clock::time_point(1795514400s)), "2026-11-24T10:00:00.000Z");
    EXPECT_EQ(timestamp(std::chrono::system_clock::time_point(1795514400s + 12999us)), "2026-11-24T10:00:00.012Z");
}

TEST(Clock, ReadsBackWhatItWrites) {
    const std::chrono::system_clock::time_point time(1795514400s + 123ms);
    EXPECT_EQ(parse_timestamp(timestamp(time)), time);
}

TEST(Clock, ReadsFractionsAndOffsets) {
    EXPECT_EQ(nanoseconds_of("1970-01-01T00:00:01Z"), 1000000000);
    EXPECT_EQ(nanoseconds_of("1970-01-01T01:00:00.25+01:00"), 250000000);
    EXPECT_EQ(nanoseconds_of("1969-12-31T22:30:00-01:30"), std::nullopt) << "before 1970";
    EXPECT_EQ(nanoseconds_of("1970-01-01T00:00:00-01:30"), 5400000000000);
    EXPECT_EQ(nanoseconds_of("1970-01-01T00:00:00.1234567899Z"), 123456789);
    EXPECT_EQ(nanoseconds_of("1970-01-01T00:00:00.000000000000000000000000001Z"), 0);
}

TEST(Clock, ReadsNothingElse) {
    for (const char* odd :
         {"", "yesterday", "2026-11-24", "2026-11-24T10:00:00", "2026-11-24T10:00Z", "2026-1-2T3:4:5Z",
          "2026-11-24T10:00:00.Z", "2026-11-24T10:00:00Zx", "2026-13-24T10:00:00Z", "2026-02-30T10:00:00Z",
          "2026-11-24T24:00:00Z", "2026-11-24T10:60:00Z", "2026-11-24T10:00:00+1:00", "0001-01-01T00:00:00Z"})
        EXPECT_EQ(parse_timestamp(odd), std::nullopt) << odd;
}

// What an engine says of a container's start may be anything.
TEST(Clock, NoTextIsReadForEver) {
    for (const char* odd : {"1.21", "9.9", "172.17.0.2", "1.21Z", ".5", "x.5", "2026-11-24T10.00.00Z"})
        EXPECT_EQ(parse_timestamp(odd), std::nullopt) << odd;
}

}  // namespace
}  // namespace nftlink::base
