// What is wanted where a container engine has its say, too.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nftlink/desired/draft.hpp"

namespace nftlink::desired {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* file = R"(
sources: {docker: {}}
bridges: {docker0: {}}
containers:
  files: {bridge: docker0, addresses: [172.17.0.50], links: [redis:db]}
  other: {links: [redis:o]}
)";

engine::Container container(const std::string& name, const char* ip) {
    engine::Container found;
    found.id = found.name = name;
    found.running = true;
    found.endpoints = {{"bridge", {*model::Address::parse(ip)}}};
    found.expose = *model::parse_ports("6379");
    return found;
}

class StateEngineTest : public testing::Test {
protected:
    StateEngineTest() : desired_(std::make_shared<const config::Loaded>(*config::parse({{"nftlink.yaml", file}}))) {
        engine::Container web = container("web", "172.17.0.3");
        web.links = {{"redis", "db"}};
        has({container("redis", "172.17.0.2"), web, container("other", "172.17.0.4")});
    }

    void has(const std::vector<engine::Container>& containers) {
        auto inventory = std::make_shared<engine::Inventory>();
        inventory->networks["bridge"] = {"bridge", "bridge", "docker0"};
        for (const engine::Container& each : containers)
            inventory->containers[each.id] = each;
        desired_.set_inventory(inventory);
    }

    api::Fault refusal(const api::Transaction& transaction) {
        const auto edit = Draft(desired_).plan(transaction);
        return edit ? api::Fault{api::Code::unknown, "", ""} : edit.error().front();
    }
    void make(const api::Transaction& transaction) {
        Draft draft(desired_);
        const auto edit = draft.plan(transaction);
        ASSERT_TRUE(edit) << edit.error().front().message;
        desired_.apply(draft.take());
    }
    std::size_t link_count(const std::string& parent) const {
        const model::Container* found = desired_.topology().find(parent);
        return found == nullptr ? 0 : found->links.size();
    }

    State desired_;
};

api::Transaction put_link(const std::string& parent, const std::string& child, const std::string& alias) {
    api::Transaction transaction;
    transaction.put_links.push_back({{parent, alias}, child, ""});
    return transaction;
}

api::Transaction delete_link(const std::string& parent, const std::string& alias) {
    api::Transaction transaction;
    transaction.delete_links.push_back({parent, alias});
    return transaction;
}

api::Transaction put(const std::string& name, const std::string& record) {
    api::Transaction transaction;
    transaction.put_containers.push_back({name, record, ""});
    return transaction;
}

api::Transaction remove(const std::string& name) {
    api::Transaction transaction;
    transaction.delete_containers.push_back(name);
    return transaction;
}

TEST_F(StateEngineTest, IsOneTopology) {
    EXPECT_EQ(link_count("files"), 1U);
    EXPECT_EQ(link_count("web"), 1U);
    EXPECT_EQ(link_count("other"), 1U);
    EXPECT_EQ(desired_.source("web"), "docker");
    EXPECT_EQ(desired_.source("files"), "file");
    EXPECT_EQ(desired_.source("other", {"redis", "o"}), "file");
    EXPECT_EQ(desired_.source("web", {"redis", "db"}), "docker");
    EXPECT_EQ(desired_.stored_count(), 0U);
    has({});
    EXPECT_EQ(link_count("files"), 0U);
    EXPECT_THAT(desired_.waiting(), SizeIs(2));
}

TEST_F(StateEngineTest, ALinkIsAddedToTheEnginesContainerAndIsAllThatIsKept) {
    make(put_link("web", "other", "o"));
    EXPECT_EQ(link_count("web"), 2U);
    const auto stored = desired_.stored();
    ASSERT_TRUE(stored.contains("web"));
    EXPECT_THAT(stored.at("web").networks, IsEmpty());
    EXPECT_THAT(stored.at("web").links, ElementsAre(model::Link{"other", "o"}));
    EXPECT_EQ(desired_.source("web", {"other", "o"}), "api");
    has({container("redis", "172.17.0.2")});
    EXPECT_EQ(desired_.topology().find("web"), nullptr);
    make(delete_link("web", "o"));
    EXPECT_THAT(desired_.stored(), IsEmpty()) << "nothing was left of it";
}

TEST_F(StateEngineTest, ALinkMayWaitForItsChildButNotForAParentThatNobodyKnows) {
    make(put_link("web", "later", "l"));
    EXPECT_EQ(desired_.waiting().size(), 1U);
    EXPECT_EQ(refusal(put_link("wbe", "redis", "db")).code, api::Code::not_found);
}

TEST_F(StateEngineTest, WhatIsTheEnginesIsChangedThere) {
    for (const api::Transaction& transaction : {remove("redis"), delete_link("web", "db")}) {
        const api::Fault fault = refusal(transaction);
        EXPECT_EQ(fault.code, api::Code::conflict);
        EXPECT_THAT(fault.message, HasSubstr("the engine at /run/docker.sock"));
    }
    make(put_link("web", "other", "o"));
    EXPECT_EQ(refusal(delete_link("web", "db")).code, api::Code::conflict);
    EXPECT_EQ(refusal(delete_link("web", "nothing")).code, api::Code::not_found);
}

TEST_F(StateEngineTest, AContainerThroughTheApiTakesTheEnginesPlace) {
    make(put("redis", R"({"bridge": "docker0", "addresses": ["172.17.0.77"], "expose": [1]})"));
    EXPECT_EQ(desired_.topology().find("redis")->expose.front().number, 1);
    EXPECT_EQ(link_count("web"), 1U);
    ASSERT_THAT(desired_.complaints(), SizeIs(1));
    EXPECT_THAT(desired_.complaints().front().message, HasSubstr("stated through the API"));
    make(remove("redis"));
    EXPECT_EQ(desired_.topology().find("redis")->expose.front().number, 6379);
    EXPECT_THAT(desired_.complaints(), IsEmpty());
}

TEST_F(StateEngineTest, WhatWasAddedComesBackAfterAStart) {
    make(put_link("web", "other", "o"));
    const State::Stored stored = desired_.stored();
    State next(std::make_shared<const config::Loaded>(*config::parse({{"nftlink.yaml", file}})));
    const State::Joined joined = next.add(stored);
    EXPECT_THAT(joined.conflicts, IsEmpty());
    EXPECT_TRUE(joined.ended.empty());
    next.set_inventory(desired_.inventory());
    EXPECT_EQ(next.topology(), desired_.topology());
}

}  // namespace
}  // namespace nftlink::desired
