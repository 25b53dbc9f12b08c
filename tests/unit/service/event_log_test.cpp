#include "service/event_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <optional>

namespace nftlink::service {
namespace {

namespace asio = boost::asio;
using testing::HasSubstr;

class EventLogTest : public testing::Test {
protected:
    // What the stream has to say now; nothing when it waits.
    std::optional<std::string> next(http::Stream& stream) {
        std::optional<std::string> lines;
        asio::co_spawn(context_, stream.next(), [&lines](std::exception_ptr, std::string text) { lines = text; });
        context_.restart();
        context_.poll();
        return lines;
    }

    asio::io_context context_;
    EventLog log_{context_.get_executor()};
};

TEST_F(EventLogTest, NumbersEventsAndHandsThemToAll) {
    log_.publish(api::Stopping{});
    const auto one = log_.subscribe(), other = log_.subscribe();
    log_.publish(api::Healed{.program = "nft", .reason = {}});
    log_.publish(api::ConfigurationReloaded{});
    const std::string lines = *next(*one);
    EXPECT_EQ(*next(*other), lines);
    const auto first = boost::json::parse(lines.substr(0, lines.find('\n'))).as_object();
    EXPECT_EQ(first.at("seq"), 2);
    EXPECT_EQ(first.at("event"), "healed");
    EXPECT_EQ(first.at("program"), "nft");
    EXPECT_THAT(lines, HasSubstr("\"seq\":3"));
    EXPECT_EQ(log_.last_number(), 3u);
}

TEST_F(EventLogTest, WaitsForNews) {
    const auto stream = log_.subscribe();
    std::optional<std::string> lines;
    asio::co_spawn(context_, stream->next(), [&](std::exception_ptr, std::string text) { lines = text; });
    context_.poll();
    EXPECT_FALSE(lines);
    log_.publish(api::Healed{});
    context_.restart();
    context_.poll();
    ASSERT_TRUE(lines);
    EXPECT_THAT(*lines, HasSubstr("healed"));
}

TEST_F(EventLogTest, WhoIsTooSlowIsToldSoAndOthersAreNot) {
    const auto slow = log_.subscribe(), quick = log_.subscribe();
    for (int i = 0; i < 40000; ++i) {
        log_.publish(api::LinkAdded{{.link = "/a-rather-long-name-of-a-parent/and-an-alias",
                                     .parent = {},
                                     .child = {},
                                     .alias = {},
                                     .by = {},
                                     .reason = {}}});
        ASSERT_THAT(*next(*quick), HasSubstr("link_added"));
    }
    const std::string last = *next(*slow);
    EXPECT_THAT(last, HasSubstr("\"event\":\"dropped\""));
    EXPECT_THAT(last, HasSubstr("too slow"));
    EXPECT_EQ(std::ranges::count(last, '\n'), 1);
    EXPECT_EQ(next(*slow), "") << "and that is the end";
}

TEST_F(EventLogTest, ALargeChangeIsReadInPieces) {
    const auto stream = log_.subscribe();
    for (int i = 0; i < 20000; ++i)
        log_.publish(
            api::LinkAdded{{.link = "/parent/alias", .parent = {}, .child = {}, .alias = {}, .by = {}, .reason = {}}});
    std::string all;
    while (all.find("\"seq\":20000,") == std::string::npos)
        all += *next(*stream);
    EXPECT_EQ(std::ranges::count(all, '\n'), 20000);
}

TEST_F(EventLogTest, WhoIsGivenUpGetsALastWord) {
    const auto stream = log_.subscribe();
    log_.publish(api::Healed{});
    stream->give_up();
    EXPECT_THAT(*next(*stream), HasSubstr("dropped"));
    EXPECT_EQ(next(*stream), "");
}

TEST_F(EventLogTest, EndsAfterItsLastWords) {
    const auto stream = log_.subscribe();
    log_.publish(api::Stopping{});
    log_.close();
    EXPECT_THAT(*next(*stream), HasSubstr("stopping"));
    EXPECT_EQ(next(*stream), "");
}

}  // namespace
}  // namespace nftlink::service
