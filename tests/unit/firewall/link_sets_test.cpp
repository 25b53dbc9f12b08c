// A change of the sets alone comes to what the whole comes to.
#include "nftlink/firewall/link_sets.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "nftlink/kernel/fake_kernel.hpp"
#include "nftlink/nft/text.hpp"
#include "topologies.hpp"

namespace nftlink::firewall {
namespace {

using model::Container;
using model::FirewallPolicy;
using model::Topology;

bool every_table(const nft::Table&, const nft::Ruleset&) {
    return true;
}

FirewallPolicy stated_policy() {
    FirewallPolicy policy;
    policy.bridges["docker0"];
    return policy;
}

// A parent of many children.
Topology many_children(int count) {
    Topology topology;
    Container& web = topology.containers["web"];
    web = {"web", {{"docker0", {*model::Address::parse("10.0.0.1")}}}, {}, {}, {}};
    for (int number = 0; number < count; ++number) {
        const std::string name = "c" + std::to_string(number);
        topology.containers[name] = {name,
                                     {{"docker0", {*model::Address::parse("10.0.1." + std::to_string(number))}}},
                                     *model::parse_ports("80"),
                                     {},
                                     {}};
        web.links.push_back({name, name});
    }
    return topology;
}

class LinkSetsTest : public testing::Test {
protected:
    void start(Topology topology, FirewallPolicy policy = stated_policy(), Room room = {1 << 20},
               const HostFacts& host = {}) {
        now_ = std::move(topology);
        policy_ = std::move(policy);
        host_ = host;
        const Wanted want = compile(now_, policy_, host_);
        const Transactions made = transactions(kernel_.snapshot(every_table), want, room);
        for (const nft::Batch& batch : made.batches)
            ASSERT_TRUE(kernel_.apply(batch, {}));
        sets_.emplace(want, made.other_names, now_, policy_, host_);
    }
    // Brings the kernel to the next topology by elements alone; false where that can't be.
    bool change(const Topology& next) {
        Before before;
        for (const Topology* topology : {static_cast<const Topology*>(&now_), &next})
            for (const auto& [name, container] : topology->containers) {
                const Container *was = now_.find(name), *is = next.find(name);
                if (was == nullptr || is == nullptr || *was != *is)
                    before.emplace(name, was);
            }
        auto update = sets_->update(next, before, policy_);
        if (!update)
            return false;
        take(*update);
        now_ = next;
        return true;
    }
    bool change_bridges(std::vector<std::string> bridges) {
        auto update = sets_->update(bridges, policy_);
        if (!update)
            return false;
        take(*update);
        host_.bridges = std::move(bridges);
        return true;
    }
    void take(const LinkSets::Update& update) {
        update_ = update;
        EXPECT_TRUE(kernel_.apply(update.batch, {})) << nft::to_text(update.batch);
    }
    std::string missing() {
        nft::Batch rest;
        for (nft::Batch& batch :
             transactions(kernel_.snapshot(every_table), compile(now_, policy_, host_), {1 << 20}).batches)
            std::ranges::move(batch, std::back_inserter(rest));
        return nft::to_text(rest);
    }

    kernel::FakeKernel kernel_;
    FirewallPolicy policy_;
    Topology now_;
    std::optional<LinkSets> sets_;
    HostFacts host_;
    LinkSets::Update update_;
};

TEST_F(LinkSetsTest, ALinkIsItsElements) {
    start(many_children(3));
    Topology next = now_;
    next.containers["c0"].links.push_back({"c1", "db"});
    ASSERT_TRUE(change(next));
    EXPECT_EQ(nft::to_text(update_.batch),
              "add element inet nftlink links4 { \"docker0\" . 10.0.1.0 . 10.0.1.1 . tcp . 80 comment \"/c0/db\" }\n"
              "add element inet nftlink replies4 { \"docker0\" . 10.0.1.1 . 10.0.1.0 . tcp . 80 }\n");
    EXPECT_EQ(missing(), "");
    next.containers["c0"].links.clear();
    ASSERT_TRUE(change(next));
    EXPECT_EQ(nft::to_text(update_.batch),
              "delete element inet nftlink links4 { \"docker0\" . 10.0.1.0 . 10.0.1.1 . tcp . 80 }\n"
              "delete element inet nftlink replies4 { \"docker0\" . 10.0.1.1 . 10.0.1.0 . tcp . 80 }\n");
    EXPECT_EQ(missing(), "");
}

TEST_F(LinkSetsTest, AnotherAliasIsAnotherCommentOfTheSamePermission) {
    start(many_children(3));
    Topology next = now_;
    next.containers["web"].links.push_back({"c1", "also"});
    ASSERT_TRUE(change(next));
    EXPECT_EQ(nft::to_text(update_.batch),
              "delete element inet nftlink links4 { \"docker0\" . 10.0.0.1 . 10.0.1.1 . tcp . 80 }\n"
              "add element inet nftlink links4 { \"docker0\" . 10.0.0.1 . 10.0.1.1 . tcp . 80 comment "
              "\"/web/c1 /web/also\" }\n");
    EXPECT_TRUE(update_.renames);
    EXPECT_EQ(missing(), "");
}

// Two tables hold every link, and each bridge.
TEST_F(LinkSetsTest, InTheBridgeFamilyALinkIsItsElementsInBothTables) {
    FirewallPolicy policy = stated_policy();
    policy.family = model::Family::bridge;
    start(many_children(3), policy);
    Topology next = now_;
    next.containers["c0"].links.push_back({"c1", "db"});
    ASSERT_TRUE(change(next));
    EXPECT_EQ(update_.batch.size(), 4u);
    EXPECT_EQ(missing(), "");
}

TEST_F(LinkSetsTest, TheLastLinkAndTheFirstOfIpv6AreElementsToo) {
    start(many_children(3));
    Topology next = now_;
    next.containers["web"].links.clear();
    ASSERT_TRUE(change(next));
    EXPECT_EQ(missing(), "");
    next.containers["c0"].networks[0].addresses.push_back(*model::Address::parse("fd00::2"));
    next.containers["web"].networks[0].addresses.push_back(*model::Address::parse("fd00::3"));
    next.containers["web"].links = {{"c0", "db"}};
    ASSERT_TRUE(change(next));
    EXPECT_EQ(missing(), "");
}

TEST_F(LinkSetsTest, ABridgeComesWithItsFirstContainerAndGoesWithItsLast) {
    start(many_children(3), {});
    Topology next = now_;
    next.containers["far"] = container("far", {on("br0", {"10.1.0.1"})});
    next.containers["also"] = container("also", {on("br0", {"10.1.0.2"})});
    ASSERT_TRUE(change(next));
    EXPECT_EQ(nft::to_text(update_.batch),
              "add element inet nftlink denied { \"br0\" }\nadd element inet nftlink bridges { \"br0\" }\n"
              "add element bridge nftlink-frames closed { \"br0\" }\n");
    EXPECT_EQ(update_.bridges_come, std::vector<std::string>{"br0"});
    EXPECT_EQ(missing(), "");
    next.containers.erase("also");
    ASSERT_TRUE(change(next));
    EXPECT_TRUE(update_.batch.empty());
    next.containers.erase("far");
    ASSERT_TRUE(change(next));
    EXPECT_EQ(nft::to_text(update_.batch),
              "delete element inet nftlink denied { \"br0\" }\ndelete element inet nftlink bridges { \"br0\" }\n"
              "delete element bridge nftlink-frames closed { \"br0\" }\n");
    EXPECT_EQ(update_.bridges_gone, std::vector<std::string>{"br0"});
    EXPECT_EQ(missing(), "");
}

TEST_F(LinkSetsTest, BridgesThatFitAPatternComeAndGo) {
    FirewallPolicy policy;
    policy.bridge_patterns = {{"br-*", {model::Icc::allow, false}}};
    Topology links = many_children(3);
    links.containers["far"] = container("far", {on("br-2", {"10.1.0.1"})});
    start(links, policy, {1 << 20}, {.bridges = {"br-1"}});
    ASSERT_TRUE(change_bridges({"br-2", "br-3"}));
    EXPECT_EQ(update_.bridges_gone, std::vector<std::string>{"br-1"});
    EXPECT_EQ(update_.bridges_come, std::vector<std::string>{"br-3"}) << "a container is on br-2";
    EXPECT_EQ(missing(), "");
    // It is policed as long as its container or the host has it.
    ASSERT_TRUE(change_bridges({"br-3"}));
    EXPECT_TRUE(update_.batch.empty());
    EXPECT_EQ(missing(), "");
    ASSERT_TRUE(change_bridges({"br-2", "br-3"}));
    links.containers.erase("far");
    ASSERT_TRUE(change(links));
    EXPECT_TRUE(update_.batch.empty());
    EXPECT_EQ(missing(), "");
    ASSERT_TRUE(change_bridges({}));
    EXPECT_EQ(update_.bridges_gone, (std::vector<std::string>{"br-2", "br-3"}));
    EXPECT_EQ(missing(), "");
}

TEST_F(LinkSetsTest, AChildThatMovesTakesItsLinksAlong) {
    start(many_children(3));
    Topology next = now_;
    next.containers["c1"].networks[0].addresses = {*model::Address::parse("10.0.9.9")};
    next.containers["c2"].expose = *model::parse_ports("80-82/udp");
    ASSERT_TRUE(change(next));
    EXPECT_EQ(missing(), "");
    next.containers.erase("c1");
    ASSERT_TRUE(change(next));
    EXPECT_EQ(missing(), "");
}

TEST_F(LinkSetsTest, UnderItsOtherNameToo) {
    start(many_children(3));
    now_ = many_children(160);
    start(now_, policy_, {4000, 100});
    ASSERT_NE(kernel_.ruleset().tables[0].set("links4.b"), nullptr);
    Topology next = now_;
    next.containers["c0"].links.push_back({"c1", "db"});
    ASSERT_TRUE(change(next));
    EXPECT_EQ(missing(), "");
}

TEST_F(LinkSetsTest, WhatTakesMoreThanElementsIsNotForThem) {
    const auto refused = [&](FirewallPolicy policy, int children) {
        kernel_ = {};
        start(many_children(children), std::move(policy));
        Topology next = now_;
        next.containers["c0"].links.push_back({"c1", "db"});
        return !change(next);
    };
    EXPECT_FALSE(refused(stated_policy(), 3));
    EXPECT_FALSE(refused(stated_policy(), 152));
    EXPECT_TRUE(refused(stated_policy(), 154)) << "four fifths of 192";
    FirewallPolicy rules = stated_policy();
    rules.layout = model::Layout::rules;
    EXPECT_TRUE(refused(rules, 3));
    EXPECT_FALSE(change_bridges({"br0"}));
}

// Two parents of one address, on two bridges.
TEST_F(LinkSetsTest, AReplyGoesWithTheLastOfItsLinks) {
    Topology links;
    links.containers["db"] = container("db", {on("br-db", {"10.2.0.1"})}, {"80"});
    links.containers["a"] = container("a", {on("br-a", {"10.0.0.1"})}, {}, {{"db", "db"}});
    links.containers["b"] = container("b", {on("br-b", {"10.0.0.1"})}, {}, {{"db", "db"}});
    start(links, {});
    Topology next = now_;
    next.containers["a"].links.clear();
    ASSERT_TRUE(change(next));
    EXPECT_EQ(nft::to_text(update_.batch),
              "delete element inet nftlink links4 { \"br-a\" . 10.0.0.1 . 10.2.0.1 . tcp . 80 }\n");
    EXPECT_EQ(missing(), "");
    next.containers["b"].links.clear();
    next.containers["a"].links = {{"db", "other"}};
    ASSERT_TRUE(change(next));
    EXPECT_THAT(nft::to_text(update_.batch), testing::Not(testing::HasSubstr("replies4")));
    EXPECT_EQ(missing(), "");
    next.containers.erase("a");
    ASSERT_TRUE(change(next));
    EXPECT_THAT(nft::to_text(update_.batch), testing::HasSubstr("delete element inet nftlink replies4"));
    EXPECT_EQ(missing(), "");
}

TEST_F(LinkSetsTest, TheFirstLinkAcrossBridgesIsNotForThem) {
    start(many_children(3));
    Topology next = now_;
    next.containers["far"] = container("far", {on("br0", {"10.1.0.1"})}, {"80"});
    next.containers["web"].links.push_back({"far", "far"});
    EXPECT_FALSE(change(next)) << "replies weren't counted so far";
}

TEST_F(LinkSetsTest, PortsComeAndGo) {
    host_ = {.frames = Frames::by_port, .ports = {"v1", "v2"}};
    start(many_children(3), {}, {1 << 20}, host_);
    LinkSets::Update update;
    sets_->update_ports({"v2", "v3"}, update);
    host_.ports = {"v2", "v3"};
    EXPECT_EQ(
        nft::to_text(update.batch),
        "delete element bridge nftlink-frames ports { \"v1\" }\nadd element bridge nftlink-frames ports { \"v3\" }\n");
    take(update);
    EXPECT_EQ(missing(), "");
}

// Random containers on two bridges with links, changed at random; in every kind of table.
TEST_F(LinkSetsTest, AnyChangeComesToTheSame) {
    std::mt19937 random(20261125);
    const auto pick = [&](int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); };
    int by_elements = 0, rounds = 0;
    for (int trial = 0; trial < 30; ++trial) {
        FirewallPolicy policy = stated_policy();
        policy.family = std::array{model::Family::inet, model::Family::bridge, model::Family::ip}[pick(3) % 3];
        policy.replies = pick(2) == 0 ? model::Replies::established : model::Replies::source_port;
        policy.counters =
            std::array{model::Counters::none, model::Counters::bridges, model::Counters::links}[pick(3) % 3];
        kernel_ = {};
        start(many_children(20), policy);
        for (int round = 0; round < 40; ++round, ++rounds) {
            Topology next = now_;
            for (int edit = pick(3); edit >= 0; --edit) {
                const std::string name = "c" + std::to_string(pick(20)), other = "c" + std::to_string(pick(20));
                if (const int kind = pick(5); kind == 0) {
                    next.containers.erase(name);
                } else if (next.find(name) == nullptr) {
                    next.containers[name] = many_children(20).containers[name];
                    auto& networks = next.containers[name].networks;
                    const int number = std::stoi(name.substr(1));
                    if (const int place = pick(4); place == 0)
                        networks.push_back(on("br1", {fmt::format("10.1.1.{}", number)}));
                    else if (place == 1)  // the address that another one has on docker0
                        networks = {on("br1", {fmt::format("10.0.1.{}", (number + 1) % 20)})};
                } else if (kind == 1) {
                    next.containers[name].expose = *model::parse_ports(std::to_string(80 + pick(3)) + "/udp");
                } else if (auto& links = next.containers[name].links; kind == 2 && !links.empty()) {
                    links.pop_back();
                } else if (name != other) {
                    links.push_back({other, "alias" + std::to_string(round)});
                }
            }
            if (change(next))
                ++by_elements;
            else
                start(next, policy);
            ASSERT_EQ(missing(), "") << "trial " << trial << ", round " << round;
        }
    }
    // A few links are too many for no set; but replies aren't counted before the first link across bridges.
    EXPECT_GE(by_elements, rounds - 30);
}

}  // namespace
}  // namespace nftlink::firewall
