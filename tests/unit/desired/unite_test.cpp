#include "nftlink/desired/unite.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nftlink::desired {
namespace {

using engine::Container;
using engine::Inventory;
using engine::Wish;

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

model::Address address(const char* text) {
    return *model::Address::parse(text);
}

Container running(const std::string& name, const char* ip, const std::vector<Wish>& links = {}) {
    Container container;
    container.id = "0123456789abcdef-" + name;
    container.name = name;
    container.running = true;
    container.started = 1000;
    container.endpoints = {{"net0", {address(ip)}}};
    container.expose = *model::parse_ports("6379");
    container.links = links;
    return container;
}

Container stopped(const std::string& name, const std::vector<Wish>& links = {}) {
    Container container = running(name, "172.17.0.99", links);
    container.running = false;
    container.endpoints.front().addresses.clear();
    return container;
}

class UniteTest : public testing::Test {
protected:
    UniteTest() {
        policy_.bridges["docker0"] = {};
        inventory_.networks["net0"] = {"net0", "bridge", "docker0"};
        inventory_.networks["net1"] = {"net1", "other", "br-other"};
    }

    void add(const Container& container) { inventory_.containers[container.id] = container; }
    model::Container& state(const std::string& name, std::vector<model::Network> networks,
                            std::vector<model::Link> links = {}) {
        return stated_.containers[name] = {
                   .name = name, .networks = std::move(networks), .expose = {}, .environment = {}, .links = links};
    }
    United unite() const {
        return desired::unite(
            stated_, policy_, limits_, inventory_,
            [](std::string_view name) { return "in nftlink.yaml:7:3 (" + std::string(name) + ")"; },
            "the engine at /run/docker.sock");
    }

    model::Topology stated_;
    model::FirewallPolicy policy_;
    model::Limits limits_;
    Inventory inventory_;
};

TEST_F(UniteTest, TakesWhatTheEngineSays) {
    add(running("redis", "172.17.0.2"));
    add(running("web", "172.17.0.3", {{"redis", "db"}}));
    const United united = unite();
    ASSERT_NE(united.topology.find("web"), nullptr);
    EXPECT_THAT(united.topology.find("web")->links, ElementsAre(model::Link{"redis", "db"}));
    EXPECT_EQ(united.topology.find("redis")->networks.front().bridge, "docker0");
    EXPECT_THAT(united.waiting, IsEmpty());
    EXPECT_THAT(united.complaints, IsEmpty());
}

TEST_F(UniteTest, LeavesBridgesAloneThatNobodyNamed) {
    Container redis = running("redis", "172.18.0.2");
    redis.endpoints.front().network = "net1";
    add(redis);
    add(running("web", "172.17.0.3", {{"redis", "db"}}));
    const United united = unite();
    EXPECT_EQ(united.find("redis"), nullptr);
    ASSERT_EQ(united.waiting.size(), 1U);
    EXPECT_THAT(united.waiting[0].reason, HasSubstr("no address on a bridge that is policed"));
}

TEST_F(UniteTest, ALinkWaitsForItsChild) {
    add(running("web", "172.17.0.3", {{"redis", "db"}, {"later", "later"}}));
    add(stopped("redis"));
    const United united = unite();
    EXPECT_THAT(united.topology.find("web")->links, IsEmpty());
    EXPECT_THAT(united.waiting, ElementsAre(Waiting{"web", {"redis", "db"}, "redis is not running"},
                                            Waiting{"web", {"later", "later"}, "there is no container later yet"}));
}

TEST_F(UniteTest, AStoppedParentHasItsVariablesAndNoAddress) {
    add(running("redis", "172.17.0.2"));
    add(stopped("web", {{"redis", "db"}}));
    const United united = unite();
    EXPECT_EQ(united.topology.find("web"), nullptr);
    ASSERT_NE(united.find("web"), nullptr);
    EXPECT_THAT(united.find("web")->links, ElementsAre(model::Link{"redis", "db"}));
    EXPECT_THAT(united.find("web")->networks.front().addresses, IsEmpty());
}

// They would hide those that are true now, and leave a file without any.
TEST_F(UniteTest, LinkVariablesThatAContainerWasStartedWithAreNotItsOwn) {
    add(running("redis", "172.17.0.2"));
    Container web = running("web", "172.17.0.3", {{"redis", "my-db"}, {"redis", "cache"}});
    web.environment = {"MY_DB_NAME=/old/my-db",
                       "MY_DB_PORT=tcp://172.17.0.9:6379",
                       "MY_DB_PORT_6379_TCP_ADDR=172.17.0.9",
                       "MY_DB_ENV_A=1",
                       "MY_DB_PASSWORD=x",
                       "CACHE_PORT=mine"};
    add(web);
    EXPECT_THAT(unite().topology.find("web")->environment, ElementsAre("MY_DB_PASSWORD=x", "CACHE_PORT=mine"));
}

TEST_F(UniteTest, AStoppedParentKeepsLinksToChildrenThatAreNotThere) {
    add(stopped("web", {{"redis", "db"}}));
    EXPECT_THAT(unite().find("web")->links, ElementsAre(model::Link{"redis", "db"}));
    EXPECT_THAT(unite().waiting, IsEmpty());
}

TEST_F(UniteTest, WhatAPersonWroteWins) {
    add(running("redis", "172.17.0.2"));
    state("redis", {{"docker0", {address("172.17.0.9")}}});
    const United united = unite();
    EXPECT_EQ(united.topology.find("redis")->networks.front().addresses.front(), address("172.17.0.9"));
    ASSERT_EQ(united.complaints.size(), 1U);
    EXPECT_THAT(united.complaints[0].message, HasSubstr("in nftlink.yaml:7:3"));
    EXPECT_THAT(united.complaints[0].message, HasSubstr("/run/docker.sock"));
    state("redis", {{"docker0", {address("172.17.0.2")}}});
    EXPECT_THAT(unite().complaints, IsEmpty()) << "both say the same";
}

TEST_F(UniteTest, AnAddressThatAPersonWroteIsNobodyElses) {
    add(running("redis", "172.17.0.2"));
    state("mine", {{"docker0", {address("172.17.0.2")}}});
    const United united = unite();
    EXPECT_EQ(united.find("redis"), nullptr);
    ASSERT_EQ(united.complaints.size(), 1U);
    EXPECT_THAT(united.complaints[0].message, HasSubstr("172.17.0.2 on docker0 is mine's, stated in nftlink.yaml:7:3"));
}

// The event of the first one's end may come after the second one's start.
TEST_F(UniteTest, AnAddressIsOfWhoWasStartedLast) {
    add(running("redis", "172.17.0.2"));
    Container stranger = running("stranger", "172.17.0.2");
    stranger.started = 2000;
    add(stranger);
    add(running("web", "172.17.0.3", {{"redis", "db"}}));
    const United united = unite();
    EXPECT_NE(united.topology.find("stranger"), nullptr);
    EXPECT_EQ(united.find("redis"), nullptr);
    EXPECT_THAT(united.topology.find("web")->links, IsEmpty());
}

TEST_F(UniteTest, AddsToTheEnginesContainer) {
    add(running("redis", "172.17.0.2"));
    Container web = running("web", "172.17.0.3", {{"redis", "db"}, {"redis", "cache"}});
    web.environment = {"A=1", "B=2"};
    add(web);
    model::Container& more = state("web", {}, {{"other", "cache"}, {"redis", "third"}});
    more.environment = {"B=3", "C=4"};
    more.expose = *model::parse_ports("80");
    add(running("other", "172.17.0.4"));
    const United united = unite();
    const model::Container& found = *united.topology.find("web");
    EXPECT_THAT(found.links,
                ElementsAre(model::Link{"other", "cache"}, model::Link{"redis", "third"}, model::Link{"redis", "db"}));
    EXPECT_THAT(found.environment, ElementsAre("A=1", "B=3", "C=4"));
    EXPECT_EQ(found.expose, *model::parse_ports("80"));
    ASSERT_EQ(united.complaints.size(), 1U);
    EXPECT_THAT(united.complaints[0].message, HasSubstr("the alias cache is other already"));
}

TEST_F(UniteTest, AStatedParentThatTheEngineHasNotMadeYet) {
    add(running("redis", "172.17.0.2"));
    state("web", {}, {{"redis", "db"}});
    const United united = unite();
    ASSERT_NE(united.find("web"), nullptr);
    EXPECT_EQ(united.topology.find("web"), nullptr);
    EXPECT_EQ(united.find("web")->networks.front().bridge, "docker0");
    EXPECT_THAT(united.find("web")->links, ElementsAre(model::Link{"redis", "db"}));
    EXPECT_THAT(united.waiting, ElementsAre(Waiting{"web", {"redis", "db"}, "there is no container web yet"}));
}

TEST_F(UniteTest, AStatedContainerLinksToTheEngines) {
    state("web", {{"docker0", {address("172.17.0.3")}}}, {{"redis", "db"}});
    EXPECT_THAT(unite().waiting, ElementsAre(Waiting{"web", {"redis", "db"}, "there is no container redis yet"}));
    add(running("redis", "172.17.0.2"));
    const United united = unite();
    EXPECT_THAT(united.waiting, IsEmpty());
    EXPECT_THAT(united.topology.find("web")->links, ElementsAre(model::Link{"redis", "db"}));
}

TEST_F(UniteTest, ComposeServicesAndTheirReplicas) {
    const auto replica = [](const std::string& project, unsigned number, const char* ip) {
        Container container = running(project + "-redis-" + std::to_string(number), ip);
        container.project = project;
        container.service = "redis";
        container.number = number;
        return container;
    };
    Container web = running("shop-web-1", "172.17.0.3", {{"redis", "db"}});
    web.project = "shop";
    web.service = "web";
    add(web);
    add(replica("other", 1, "172.17.0.9"));
    add(replica("shop", 1, "172.17.0.4"));
    EXPECT_THAT(unite().topology.find("shop-web-1")->links, ElementsAre(model::Link{"shop-redis-1", "db"}));
    add(replica("shop", 2, "172.17.0.5"));
    EXPECT_THAT(unite().topology.find("shop-web-1")->links,
                ElementsAre(model::Link{"shop-redis-1", "db"}, model::Link{"shop-redis-1", "db_1"},
                            model::Link{"shop-redis-2", "db_2"}));
}

TEST_F(UniteTest, AChildByItsId) {
    add(running("redis", "172.17.0.2"));
    add(running("web", "172.17.0.3", {{"0123456789ab", "db"}}));
    inventory_.containers.erase("0123456789abcdef-web");
    Container web = running("web", "172.17.0.3", {{"0123456789abcdef-r", "db"}});
    web.id = "ffff";
    add(web);
    EXPECT_THAT(unite().topology.find("web")->links, ElementsAre(model::Link{"redis", "db"}));
}

TEST_F(UniteTest, FamilyIpTakesIpv4Alone) {
    policy_.family = model::Family::ip;
    Container redis = running("redis", "172.17.0.2");
    redis.endpoints.front().addresses.push_back(address("fd00::2"));
    add(redis);
    EXPECT_THAT(unite().topology.find("redis")->networks.front().addresses, ElementsAre(address("172.17.0.2")));
}

TEST_F(UniteTest, NamesThatAreTooLongAreLeftOut) {
    add(running(std::string(65, 'a'), "172.17.0.2"));
    const United united = unite();
    EXPECT_THAT(united.topology.containers, IsEmpty());
    EXPECT_EQ(united.complaints.size(), 1U);
}

std::vector<std::string> complaints(const United& united) {
    std::vector<std::string> messages;
    for (const Complaint& complaint : united.complaints)
        messages.push_back(complaint.container + ": " + complaint.message);
    return messages;
}

TEST_F(UniteTest, AContainerWithTooManyAddressesOnABridgeIsLeftOut) {
    Container redis = running("redis", "172.17.1.1");
    for (int i = 2; i <= 16; ++i)
        redis.endpoints.front().addresses.push_back(address(("172.17.1." + std::to_string(i)).c_str()));
    add(redis);
    EXPECT_THAT(unite().topology.containers, testing::SizeIs(1));
    redis.endpoints.front().addresses.push_back(address("172.17.1.17"));
    add(redis);
    add(running("web", "172.17.0.2", {{"redis", "db"}}));
    const United united = unite();
    EXPECT_EQ(united.find("redis"), nullptr);
    EXPECT_THAT(
        complaints(united),
        ElementsAre("redis: container redis of the engine at /run/docker.sock is left out: 'redis' has more than 16 "
                    "addresses on bridge 'docker0'"));
    EXPECT_THAT(united.topology.find("web")->links, IsEmpty());
}

TEST_F(UniteTest, LinksBeyond4096OfAParentAreLeftOut) {
    add(running("redis", "172.17.0.2"));
    std::vector<Wish> wishes;
    for (int i = 0; i < 4095; ++i)
        wishes.push_back({"redis", "a" + std::to_string(i)});
    add(running("web", "172.17.0.3", wishes));
    state("web", {}, {{"redis", "stated"}});
    EXPECT_THAT(unite().topology.find("web")->links, testing::SizeIs(4096));
    EXPECT_THAT(unite().complaints, IsEmpty());
    wishes.insert(wishes.end(), {{"redis", "b"}, {"redis", "c"}, {"redis", "a1"}});
    add(running("web", "172.17.0.3", wishes));
    const United united = unite();
    EXPECT_THAT(united.topology.find("web")->links, testing::SizeIs(4096));
    EXPECT_EQ(united.topology.find("web")->links.front().alias, "stated");
    EXPECT_THAT(
        complaints(united),
        ElementsAre("web: container web of the engine at /run/docker.sock: 2 of its links are left out: 'web' has "
                    "more than 4,096 links"));
}

TEST_F(UniteTest, ALinkOfTooManyPermissionsIsLeftOutUnderAllItsAliases) {
    Container redis = running("redis", "172.17.1.1");
    Container web = running("web", "172.17.2.1", {{"redis", "db"}, {"redis", "cache"}, {"mail", "mail"}});
    for (int i = 2; i <= 16; ++i) {
        redis.endpoints.front().addresses.push_back(address(("172.17.1." + std::to_string(i)).c_str()));
        web.endpoints.front().addresses.push_back(address(("172.17.2." + std::to_string(i)).c_str()));
    }
    redis.expose = *model::parse_ports("1-64");
    add(redis);
    add(web);
    add(running("mail", "172.17.0.9"));
    EXPECT_THAT(unite().complaints, IsEmpty());
    redis.expose = *model::parse_ports("1-65");
    add(redis);
    const std::string fault = "16 x 16 addresses and 65 ports are 16,640 permissions, and one link may have 16,384";
    const United united = unite();
    EXPECT_THAT(united.topology.find("web")->links, ElementsAre(model::Link{"mail", "mail"}));
    EXPECT_THAT(complaints(united),
                ElementsAre("web: link /web/db is left out: " + fault + "; and 1 more of its links"));
    EXPECT_THAT(united.waiting,
                ElementsAre(Waiting{"web", {"redis", "db"}, fault}, Waiting{"web", {"redis", "cache"}, fault}));
}

TEST_F(UniteTest, WhatPeopleWroteHasTheHostsRoomBeforeWhatTheEngineSays) {
    limits_.permissions = 3;
    const auto at = [](const char* text) { return model::Network{"docker0", {address(text)}}; };
    add(running("a", "172.17.0.2", {{"redis", "wish"}}));
    add(running("redis", "172.17.0.3"));
    add(running("more", "172.17.0.4"));
    state("m", {at("172.17.1.1")}, {{"redis", "engines"}, {"redis", "again"}});
    state("y", {at("172.17.1.2")}, {{"z", "own"}});
    state("z", {at("172.17.1.3")}).expose = *model::parse_ports("1");
    EXPECT_THAT(unite().complaints, IsEmpty()) << "three links fit";

    limits_.permissions = 2;
    United united = unite();
    EXPECT_THAT(
        complaints(united),
        ElementsAre("a: link /a/wish is left out: the link from 'a' to 'redis' takes this host to 3 permissions, "
                    "and 'limits.permissions' allows 2"));
    EXPECT_THAT(united.topology.find("m")->links, testing::SizeIs(2)) << "aliases share their permission";

    limits_.permissions = 1;
    united = unite();
    EXPECT_THAT(united.topology.find("m")->links, IsEmpty());
    EXPECT_THAT(united.topology.find("y")->links, testing::SizeIs(1)) << "both are people's, so it comes first";
    EXPECT_THAT(united.complaints, testing::SizeIs(2)) << "one for each parent";
}

}  // namespace
}  // namespace nftlink::desired
