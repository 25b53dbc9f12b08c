#include "nftlink/desired/state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nftlink::desired {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

model::Container container(const std::string& name, const char* ip, std::vector<model::Link> links = {}) {
    return {.name = name,
            .networks = {{"docker0", {*model::Address::parse(ip)}}},
            .expose = {},
            .environment = {},
            .links = std::move(links)};
}

class StateTest : public testing::Test {
protected:
    static State make(const std::string& text) {
        return State(std::make_shared<const config::Loaded>(*config::parse({{"nftlink.yaml", text}})));
    }

    State state_ = make(R"(
containers:
  redis: {bridge: docker0, addresses: [172.17.0.2], expose: [6379]}
  web: {bridge: docker0, addresses: [172.17.0.3], links: [redis]}
)");
};

TEST_F(StateTest, AnEditIsCarriedOutAndTakenBack) {
    const model::Topology before = state_.topology();
    const std::uint64_t revision = state_.revision();
    Edit edit;
    edit.containers["web"] = std::nullopt;
    edit.containers["app"] = container("app", "172.17.0.4", {{"redis", "db"}});
    edit.containers["redis"] = container("redis", "172.17.0.9");
    edit.containers["nobody"] = std::nullopt;
    edit.permissions = 5;
    const std::uint64_t permissions = state_.permissions();
    State::Past past = state_.apply(edit);
    EXPECT_EQ(state_.find("web"), nullptr);
    EXPECT_EQ(state_.find("app")->links.size(), 1u);
    EXPECT_EQ(state_.permissions(), permissions + 5);
    EXPECT_NE(state_.revision(), revision);
    const Before changed = past.changed(state_);
    EXPECT_THAT(changed, ElementsAre(Pair("app", nullptr), Pair("nobody", nullptr), Pair("redis", testing::NotNull()),
                                     Pair("web", testing::NotNull())));
    EXPECT_EQ(*changed.at("web"), *before.find("web"));
    state_.restore(std::move(past));
    EXPECT_EQ(state_.topology(), before);
    EXPECT_EQ(state_.permissions(), permissions);
}

TEST_F(StateTest, WhatTheEngineHasSaidSinceStaysWhenAnEditIsTakenBack) {
    State state = make("sources: {docker: {}}\nbridges: {docker0: {}}\n");
    const auto inventory = [](const std::vector<std::string>& names) {
        auto all = std::make_shared<engine::Inventory>();
        all->networks["bridge"] = {"bridge", "bridge", "docker0"};
        int last = 2;
        for (const std::string& name : names) {
            engine::Container& found = all->containers[name];
            found.id = found.name = name;
            found.running = true;
            found.endpoints = {{"bridge", {*model::Address::parse("172.17.0." + std::to_string(last++))}}};
        }
        return all;
    };
    state.set_inventory(inventory({"redis"}));
    Edit edit;
    edit.containers["app"] = container("app", "172.17.0.40");
    State::Past past = state.apply(edit);
    EXPECT_THAT(past.topology()->containers, ElementsAre(Pair("redis", testing::_)));
    state.set_inventory(inventory({"redis", "web"}));
    EXPECT_EQ(state.topology().containers.size(), 3u);
    state.restore(std::move(past));
    EXPECT_THAT(state.topology().containers, ElementsAre(Pair("redis", testing::_), Pair("web", testing::_)));
    EXPECT_FALSE(state.is_stale());
    EXPECT_THAT(state.stated().containers, IsEmpty());
}

}  // namespace
}  // namespace nftlink::desired
