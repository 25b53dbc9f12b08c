#include "nftlink/engine/inventory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace nftlink::engine {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Container read(const std::string& text) {
    auto container = read_container(json::parse(text));
    EXPECT_TRUE(container);
    return container.value_or(Container{});
}

std::string with_config(const std::string& config, const std::string& host_config = "") {
    return R"({"Id": "12ab", "Name": "/web", "State": {"Running": true, "StartedAt": "2026-11-25T02:00:00.5Z"},
               "HostConfig": {)" +
           host_config + R"(}, "Config": {)" + config + R"(},
               "NetworkSettings": {"Networks": {"bridge": {"NetworkID": "net0", "IPAddress": "172.17.0.3",
                                                "GlobalIPv6Address": "fd00::3", "Links": ["other:o"]}}}})";
}

std::vector<std::string> links_of(const Container& container) {
    std::vector<std::string> links;
    for (const Wish& wish : container.links)
        links.push_back(wish.child + ":" + wish.alias);
    return links;
}

TEST(Container, HasWhatTheEngineSays) {
    const Container web = read(with_config(R"("Env": ["A=1", "B"], "ExposedPorts": {"80/tcp": {}, "53/udp": {}})",
                                           R"("PortBindings": {"443/tcp": [{"HostPort": "8443"}]})"));
    EXPECT_EQ(web.id, "12ab");
    EXPECT_EQ(web.name, "web");
    EXPECT_TRUE(web.running);
    EXPECT_EQ(web.started, 1795572000500000000);
    ASSERT_EQ(web.endpoints.size(), 1U);
    EXPECT_EQ(web.endpoints[0].network, "net0");
    EXPECT_THAT(web.endpoints[0].addresses,
                ElementsAre(*model::Address::parse("172.17.0.3"), *model::Address::parse("fd00::3")));
    EXPECT_THAT(web.environment, ElementsAre("A=1", "B"));
    EXPECT_THAT(web.expose, ElementsAre(model::Port{53, model::Protocol::udp}, model::Port{80}, model::Port{443}));
}

TEST(Container, LinksComeFromAllThreePlaces) {
    const Container web = read(with_config(R"("Labels": {"nftlink.links": "redis:db, cache\n x:o redis:db"})",
                                           R"("Links": ["/redis:/web/db", "/mq:/web/a"])"));
    EXPECT_THAT(links_of(web), ElementsAre("mq:a", "redis:db", "other:o", "cache:cache"));
    EXPECT_THAT(web.complaints, ElementsAre(HasSubstr("the alias o is other already, so that x is left out")));
}

TEST(Container, LabelsThatAreWrongAreSaidAndTheRestCounts) {
    const Container web = read(with_config(
        R"("Labels": {"nftlink.links": "redis:d/b, web:me, ok", "nftlink.expose": "6379/tcp, 99999, 8000-8001/udp"})"));
    EXPECT_THAT(links_of(web), ElementsAre("other:o", "ok:ok"));
    EXPECT_EQ(web.expose.size(), 3U);
    EXPECT_EQ(web.complaints.size(), 3U);
}

TEST(Container, TooManyPorts) {
    const Container web = read(with_config(R"("Labels": {"nftlink.expose": "1-1000,3001-4000"})"));
    EXPECT_EQ(web.expose.size(), model::max_exposed_ports);
    EXPECT_THAT(web.complaints, ElementsAre(HasSubstr("2000 ports")));
}

TEST(Container, ComposeLabels) {
    const std::string labels = R"("com.docker.compose.project": "shop", "com.docker.compose.service": "redis",
                                  "com.docker.compose.container-number": "2")";
    const Container redis = read(with_config(R"("Labels": {)" + labels + "}"));
    EXPECT_EQ(redis.project, "shop");
    EXPECT_EQ(redis.service, "redis");
    EXPECT_EQ(redis.number, 2U);
    const Container once = read(with_config(R"("Labels": {"com.docker.compose.oneoff": "True", )" + labels + "}"));
    EXPECT_EQ(once.service, "");
}

TEST(Container, NothingIsWhereItShouldBe) {
    EXPECT_FALSE(read_container(json::parse("[]")));
    EXPECT_FALSE(read_container(json::parse("{}")));
    EXPECT_FALSE(read_container(json::parse(R"({"Id": 7, "Name": []})")));
    const Container web = read(R"({"Id": "1", "Name": "/web", "State": 3, "Config": null, "HostConfig": {"Links": {}},
                                   "NetworkSettings": {"Networks": {"bridge": null, "x": {"IPAddress": 9}}}})");
    EXPECT_FALSE(web.running);
    EXPECT_EQ(web.endpoints.size(), 1U);
    EXPECT_THAT(web.links, IsEmpty());
}

TEST(Version, TheNewestThatBothKnow) {
    const auto docker =
        negotiate(json::parse(R"({"Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12"})"));
    ASSERT_TRUE(docker);
    EXPECT_EQ(*docker, (Version{"Docker 20.10.24", "1.41", false}));
    const auto podman = negotiate(json::parse(
        R"({"Version": "4.3.1", "ApiVersion": "1.41", "MinAPIVersion": "1.24", "Components": [{"Name": "Podman Engine"}]})"));
    ASSERT_TRUE(podman);
    EXPECT_EQ(*podman, (Version{"Podman 4.3.1", "1.41", true}));
    const auto later = negotiate(json::parse(R"({"Version": "40", "ApiVersion": "1.99", "MinAPIVersion": "1.44"})"));
    ASSERT_TRUE(later);
    EXPECT_EQ(later->api, "1.52");
    EXPECT_THAT(negotiate(json::parse(R"({"ApiVersion": "1.99", "MinAPIVersion": "1.98"})")).error(),
                HasSubstr("1.98 to 1.99"));
    EXPECT_THAT(negotiate(json::parse(R"({"ApiVersion": "x"})")).error(), HasSubstr("no container engine"));
    EXPECT_THAT(negotiate(json::parse("7")).error(), HasSubstr("no container engine"));
}

TEST(Event, KindsOfBothEngines) {
    const auto kind = [](const char* type, const char* action) {
        json::value line{{"Type", type}, {"Action", action}, {"Actor", {{"ID", "12ab"}}}};
        return read_event(line).kind;
    };
    using enum Event::Kind;
    EXPECT_EQ(kind("container", "start"), changed);
    EXPECT_EQ(kind("container", "rename"), renamed);
    EXPECT_EQ(kind("container", "die"), ended);
    EXPECT_EQ(kind("container", "died"), ended);
    EXPECT_EQ(kind("container", "destroy"), removed);
    EXPECT_EQ(kind("container", "remove"), removed);
    EXPECT_EQ(kind("container", "exec_start: sh"), other);
    EXPECT_EQ(kind("network", "create"), networks);
    EXPECT_EQ(kind("image", "pull"), other);
    EXPECT_EQ(read_event(json::parse("[1]")).kind, other);
}

}  // namespace
}  // namespace nftlink::engine
