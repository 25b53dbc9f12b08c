// What Docker 20.10 and Podman 4.3 have really answered: tests/program/recorded, where it is told how it came about.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <fstream>
#include <iterator>

#include "nftlink/desired/unite.hpp"

namespace nftlink::desired {
namespace {

using engine::Container;
using engine::Event;
using engine::Inventory;
using engine::Listed;
using engine::Network;
using engine::Wish;

namespace json = boost::json;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

json::value read(const std::string& engine, const std::string& file) {
    std::ifstream stream(std::string(RECORDED) + "/" + engine + "/" + file);
    EXPECT_TRUE(stream) << engine << "/" << file;
    return json::parse(std::string(std::istreambuf_iterator<char>(stream), {}));
}

Container container(const std::string& engine, const std::string& name) {
    auto found = engine::read_container(read(engine, "container-" + name + ".json"));
    EXPECT_TRUE(found) << name;
    return found.value_or(Container{});
}

class RecordedTest : public testing::TestWithParam<std::string> {
protected:
    Inventory inventory() const {
        Inventory all;
        const auto networks = GetParam().starts_with("docker")
                                  ? engine::read_networks(read(GetParam(), "networks.json"))
                                  : engine::read_podman_networks(read(GetParam(), "libpod-networks.json"));
        for (const Network& network : networks)
            all.networks[network.id] = all.networks[network.name] = network;
        for (const char* name : {"redis", "web", "app-api-1", "linked", "host", "shared", "isolated", "both", "stopped",
                                 "created", "paused"}) {
            Container found = container(GetParam(), name);
            all.containers.emplace(found.id, std::move(found));
        }
        return all;
    }

    United unite() const {
        model::FirewallPolicy policy;
        policy.bridge_patterns = {{"*", {}}};
        return desired::unite(
            {}, policy, {}, inventory(), [](std::string_view) { return std::string(); }, "the engine");
    }
};

INSTANTIATE_TEST_SUITE_P(Engines, RecordedTest, testing::Values("docker-20.10", "podman-4.3"),
                         [](const auto& engine) { return engine.param.substr(0, 6); });

TEST_P(RecordedTest, AllRunningContainersAreOnTheirBridges) {
    const United united = unite();
    EXPECT_THAT(united.complaints, IsEmpty());
    for (const char* name : {"redis", "web", "paused", "app-api-1", "linked", "both"})
        EXPECT_NE(united.topology.find(name), nullptr) << name;
    for (const char* name : {"host", "shared", "isolated", "stopped", "created"})
        EXPECT_EQ(united.topology.find(name), nullptr) << name;
    EXPECT_EQ(united.topology.find("both")->networks.size(), 2U);
    EXPECT_EQ(united.topology.find("redis")->networks.front().bridge,
              GetParam().starts_with("docker") ? "docker0" : "podman0");
    EXPECT_EQ(united.topology.find("app-api-1")->networks.front().addresses.size(), 2U) << "it has IPv6, too";
}

TEST_P(RecordedTest, PortsAreTheContainersOwn) {
    EXPECT_EQ(container(GetParam(), "web").expose,
              (std::vector<model::Port>{{53, model::Protocol::udp}, {80}, {6379}, {9000}, {9001}}));
}

TEST_P(RecordedTest, VariablesAreTheImagesAndTheUsers) {
    const Container web = container(GetParam(), "web");
    EXPECT_THAT(web.environment, Contains("A=b c"));
    EXPECT_THAT(web.environment, Contains("REDIS_VERSION=7.0.15"));
    EXPECT_THAT(web.environment, Not(Contains("container=podman")));
}

TEST_P(RecordedTest, ComposeLabels) {
    EXPECT_EQ(container(GetParam(), "app-api-1").project, "app");
    EXPECT_EQ(container(GetParam(), "app-api-1").service, "api");
}

TEST_P(RecordedTest, TheListHasThemAll) {
    const auto listed = engine::read_list(read(GetParam(), "containers.json"));
    EXPECT_EQ(listed.size(), 11U);
    for (const Listed& each : listed) {
        const Inventory all = inventory();
        const auto found = all.containers.find(each.id);
        ASSERT_NE(found, all.containers.end());
        EXPECT_EQ(found->second.running, each.running) << found->second.name;
    }
}

TEST_P(RecordedTest, TheirVersions) {
    const auto version = engine::negotiate(read(GetParam(), "version.json"));
    ASSERT_TRUE(version);
    EXPECT_EQ(version->api, "1.41");
    EXPECT_EQ(version->is_podman, GetParam().starts_with("podman"));
}

TEST_P(RecordedTest, EveryEndInTheEventsIsSeen) {
    int changed = 0, ended = 0, removed = 0;
    const json::value events = read(GetParam(), "events.json");
    for (const json::value& line : events.as_array()) {
        const Event event = engine::read_event(line);
        if (event.kind == Event::Kind::other || event.kind == Event::Kind::networks)
            continue;
        EXPECT_FALSE(event.container.empty()) << line;
        EXPECT_GT(event.time, 0);
        changed += event.kind == Event::Kind::changed;
        ended += event.kind == Event::Kind::ended;
        removed += event.kind == Event::Kind::removed;
    }
    EXPECT_EQ(removed, 3);
    EXPECT_GE(ended, 5);
    EXPECT_GE(changed, 8);
}

TEST(Recorded, DockersLinks) {
    std::vector<std::string> links;
    for (const Wish& wish : container("docker-20.10", "web").links)
        links.push_back(wish.child + ":" + wish.alias);
    EXPECT_THAT(links, UnorderedElementsAre("redis:cache", "redis:db"));
    EXPECT_THAT(container("docker-20.10", "linked").links, ElementsAre(Wish{"app-api-1", "backend"}));
}

}  // namespace
}  // namespace nftlink::desired
