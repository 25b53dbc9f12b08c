#include "nftlink/api/events.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace nftlink::api
