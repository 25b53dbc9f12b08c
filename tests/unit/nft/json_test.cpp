#include "nftlink/nft/json.hpp"

#include <gtest/gtest.h>

#include "samples.hpp"

namespace nftlink::nft {
namespace {

TEST(Json, FollowsNftsSchema) {
    const std::string json = render_json(small_ruleset());
    EXPECT_NE(json.find(R"({"add":{"set":{"family":"inet","table":"nftlink","name":"links4",)"
                        R"("type":["ipv4_addr","ipv4_addr","inet_proto","inet_service"],"size":192,)"
                        R"("stmt":[{"counter":null}],"comment":"nftlink: links","elem":[{"elem":{"val":{"concat":)"
                        R"(["172.17.0.3","172.17.0.2","tcp",6379]},"comment":"/web/db"}},)"),
              std::string::npos)
        << json;
    EXPECT_NE(
        json.find(R"("expr":[{"match":{"op":"==","left":{"concat":[{"payload":{"protocol":"ip","field":"saddr"}},)"
                  R"({"payload":{"protocol":"ip","field":"daddr"}},{"meta":{"key":"l4proto"}},)"
                  R"({"payload":{"protocol":"th","field":"dport"}}]},"right":"@links4"}},{"accept":null}])"),
        std::string::npos)
        << json;
}

// As nft itself writes them; it reads a list of one word as that word.
TEST(Json, OfTheFramesRulesFollowsItToo) {
    const auto json = [](Rule made) {
        Ruleset ruleset = small_ruleset();
        ruleset.tables[0].chains[0].rules = {std::move(made)};
        const std::string text = render_json(ruleset);
        const std::size_t start = text.find(R"("expr":)") + 7;
        constexpr std::string_view end = R"({"accept":null}])";
        return text.substr(start, text.find(end, start) + end.size() - start);
    };
    EXPECT_EQ(json(rule().not_in_set({Field::iifname}, "bridges").accept().build()),
              R"([{"match":{"op":"!=","left":{"meta":{"key":"iifname"}},"right":"@bridges"}},{"accept":null}])");
    EXPECT_EQ(json(rule().established().reply_direction().dnat().accept().build()),
              R"([{"match":{"op":"in","left":{"ct":{"key":"state"}},"right":["established"]}},)"
              R"({"match":{"op":"==","left":{"ct":{"key":"direction"}},"right":"reply"}},)"
              R"({"match":{"op":"in","left":{"ct":{"key":"status"}},"right":["dnat"]}},{"accept":null}])");
    EXPECT_EQ(json(rule().protocol(1).in_set(error_fields, "links4").accept().build()),
              R"([{"match":{"op":"==","left":{"meta":{"key":"l4proto"}},"right":"icmp"}},)"
              R"({"match":{"op":"==","left":{"concat":[{"meta":{"key":"iifname"}},)"
              R"({"payload":{"protocol":"ip","field":"saddr"}},{"payload":{"protocol":"ip","field":"daddr"}},)"
              R"({"ct":{"key":"protocol"}},{"ct":{"key":"proto-src","dir":"reply"}}]},"right":"@links4"}},)"
              R"({"accept":null}])");
    EXPECT_EQ(json(rule().icmpv6_type(135).hop_limit(255).accept().build()),
              R"([{"match":{"op":"==","left":{"payload":{"protocol":"icmpv6","field":"type"}},)"
              R"("right":"nd-neighbor-solicit"}},)"
              R"({"match":{"op":"==","left":{"payload":{"protocol":"ip6","field":"hoplimit"}},"right":255}},)"
              R"({"accept":null}])");
}

}  // namespace
}  // namespace nftlink::nft
