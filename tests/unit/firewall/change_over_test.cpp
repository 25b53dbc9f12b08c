// A table of 0.1 becomes the frame, with its counts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nftlink/firewall/compile.hpp"
#include "nftlink/firewall/link_counts.hpp"
#include "nftlink/firewall/transactions.hpp"
#include "nftlink/kernel/fake_kernel.hpp"
#include "nftlink/nft/text.hpp"
#include "old_table.hpp"
#include "packets.hpp"
#include "topologies.hpp"

namespace nftlink::firewall {
namespace {

using testing::IsEmpty;

constexpr nft::Counters counted{7, 420};
constexpr Room plenty{1 << 24, 1'000'000};

class ChangeOver : public testing::Test {
protected:
    void start(const OldTable& old) {
        kernel_ = {};
        kernel_.ruleset().tables = {old_table(old)};
    }
    nft::Ruleset have() {
        return kernel_.snapshot([](const nft::Table&, const nft::Ruleset&) { return true; });
    }
    // Gives the number of pieces.
    std::size_t bring(const Wanted& want, Room room = plenty) {
        const auto batches = transactions(have(), want, room).batches;
        for (const nft::Batch& batch : batches) {
            const auto commit = kernel_.apply(batch, {});
            EXPECT_TRUE(commit) << commit.error().to_string() << "\n" << nft::to_text(batch);
        }
        EXPECT_THAT(transactions(have(), want, room).batches, IsEmpty());
        return batches.size();
    }
    const nft::Table& table() { return kernel_.ruleset().tables.at(0); }

    kernel::FakeKernel kernel_;
};

TEST_F(ChangeOver, IsOneTransactionWithTheCounts) {
    start(seed_of_01(nft::Family::inet, counted));
    EXPECT_EQ(bring(compile(seed(), {})), 1u);
    ASSERT_EQ(kernel_.ruleset().tables.size(), 2u) << "and that of frames";
    for (const char* set : {"links4", "links6"}) {
        ASSERT_EQ(table().set(set)->elements.size(), 1u);
        EXPECT_EQ(table().set(set)->elements[0].counters, counted) << set;
    }
    for (const nft::Set& set : table().sets)
        EXPECT_FALSE(set.name.contains("docker0")) << set.name;
    for (const nft::Chain& chain : table().chains)
        EXPECT_FALSE(chain.name.starts_with("bridge-")) << chain.name;
}

TEST_F(ChangeOver, EveryBridgesCountsAreItsOwnAlsoThoseOfTheSecondSlotAndOfOddNames) {
    const auto bridge = [](const std::string& name) {
        return topology({container("a", {on(name, {"10.0.0.2"})}, {"80"}),
                         container("b", {on(name, {"10.0.0.3"})}, {}, {{"a", "a"}})});
    };
    model::Topology links;
    OldTable old;
    std::uint64_t packets = 1;
    for (const auto& [name, escaped, slot] : std::vector<std::array<std::string, 3>>{
             {"br-a", "br-a", ""}, {"br-b", "br-b", "/b"}, {"br@1", "br/401", ""}, {"br@2", "br/402", "/b"}}) {
        for (auto& [container_name, container] : bridge(name).containers) {
            auto renamed = container;
            renamed.name = container_name + std::to_string(packets);
            for (model::Link& link : renamed.links)
                link.child += std::to_string(packets);
            links.containers[renamed.name] = renamed;
        }
        old.bridges.push_back({escaped, name, {{"10.0.0.3", "10.0.0.2", 80, {packets++, 1}}}, slot});
    }
    start(old);
    bring(compile(links, {}));
    const auto& elements = table().set("links4")->elements;
    ASSERT_EQ(elements.size(), 4u);
    for (std::size_t index = 0; index < elements.size(); ++index)
        EXPECT_EQ(elements[index].counters->packets, index + 1) << nft::to_text(elements[index].key, {});
}

TEST_F(ChangeOver, WithLayoutRulesTheRulesCountsStay) {
    for (const auto layout : {model::Layout::rules, model::Layout::sets}) {
        OldTable old = seed_of_01(nft::Family::inet, counted);
        old.by_rules = layout == model::Layout::rules;
        start(old);
        model::FirewallPolicy policy;
        policy.layout = layout;
        bring(compile(seed(), policy));
        const auto counts = link_counts(have(), seed(), policy);
        ASSERT_EQ(counts.size(), 1u);
        EXPECT_TRUE(counts[0].installed);
        EXPECT_EQ(counts[0].packets, 2 * counted.packets);
    }
}

TEST_F(ChangeOver, OfTheBridgeFamilyTheSecondTableGoesToo) {
    start(seed_of_01(nft::Family::bridge, counted));
    nft::Table routed = old_table(seed_of_01());
    routed.name = "nftlink-routed";
    kernel_.ruleset().tables.push_back(routed);
    model::FirewallPolicy policy;
    policy.family = model::Family::bridge;
    bring(compile(seed(), policy));
    EXPECT_EQ(kernel_.ruleset().tables.size(), 3u);
    EXPECT_EQ(kernel_.ruleset().table(nft::Family::inet, "nftlink-routed"), nullptr);
    EXPECT_NE(kernel_.ruleset().table(nft::Family::inet, "nftlink"), nullptr);
    EXPECT_EQ(table().set("links4")->elements.at(0).counters, counted);
}

TEST_F(ChangeOver, WithMarksOrWithoutCommentsItIsTheSame) {
    for (const bool marked : {true, false}) {
        start(seed_of_01(nft::Family::inet, counted, marked));
        nft::Table& old = kernel_.ruleset().tables[0];
        for (nft::Set& set : old.sets)
            set.comment.clear();
        for (nft::Chain& chain : old.chains) {
            chain.comment.clear();
            for (nft::Rule& rule : chain.rules)
                rule.comment.clear();
        }
        bring(compile(seed(), {}));
        EXPECT_EQ(table().set("links4")->elements.at(0).counters, counted);
        EXPECT_EQ(table().chains.size(), 5u);
    }
}

// Marks that are asked for come with the change.
TEST_F(ChangeOver, WhatBecomesOfItIsMarked) {
    start(seed_of_01());
    const auto want = compile(seed(), {});
    for (const nft::Batch& batch : transactions(have(), want, plenty, {.marks = true}).batches)
        ASSERT_TRUE(kernel_.apply(batch, {})) << nft::to_text(batch);
    for (const nft::Chain& chain : table().chains)
        EXPECT_EQ(chain.owner, "nftlink") << chain.name;
    for (const nft::Set& set : table().sets)
        EXPECT_EQ(set.owner, "nftlink") << set.name;
    EXPECT_THAT(transactions(have(), want, plenty, {.marks = true}).batches, IsEmpty());
}

TEST_F(ChangeOver, InPiecesLinksStandAllTheTimeAndNothingElsePasses) {
    OldTable old{nft::Family::inet, false, {{"docker0", "docker0", {}}}};
    for (std::uint16_t port = 1; port <= 500; ++port)
        old.bridges[0].links.push_back({"172.17.0.3", "172.17.0.2", port, {port, port}});
    start(old);
    auto links = seed();
    links.containers["redis"].expose = model::parse_ports("1-500").value();
    const auto to_redis = [](const std::string& from, std::uint16_t port) {
        return Packet{"docker0",
                      "docker0",
                      model::Address::parse(from).value(),
                      model::Address::parse("172.17.0.2").value(),
                      model::Protocol::tcp,
                      40000,
                      port};
    };
    const auto want = compile(links, {});
    const auto pieces = transactions(have(), want, {80'000, 200}).batches;
    EXPECT_GT(pieces.size(), 4u);
    for (const nft::Batch& piece : pieces) {
        const auto commit = kernel_.apply(piece, {});
        ASSERT_TRUE(commit) << commit.error().to_string() << "\n" << nft::to_text(piece);
        EXPECT_TRUE(passes(kernel_.ruleset(), to_redis("172.17.0.3", 1)));
        EXPECT_TRUE(passes(kernel_.ruleset(), to_redis("172.17.0.3", 500)));
        EXPECT_FALSE(passes(kernel_.ruleset(), to_redis("172.17.0.3", 501)));
        EXPECT_FALSE(passes(kernel_.ruleset(), to_redis("172.17.0.4", 1)));
    }
    EXPECT_THAT(transactions(have(), want, plenty).batches, IsEmpty());
    const auto& elements = table().set("links4")->elements;
    ASSERT_EQ(elements.size(), 500u);
    for (std::size_t index = 0; index < elements.size(); ++index)
        EXPECT_EQ(elements[index].counters, (nft::Counters{index + 1, index + 1}));
}

}  // namespace
}  // namespace nftlink::firewall
