#include "cli/event_text.hpp"

#include <gtest/gtest.h>

namespace nftlink::cli {
namespace {

// The words of a record with these fields.
std::string words(const std::string& fields) {
    const std::string text = event_text(R"({"seq":1,"time":"2026-11-24T10:00:00.5Z",)" + fields + "}");
    constexpr std::string_view time = "2026-11-24 10:00:00Z  ";
    EXPECT_TRUE(text.starts_with(time)) << text;
    return text.substr(std::min(text.size(), time.size()));
}

TEST(EventText, IsASentenceForEachKind) {
    const std::string link = R"("link":"/web/db","parent":"web","child":"redis","alias":"db")";
    EXPECT_EQ(words(R"("event":"link_added","by":"api",)" + link), "link /web/db to redis added, through the API");
    EXPECT_EQ(words(R"("event":"link_added","by":"reload",)" + link),
              "link /web/db to redis added, from the configuration");
    EXPECT_EQ(words(R"("event":"link_removed","reason":"redis is gone",)" + link),
              "link /web/db to redis removed: redis is gone");
    EXPECT_EQ(words(R"("event":"link_removed",)" + link), "link /web/db to redis removed");
    EXPECT_EQ(words(R"("event":"healed","program":"nft","pid":99,"operations":14,"seconds":0.002)"),
              "repaired after a change by nft (pid 99): 14 operations in 2.0 ms");
    EXPECT_EQ(words(R"("event":"refused","message":"no room")"), "a change was refused: no room");
    EXPECT_EQ(words(R"("event":"bridge","bridge":"br0","enforced":true,"reason":"")"),
              "bridge br0: the policy is enforced");
    EXPECT_EQ(words(R"("event":"bridge","bridge":"br0","enforced":false,"reason":"it is missing")"),
              "bridge br0: the policy is NOT enforced: it is missing");
    EXPECT_EQ(words(R"("event":"reloaded","hash":"0b5c","changed":false)"),
              "the configuration was read again: nothing changed, hash 0b5c");
    EXPECT_EQ(words(R"("event":"reload_refused","errors":["a.yaml:1:2: x","a.yaml:2:1: y"])"),
              "the configuration was refused, the one before it stays in force: a.yaml:1:2: x; a.yaml:2:1: y");
    EXPECT_EQ(words(R"("event":"stopping")"), "nftlinkd is stopping");
    EXPECT_EQ(words(R"("event":"dropped","message":"too slow")"), "too slow");
}

TEST(EventText, ShowsWhatItDoesNotKnowAsItCame) {
    for (const char* line : {R"({"event":"later","x":1})", "{", "[]", "", R"({"time":"2026-11-24T10:00:00Z"})"})
        EXPECT_EQ(event_text(line), line);
}

TEST(EventText, NeverReachesTheTerminalRaw) {
    EXPECT_EQ(words(R"("event":"healed","program":"\u001b]0;x\u0007\n","operations":1)"),
              "repaired after a change by \\x1b]0;x\\x07\\x0a: 1 operation in 0.0 ms");
    EXPECT_EQ(event_text("\x1b[2J"), "\\x1b[2J");
}

}  // namespace
}  // namespace nftlink::cli
