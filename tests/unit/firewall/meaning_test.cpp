// Rules in other orders and forms: what iptables of several versions and nft make of ours is still ours.
#include "firewall/meaning.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// clang-format off
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
// clang-format on

#include <algorithm>
#include <cstring>
#include <fstream>

#include "nftlink/firewall/compile.hpp"
#include "nftlink/firewall/diff.hpp"
#include "nftlink/firewall/link_counts.hpp"
#include "nftlink/nft/build.hpp"
#include "nftlink/nft/decode.hpp"
#include "nftlink/nft/text.hpp"
#include "nftlink/nft/xt.hpp"
#include "topologies.hpp"

namespace nftlink::firewall {
namespace {

using nft::Family;

nft::Rule rule(std::vector<nft::Expression> expressions) {
    nft::Rule made;
    made.expressions = std::move(expressions);
    return made;
}

Meaning ip(std::vector<nft::Expression> expressions) {
    return meaning_of(rule(std::move(expressions)), Family::ip);
}

const std::vector<std::uint8_t> client{172, 17, 0, 3}, redis{172, 17, 0, 2};
const nft::Verdict accept{NF_ACCEPT, {}};

nft::PayloadLoad network(std::uint32_t offset, std::uint32_t length, std::uint32_t destination = 1) {
    return {NFT_PAYLOAD_NETWORK_HEADER, offset, length, destination};
}

TEST(Meaning, IsTheSameInEveryOrderAndForm) {
    const auto ours = meaning_of(
        nft::RuleBuilder(Family::ip).protocol(6).source(client).destination(redis).counter().accept().build(),
        Family::ip);
    EXPECT_EQ(ours, ip({nft::Counter{{7, 700}}, network(16, 4), nft::Compare{1, NFT_CMP_EQ, {172, 17, 0, 2}},
                        network(9, 1), nft::Compare{1, NFT_CMP_EQ, {6}}, network(12, 4),
                        nft::Compare{1, NFT_CMP_EQ, {172, 17, 0, 3}}, accept}))
        << "another order, the protocol as a byte of the header";
    EXPECT_EQ(ours, ip({network(12, 8), nft::Compare{1, NFT_CMP_EQ, {172, 17, 0, 3, 172, 17, 0, 2}},
                        nft::MetaLoad{NFT_META_L4PROTO, 1}, nft::Compare{1, NFT_CMP_EQ, {6}}, accept}))
        << "two fields in one load";
    EXPECT_EQ(ours, ip({nft::MetaLoad{NFT_META_NFPROTO, NFT_REG32_05},
                        nft::Compare{NFT_REG32_05, NFT_CMP_EQ, {NFPROTO_IPV4}}, network(12, 4, NFT_REG32_00),
                        network(16, 4, NFT_REG32_01), nft::Compare{1, NFT_CMP_EQ, {172, 17, 0, 3, 172, 17, 0, 2}},
                        network(9, 1), nft::Compare{1, NFT_CMP_EQ, {6}}, accept}))
        << "registers by their other names, and what every packet of the table is";
    EXPECT_EQ(ours, ip({network(12, 4), nft::Bitwise{1, 1, {255, 255, 255, 255}, {0, 0, 0, 0}},
                        nft::Compare{1, NFT_CMP_EQ, {172, 17, 0, 3}}, network(16, 2),
                        nft::Compare{1, NFT_CMP_EQ, {172, 17}}, network(18, 2), nft::Compare{1, NFT_CMP_EQ, {0, 2}},
                        network(9, 1), nft::Compare{1, NFT_CMP_EQ, {6}}, accept}))
        << "masks that hide nothing, parts of a field";
}

TEST(Meaning, OfInterfacesEndsWithTheirName) {
    const auto compare = [](std::string bytes) {
        return ip(
            {nft::MetaLoad{NFT_META_IIFNAME, 1}, nft::Compare{1, NFT_CMP_EQ, {bytes.begin(), bytes.end()}}, accept});
    };
    const std::string padded("docker0\0\0\0\0\0\0\0\0\0", 16);
    EXPECT_EQ(compare(padded), compare(padded.substr(0, 8)));
    EXPECT_NE(compare(padded), compare(padded.substr(0, 7))) << "docker0+";
    EXPECT_TRUE(within(compare(padded), compare("dock")));
    EXPECT_FALSE(within(compare("dock"), compare(padded)));
    EXPECT_TRUE(disjoint(compare(padded), compare(std::string("br0\0", 4))));
}

TEST(Meaning, OfPortsIsThatOfTheirExtension) {
    const auto port = [](std::uint8_t protocol, bool is_source, nft::Dialect dialect) {
        nft::RuleBuilder builder(Family::ip, dialect);
        return meaning_of(
            (is_source ? builder.source_port(protocol, 132) : builder.destination_port(protocol, 132)).build(),
            Family::ip);
    };
    for (const bool is_source : {true, false})
        EXPECT_EQ(port(132, is_source, nft::Dialect::nft), port(132, is_source, nft::Dialect::iptables));
    // struct xt_tcp: ports in the host's order, from and to, then options and flags
    nft::XtMatch tcp{"tcp", 0, {0, 0, 0xff, 0xff, 0xeb, 0x18, 0xeb, 0x18, 0, 0, 0, 0}};
    const auto by_extension = [&] {
        return ip({nft::MetaLoad{NFT_META_L4PROTO, 1}, nft::Compare{1, NFT_CMP_EQ, {6}}, tcp, accept});
    };
    EXPECT_EQ(by_extension(),
              meaning_of(nft::RuleBuilder(Family::ip).destination_port(6, 6379).accept().build(), Family::ip));
    tcp.info[6] = 0xec;  // 6379-6380
    EXPECT_FALSE(by_extension().unread.empty());
    tcp.info[9] = 2;  // --syn
    EXPECT_FALSE(by_extension().unread.empty());
}

TEST(Meaning, OfStatesIsThatOfTheirExtensionAndWordsOfTheStatusAreNone) {
    const auto native = meaning_of(nft::RuleBuilder(Family::ip).established_or_related().accept().build(), Family::ip);
    EXPECT_EQ(native, ip({nft::xt_conntrack_state(2 | 4), accept}));
    EXPECT_EQ(native, ip({nft::XtMatch{"state", 0, {6, 0, 0, 0, 0, 0, 0, 0}}, accept}));
    constexpr std::uint32_t snat = 1 << 6, dnat = 1 << 7;
    for (const std::uint32_t words : {snat, dnat, dnat | 2}) {
        const auto status = ip({nft::xt_conntrack_state(words), accept});
        EXPECT_FALSE(status.unread.empty());
        EXPECT_FALSE(disjoint(status, native)) << "an established connection may have been translated";
        EXPECT_FALSE(within(native, status));
    }
    const auto status = ip({nft::ConntrackLoad{NFT_CT_STATUS, 1}, nft::Bitwise{1, 1, {0x20, 0, 0, 0}, {0, 0, 0, 0}},
                            nft::Compare{1, NFT_CMP_NEQ, {0, 0, 0, 0}}, accept});
    EXPECT_EQ(status.states, Meaning::any_state);
    EXPECT_FALSE(disjoint(status, native));
}

TEST(Meaning, OfOtherRulesDiffers) {
    const auto of = [](nft::RuleBuilder builder) { return meaning_of(builder.build(), Family::ip); };
    const auto start = [] { return nft::RuleBuilder(Family::ip).source(client); };
    const std::vector<Meaning> all{
        of(start().accept()),
        of(start().drop()),
        of(start()),
        of(start().destination(redis).accept()),
        of(nft::RuleBuilder(Family::ip).destination(client).accept()),
        of(start().set_mark(1).accept()),
        of(start().set_mark(2).accept()),
        of(start().log("x").accept()),
        of(start().limit_per_second(1).accept()),
        of(start().jump("x")),
        of(start().iifname("a").accept()),
        of(start().oifname_not("a").accept()),
        of(start().in_set({nft::Field::iifname}, "a").accept()),
        ip({nft::XtTarget{"REJECT", 0, {0}}}),
        ip({nft::XtTarget{"REJECT", 0, {1}}}),
        ip({nft::Unknown{"reject", {1}}}),
        ip({nft::Unknown{"fib", {1}}}),
    };
    for (std::size_t one = 0; one < all.size(); ++one)
        for (std::size_t other = 0; other < one; ++other)
            EXPECT_NE(all[one], all[other]) << one << " and " << other;
}

TEST(Meaning, OfNegationsAndContradictions) {
    const auto of = [](nft::RuleBuilder builder) { return meaning_of(builder.accept().build(), Family::ip); };
    const auto out = of(nft::RuleBuilder(Family::ip).oifname("docker0"));
    const auto not_out = of(nft::RuleBuilder(Family::ip).oifname_not("docker0"));
    const auto elsewhere = of(nft::RuleBuilder(Family::ip).oifname("eth0"));
    EXPECT_TRUE(disjoint(out, not_out));
    EXPECT_TRUE(within(elsewhere, not_out));
    EXPECT_TRUE(within(not_out, not_out));
    EXPECT_FALSE(within(not_out, elsewhere));
    EXPECT_FALSE(disjoint(not_out, elsewhere));
    EXPECT_TRUE(both(out, elsewhere).never);
    EXPECT_TRUE(disjoint(both(out, elsewhere), of(nft::RuleBuilder(Family::ip))));
}

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
        EXPECT_EQ(meaning_of(rules[index], family()), meaning_of(want.attached[0].rules[index], family()))
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
