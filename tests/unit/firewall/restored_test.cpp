// What iptables of several versions and nft make of our rules is still ours.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "nftlink/firewall/compile.hpp"
#include "nftlink/firewall/diff.hpp"
#include "nftlink/firewall/link_counts.hpp"
#include "nftlink/nft/decode.hpp"
#include "nftlink/nft/meaning.hpp"
#include "nftlink/nft/text.hpp"
#include "topologies.hpp"

namespace nftlink::firewall {
namespace {

using nft::Family;

// A filter table whose FORWARD is as that version of iptables has restored it, without our marks.
nft::Table restored(const std::string& version, Family family) {
    std::ifstream file(std::string(GOLDEN_DIRECTORY) + "/iptables-" + version + ".txt");
    EXPECT_TRUE(file) << version;
    nft::Table table;
    table.family = family;
    table.name = "filter";
    table.chains.push_back({"FORWARD", nft::Hook{"filter", 2, 0, 1}, {}, {}, {}});
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with('#'))
            continue;
        std::vector<std::uint8_t> bytes;
        for (std::size_t at = 0; at < line.size(); at += 2)
            bytes.push_back(static_cast<std::uint8_t>(std::stoul(line.substr(at, 2), nullptr, 16)));
        auto decoded = nft::decode_rule(bytes);
        EXPECT_TRUE(decoded) << line;
        if (decoded && decoded->place.family == family && decoded->place.container == "FORWARD")
            table.chains[0].rules.push_back(std::move(decoded->object));
    }
    return table;
}

class Restored : public testing::TestWithParam<std::tuple<std::string, Family>> {
protected:
    Restored() {
        policy_.layout = model::Layout::rules;
        policy_.replies = model::Replies::source_port;
        policy_.log_drops = true;
        policy_.accept_mark = 7;
        policy_.bridges["docker0"] = {model::Icc::deny, true};
        policy_.attach = {{family() == Family::ip ? model::AttachPoint::Family::ip : model::AttachPoint::Family::ip6,
                           "filter", "FORWARD"}};
        links_.containers["redis"].expose = model::parse_ports("6379/tcp").value();
        for (const char* port : {"53/udp", "132/sctp"})
            links_.containers["redis"].expose.push_back(model::parse_ports(port).value().front());
        have_.tables = {restored(std::get<0>(GetParam()), family()), compile(links_, policy_).tables[0]};
    }
    static Family family() { return std::get<1>(GetParam()); }
    std::size_t count() const { return have_.tables[0].chains[0].rules.size(); }
    static std::ptrdiff_t deleted(const nft::Batch& batch) {
        return std::ranges::count_if(batch, [](const nft::Operation& operation) {
            return operation.table == "filter" && std::holds_alternative<nft::DeleteRule>(operation.action);
        });
    }

    model::FirewallPolicy policy_;
    model::Topology links_ = seed();
    nft::Ruleset have_;
};

TEST_P(Restored, EveryRuleMeansWhatItMeant) {
    const auto want = compile(links_, policy_);
    const auto& rules = have_.tables[0].chains[0].rules;
    ASSERT_EQ(rules.size(), want.attached[0].rules.size());
    for (std::size_t index = 0; index < rules.size(); ++index) {
        EXPECT_EQ(rules[index].owner, "");
        EXPECT_EQ(nft::meaning_of(rules[index], family()), nft::meaning_of(want.attached[0].rules[index], family()))
            << nft::to_text(rules[index]);
    }
}

TEST_P(Restored, AllOfItGoesWhereNothingIsWantedAlsoWithoutSomeOfIt) {
    EXPECT_EQ(deleted(diff(have_, {})), static_cast<std::ptrdiff_t>(count()));
    auto& rules = have_.tables[0].chains[0].rules;
    rules.erase(rules.begin() + 1);
    EXPECT_EQ(deleted(diff(have_, {})), static_cast<std::ptrdiff_t>(count()));
}

TEST_P(Restored, AnEndedLinksRulesGo) {
    auto fewer = links_;
    fewer.containers["redis"].expose.erase(fewer.containers["redis"].expose.begin());
    const std::string change = nft::to_text(diff(have_, compile(fewer, policy_)));
    EXPECT_EQ(change.find("6379"), std::string::npos) << change;
    EXPECT_EQ(deleted(diff(have_, compile(fewer, policy_))), static_cast<std::ptrdiff_t>(count())) << "marked anew";
}

// Docker's own base rules, where all of ours have gone.
TEST_P(Restored, BaseRulesAloneAreSomebodys) {
    auto& rules = have_.tables[0].chains[0].rules;
    std::erase_if(rules, [](const nft::Rule& rule) { return nft::to_text(rule).find("addr") != std::string::npos; });
    ASSERT_GT(rules.size(), 3u);
    EXPECT_EQ(deleted(diff(have_, {})), 0);
}

TEST_P(Restored, LinksAreInstalledAndTheirCountsStay) {
    auto& rules = have_.tables[0].chains[0].rules;
    for (nft::Rule& rule : rules)
        if (nft::Counters* counters = nft::counters(rule))
            counters->packets = 9;
    const auto counts = link_counts(have_, links_, policy_);
    ASSERT_EQ(counts.size(), 1u);
    EXPECT_TRUE(counts[0].installed);
    EXPECT_EQ(counts[0].packets, 27u) << "three ports";
    EXPECT_NE(nft::to_text(diff(have_, compile(links_, policy_))).find("counter packets 9"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(All, Restored,
                         testing::Combine(testing::Values("1.8.9", "1.8.11"), testing::Values(Family::ip, Family::ip6)),
                         [](const auto& test) {
                             std::string name =
                                 std::get<0>(test.param) + "_" + std::string(nft::to_string(std::get<1>(test.param)));
                             std::ranges::replace(name, '.', '_');
                             return name;
                         });

}  // namespace
}  // namespace nftlink::firewall
