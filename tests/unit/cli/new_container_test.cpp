#include "cli/new_container.hpp"

#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace nftlink::cli {
namespace {

TEST(NewContainer, IsARecordOfTheConfigurationsForm) {
    const NewContainer redis{.bridge = "docker0",
                             .addresses = {"172.17.0.2,fd00::2", "172.17.0.9"},
                             .networks = {},
                             .expose = {"6379"},
                             .environment = {"A=1,2"},
                             .links = {"web:w,log"}};
    EXPECT_EQ(redis.fault(), std::nullopt);
    EXPECT_EQ(redis.record(),
              boost::json::parse(R"({"bridge":"docker0","addresses":["172.17.0.2","fd00::2","172.17.0.9"],
        "expose":["6379"],"environment":["A=1,2"],"links":["web:w","log"]})")
                  .as_object());
}

TEST(NewContainer, OnSeveralBridgesHasThemInOrder) {
    const NewContainer gateway{
        .bridge = "docker0", .addresses = {"172.17.0.2"}, .networks = {"br1=a,b", "br0=", "br1=c"}};
    EXPECT_EQ(gateway.fault(), std::nullopt);
    EXPECT_EQ(
        gateway.record(),
        boost::json::parse(R"({"networks":{"docker0":["172.17.0.2"],"br1":["a","b","c"],"br0":[""]}})").as_object());
    EXPECT_EQ((NewContainer{.networks = {"br1=a"}}).record(),
              boost::json::parse(R"({"networks":{"br1":["a"]}})").as_object());
}

TEST(NewContainer, MustBeSomewhere) {
    for (const NewContainer& nowhere : {NewContainer{}, NewContainer{.bridge = "b"}, NewContainer{.addresses = {"a"}},
                                        NewContainer{.networks = {"b"}}})
        EXPECT_NE(nowhere.fault(), std::nullopt);
}

TEST(NewContainer, HasAnOptionForEachField) {
    const auto record =
        boost::json::parse(R"({"bridge":"b","addresses":["a","x\ny"],"networks":{"b":["c"]},"expose":["1"],
        "environment":["K=secret","L"],"links":["l"]})")
            .as_object();
    EXPECT_EQ(option_of(record, "/bridge"), "--bridge b");
    EXPECT_EQ(option_of(record, "/addresses/1"), "--address x\\x0ay");
    EXPECT_EQ(option_of(record, "/addresses"), "--address");
    EXPECT_EQ(option_of(record, "/networks/b/0"), "--network b=c");
    EXPECT_EQ(option_of(record, "/networks/b"), "--network");
    EXPECT_EQ(option_of(record, "/expose/7"), "--expose");
    EXPECT_EQ(option_of(record, "/environment/0"), "--env K");
    EXPECT_EQ(option_of(record, "/links/0"), "--link l");
    EXPECT_EQ(option_of(record, "/what/0"), "what/0");
    EXPECT_EQ(option_of(record, "odd"), "odd");
    EXPECT_EQ(option_of(record, ""), "");
}

}  // namespace
}  // namespace nftlink::cli
