// A rule's meaning does not depend on the order and form of its instructions.
#include "nftlink/nft/meaning.hpp"

#include <gtest/gtest.h>

// clang-format off
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
// clang-format on

#include <algorithm>
#include <cstring>

#include "nftlink/nft/build.hpp"
#include "nftlink/nft/xt.hpp"

namespace nftlink::nft {
namespace {

Rule rule(std::vector<Expression> expressions) {
    Rule made;
    made.expressions = std::move(expressions);
    return made;
}

Meaning ip(std::vector<Expression> expressions) {
    return meaning_of(rule(std::move(expressions)), Family::ip);
}

const std::vector<std::uint8_t> client{172, 17, 0, 3}, redis{172, 17, 0, 2};
const Verdict accept{NF_ACCEPT, {}};

PayloadLoad network(std::uint32_t offset, std::uint32_t length, std::uint32_t destination = 1) {
    return {NFT_PAYLOAD_NETWORK_HEADER, offset, length, destination};
}

TEST(Meaning, IsTheSameInEveryOrderAndForm) {
    const auto ours = meaning_of(
        RuleBuilder(Family::ip).protocol(6).source(client).destination(redis).counter().accept().build(), Family::ip);
    EXPECT_EQ(ours, ip({Counter{{7, 700}}, network(16, 4), Compare{1, NFT_CMP_EQ, {172, 17, 0, 2}}, network(9, 1),
                        Compare{1, NFT_CMP_EQ, {6}}, network(12, 4), Compare{1, NFT_CMP_EQ, {172, 17, 0, 3}}, accept}))
        << "another order, the protocol as a byte of the header";
    EXPECT_EQ(ours, ip({network(12, 8), Compare{1, NFT_CMP_EQ, {172, 17, 0, 3, 172, 17, 0, 2}},
                        MetaLoad{NFT_META_L4PROTO, 1}, Compare{1, NFT_CMP_EQ, {6}}, accept}))
        << "two fields in one load";
    EXPECT_EQ(ours, ip({MetaLoad{NFT_META_NFPROTO, NFT_REG32_05}, Compare{NFT_REG32_05, NFT_CMP_EQ, {NFPROTO_IPV4}},
                        network(12, 4, NFT_REG32_00), network(16, 4, NFT_REG32_01),
                        Compare{1, NFT_CMP_EQ, {172, 17, 0, 3, 172, 17, 0, 2}}, network(9, 1),
                        Compare{1, NFT_CMP_EQ, {6}}, accept}))
        << "registers by their other names, and what every packet of the table is";
    EXPECT_EQ(ours,
              ip({network(12, 4), Bitwise{1, 1, {255, 255, 255, 255}, {0, 0, 0, 0}},
                  Compare{1, NFT_CMP_EQ, {172, 17, 0, 3}}, network(16, 2), Compare{1, NFT_CMP_EQ, {172, 17}},
                  network(18, 2), Compare{1, NFT_CMP_EQ, {0, 2}}, network(9, 1), Compare{1, NFT_CMP_EQ, {6}}, accept}))
        << "masks that hide nothing, parts of a field";
}

TEST(Meaning, OfInterfacesEndsWithTheirName) {
    const auto compare = [](std::string bytes) {
        return ip({MetaLoad{NFT_META_IIFNAME, 1}, Compare{1, NFT_CMP_EQ, {bytes.begin(), bytes.end()}}, accept});
    };
    const std::string padded("docker0\0\0\0\0\0\0\0\0\0", 16);
    EXPECT_EQ(compare(padded), compare(padded.substr(0, 8)));
    EXPECT_NE(compare(padded), compare(padded.substr(0, 7))) << "docker0+";
    EXPECT_TRUE(within(compare(padded), compare("dock")));
    EXPECT_FALSE(within(compare("dock"), compare(padded)));
    EXPECT_TRUE(disjoint(compare(padded), compare(std::string("br0\0", 4))));
}

TEST(Meaning, OfPortsIsThatOfTheirExtension) {
    const auto port = [](std::uint8_t protocol, bool is_source, Dialect dialect) {
        RuleBuilder builder(Family::ip, dialect);
        return meaning_of(
            (is_source ? builder.source_port(protocol, 132) : builder.destination_port(protocol, 132)).build(),
            Family::ip);
    };
    for (const bool is_source : {true, false})
        EXPECT_EQ(port(132, is_source, Dialect::nft), port(132, is_source, Dialect::iptables));
    // struct xt_tcp: ports in the host's order, from and to, then options and flags
    XtMatch tcp{"tcp", 0, {0, 0, 0xff, 0xff, 0xeb, 0x18, 0xeb, 0x18, 0, 0, 0, 0}};
    const auto by_extension = [&] {
        return ip({MetaLoad{NFT_META_L4PROTO, 1}, Compare{1, NFT_CMP_EQ, {6}}, tcp, accept});
    };
    EXPECT_EQ(by_extension(),
              meaning_of(RuleBuilder(Family::ip).destination_port(6, 6379).accept().build(), Family::ip));
    tcp.info[6] = 0xec;  // 6379-6380
    EXPECT_FALSE(by_extension().unread.empty());
    tcp.info[9] = 2;  // --syn
    EXPECT_FALSE(by_extension().unread.empty());
}

TEST(Meaning, OfStatesIsThatOfTheirExtensionAndWordsOfTheStatusAreNone) {
    const auto native = meaning_of(RuleBuilder(Family::ip).established_or_related().accept().build(), Family::ip);
    EXPECT_EQ(native, ip({xt_conntrack_state(2 | 4), accept}));
    EXPECT_EQ(native, ip({XtMatch{"state", 0, {6, 0, 0, 0, 0, 0, 0, 0}}, accept}));
    constexpr std::uint32_t snat = 1 << 6, dnat = 1 << 7;
    for (const std::uint32_t words : {snat, dnat, dnat | 2}) {
        const auto status = ip({xt_conntrack_state(words), accept});
        EXPECT_FALSE(status.unread.empty());
        EXPECT_FALSE(disjoint(status, native)) << "an established connection may have been translated";
        EXPECT_FALSE(within(native, status));
    }
    const auto status = ip({ConntrackLoad{NFT_CT_STATUS, 1}, Bitwise{1, 1, {0x20, 0, 0, 0}, {0, 0, 0, 0}},
                            Compare{1, NFT_CMP_NEQ, {0, 0, 0, 0}}, accept});
    EXPECT_EQ(status.states, Meaning::any_state);
    EXPECT_FALSE(disjoint(status, native));
}

TEST(Meaning, OfOtherRulesDiffers) {
    const auto of = [](RuleBuilder builder) { return meaning_of(builder.build(), Family::ip); };
    const auto start = [] { return RuleBuilder(Family::ip).source(client); };
    const std::vector<Meaning> all{
        of(start().accept()),
        of(start().drop()),
        of(start()),
        of(start().destination(redis).accept()),
        of(RuleBuilder(Family::ip).destination(client).accept()),
        of(start().set_mark(1).accept()),
        of(start().set_mark(2).accept()),
        of(start().log("x").accept()),
        of(start().limit_per_second(1).accept()),
        of(start().jump("x")),
        of(start().iifname("a").accept()),
        of(start().oifname_not("a").accept()),
        of(start().in_set({Field::iifname}, "a").accept()),
        ip({XtTarget{"REJECT", 0, {0}}}),
        ip({XtTarget{"REJECT", 0, {1}}}),
        ip({Unknown{"reject", {1}}}),
        ip({Unknown{"fib", {1}}}),
    };
    for (std::size_t one = 0; one < all.size(); ++one)
        for (std::size_t other = 0; other < one; ++other)
            EXPECT_NE(all[one], all[other]) << one << " and " << other;
}

TEST(Meaning, OfNegationsAndContradictions) {
    const auto of = [](RuleBuilder builder) { return meaning_of(builder.accept().build(), Family::ip); };
    const auto out = of(RuleBuilder(Family::ip).oifname("docker0"));
    const auto not_out = of(RuleBuilder(Family::ip).oifname_not("docker0"));
    const auto elsewhere = of(RuleBuilder(Family::ip).oifname("eth0"));
    EXPECT_TRUE(disjoint(out, not_out));
    EXPECT_TRUE(within(elsewhere, not_out));
    EXPECT_TRUE(within(not_out, not_out));
    EXPECT_FALSE(within(not_out, elsewhere));
    EXPECT_FALSE(disjoint(not_out, elsewhere));
    EXPECT_TRUE(both(out, elsewhere).never);
    EXPECT_TRUE(disjoint(both(out, elsewhere), of(RuleBuilder(Family::ip))));
}

}  // namespace
}  // namespace nftlink::nft
