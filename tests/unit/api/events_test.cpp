#include "nftlink/api/events.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/mp11/algorithm.hpp>

namespace nftlink::api {
namespace {

TEST(Events, BeginWithNumberTimeAndName) {
    EXPECT_EQ(to_text(7, "now", Stopping()), R"({"seq":7,"time":"now","event":"stopping"})");
    EXPECT_EQ(to_text(8, "now", Dropped{"too slow", 3}),
              R"({"seq":8,"time":"now","event":"dropped","message":"too slow","lost":3})");
}

TEST(Events, SayWhyALinkEndedIfThatIsKnown) {
    const LinkEvent link{.link = "/a/b", .parent = "a", .child = "c", .alias = "b", .by = "api", .reason = {}};
    EXPECT_EQ(to_text(1, "now", LinkAdded{link}), R"({"seq":1,"time":"now","event":"link_added","link":"/a/b",)"
                                                  R"("parent":"a","child":"c","alias":"b","by":"api"})");
    LinkRemoved removed{link};
    removed.reason = "c is gone";
    EXPECT_EQ(to_text(2, "now", removed), R"({"seq":2,"time":"now","event":"link_removed","link":"/a/b",)"
                                          R"("parent":"a","child":"c","alias":"b","by":"api","reason":"c is gone"})");
}

TEST(Events, AreReadBackByTheirNames) {
    boost::mp11::mp_for_each<Event>([](const auto& event) {
        const std::string text = to_text(1, "now", event);
        const auto told = read_event(boost::json::parse(text));
        ASSERT_TRUE(told) << text;
        EXPECT_EQ(to_text(1, told->time, told->event), text);
    });
    const auto removed = read_event(
        boost::json::parse(R"({"event":"link_removed","time":"then","link":"/a/b","reason":"c is gone","later":1})"));
    EXPECT_EQ(removed->time, "then");
    EXPECT_EQ(std::get<LinkRemoved>(removed->event).link, "/a/b");
    EXPECT_EQ(std::get<LinkRemoved>(removed->event).reason, "c is gone");
    for (const char* other : {"{}", "[]", R"({"event":"later"})", R"({"event":1})"})
        EXPECT_FALSE(read_event(boost::json::parse(other))) << other;
}

}  // namespace
}  // namespace nftlink::api
