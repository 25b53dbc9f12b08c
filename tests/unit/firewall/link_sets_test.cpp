// A change of the sets alone comes to what the whole comes to.
#include "nftlink/firewall/link_sets.hpp"

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

// A parent of many children, so that no set becomes empty or too full by one change.
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
    void start(Topology topology, FirewallPolicy policy = stated_policy(), std::size_t limit = 1 << 20) {
        now_ = std::move(topology);
        policy_ = std::move(policy);
        const Wanted want = compile(now_, policy_);
        const Transactions made = transactions(kernel_.snapshot(every_table), want, limit);
        for (const nft::Batch& batch : made.batches)
            ASSERT_TRUE(kernel_.apply(batch, {}));
        sets_.emplace(want, made.in_second_slot, policy_);
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
        batch_ = update->batch;
        removed_ = update->removed;
        renames_ = update->renames;
        EXPECT_TRUE(kernel_.apply(update->batch, {})) << nft::to_text(update->batch);
        now_ = next;
        return true;
    }
    std::string missing() {
        nft::Batch rest;
        for (nft::Batch& batch : transactions(kernel_.snapshot(every_table), compile(now_, policy_), 1 << 20).batches)
            std::ranges::move(batch, std::back_inserter(rest));
        return nft::to_text(rest);
    }

    kernel::FakeKernel kernel_;
    FirewallPolicy policy_;
    Topology now_;
    std::optional<LinkSets> sets_;
    nft::Batch batch_;
    std::vector<nft::Flow> removed_;
    bool renames_ = false;
};

TEST_F(LinkSetsTest, ALinkIsItsElements) {
    start(many_children(3));
    Topology next = now_;
    next.containers["c0"].links.push_back({"c1", "db"});
    ASSERT_TRUE(change(next));
    EXPECT_EQ(nft::to_text(batch_),
              "add element inet nftlink links4-docker0 { 10.0.1.0 . 10.0.1.1 . tcp . 80 comment \"/c0/db\" }\n");
    EXPECT_EQ(missing(), "");
    next.containers["c0"].links.clear();
    ASSERT_TRUE(change(next));
    EXPECT_EQ(nft::to_text(batch_), "delete element inet nftlink links4-docker0 { 10.0.1.0 . 10.0.1.1 . tcp . 80 }\n");
    ASSERT_EQ(removed_.size(), 1U);
    EXPECT_EQ(removed_.front().port, 80);
    EXPECT_EQ(missing(), "");
}

TEST_F(LinkSetsTest, AnotherAliasIsAnotherCommentOfTheSamePermission) {
    start(many_children(3));
    Topology next = now_;
    next.containers["web"].links.push_back({"c1", "also"});
    ASSERT_TRUE(change(next));
    EXPECT_EQ(
        nft::to_text(batch_),
        "delete element inet nftlink links4-docker0 { 10.0.0.1 . 10.0.1.1 . tcp . 80 }\n"
        "add element inet nftlink links4-docker0 { 10.0.0.1 . 10.0.1.1 . tcp . 80 comment \"/web/c1 /web/also\" }\n");
    EXPECT_TRUE(renames_);
    EXPECT_TRUE(removed_.empty());
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

TEST_F(LinkSetsTest, InTheSecondSlotToo) {
    start(many_children(3));
    now_ = many_children(150);
    start(now_, policy_, 2000);
    ASSERT_NE(kernel_.ruleset().tables[0].set("links4-docker0/b"), nullptr);
    Topology next = now_;
    next.containers["c0"].links.push_back({"c1", "db"});
    ASSERT_TRUE(change(next));
    EXPECT_EQ(missing(), "");
}

TEST_F(LinkSetsTest, WhatTakesMoreThanElementsIsNotForThem) {
    const auto refused = [&](auto edit, FirewallPolicy policy = stated_policy(), int children = 3) {
        kernel_ = {};
        start(many_children(children), std::move(policy));
        Topology next = now_;
        edit(next);
        return !change(next);
    };
    const auto add_link = [](Topology& topology) { topology.containers["c0"].links.push_back({"c1", "db"}); };
    EXPECT_FALSE(refused(add_link));
    EXPECT_TRUE(refused([](Topology& topology) { topology.containers["web"].links.clear(); })) << "an empty set";
    EXPECT_TRUE(
        refused([](Topology& topology) { topology.containers["c9"] = topology.containers["c0"]; }, FirewallPolicy{}))
        << "a bridge that is there for its containers";
    EXPECT_TRUE(refused([](Topology& topology) {
        topology.containers["c0"].networks[0].addresses.push_back(*model::Address::parse("fd00::2"));
        topology.containers["web"].networks[0].addresses.push_back(*model::Address::parse("fd00::3"));
    })) << "the first of IPv6";
    EXPECT_TRUE(refused(add_link, stated_policy(), 154)) << "four fifths of 192";
    FirewallPolicy rules = stated_policy();
    rules.layout = model::Layout::rules;
    EXPECT_TRUE(refused(add_link, rules));
}

// Random containers on one bridge with links, changed at random; in every kind of table.
TEST_F(LinkSetsTest, AnyChangeComesToTheSame) {
    std::mt19937 random(20261125);
    const auto pick = [&](int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); };
    int by_elements = 0, rounds = 0;
    for (int trial = 0; trial < 30; ++trial) {
        FirewallPolicy policy = stated_policy();
        policy.family = std::array{model::Family::inet, model::Family::bridge, model::Family::ip}[pick(3) % 3];
        policy.replies = pick(2) == 0 ? model::Replies::established : model::Replies::source_port;
        policy.counters = pick(2) == 0;
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
    EXPECT_GT(by_elements, rounds / 2);
}

}  // namespace
}  // namespace nftlink::firewall
