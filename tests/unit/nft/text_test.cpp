#include "nftlink/nft/text.hpp"

#include <gtest/gtest.h>

#include "samples.hpp"

namespace nftlink::nft {
namespace {

std::string text(Action action) {
    return to_text(Operation{Family::inet, "nftlink", std::move(action)});
}

TEST(Text, OperationsAreNftCommands) {
    EXPECT_EQ(text(AddTable{"c"}), "add table inet nftlink { comment \"c\"; }");
    EXPECT_EQ(text(AddTable{}), "add table inet nftlink");
    EXPECT_EQ(text(DeleteTable{}), "delete table inet nftlink");
    EXPECT_EQ(text(AddChain{base_chain()}),
              "add chain inet nftlink forward { comment \"nftlink: base\"; type filter hook forward priority filter; "
              "policy accept; }");
    EXPECT_EQ(text(AddSet{links_set()}),
              "add set inet nftlink links4 { type ipv4_addr . ipv4_addr . inet_proto . inet_service; size 192; "
              "counter; comment \"nftlink: links\"; }");
    EXPECT_EQ(
        text(AddElements{"s", link_key(Family::ip), {element(6379, "/web/db"), element(80, "", Counters{1, 60})}}),
        "add element inet nftlink s { 172.17.0.3 . 172.17.0.2 . tcp . 6379 comment \"/web/db\", "
        "172.17.0.3 . 172.17.0.2 . tcp . 80 counter packets 1 bytes 60 }");
    EXPECT_EQ(text(DeleteElements{"s", link_key(Family::ip), {element(6379, "/web/db")}}),
              "delete element inet nftlink s { 172.17.0.3 . 172.17.0.2 . tcp . 6379 }");
    EXPECT_EQ(text(AddRule{"c", rule().accept().build(), 0}), "add rule inet nftlink c accept");
    EXPECT_EQ(text(AddRule{"c", rule().accept().build(), 7}), "insert rule inet nftlink c handle 7 accept");
    EXPECT_EQ(text(ReplaceRule{"c", 7, rule().drop().build()}), "replace rule inet nftlink c handle 7 drop");
    EXPECT_EQ(text(DeleteRule{"c", 7}), "delete rule inet nftlink c handle 7");
    EXPECT_EQ(text(FlushChain{"c"}), "flush chain inet nftlink c");
    EXPECT_EQ(text(DeleteChain{"c"}), "delete chain inet nftlink c");
    EXPECT_EQ(text(DeleteSet{"s"}), "delete set inet nftlink s");
}

TEST(Text, RulesReadAsNftListsThem) {
    EXPECT_EQ(to_text(rule().iifname("docker0").oifname_not("docker0").jump("errors").build()),
              "iifname \"docker0\" oifname != \"docker0\" jump errors");
    EXPECT_EQ(to_text(rule()
                          .source(parent)
                          .destination(child)
                          .destination_port(6, 6379)
                          .counter()
                          .accept()
                          .comment("/web/db")
                          .build()),
              "ip saddr 172.17.0.3 ip daddr 172.17.0.2 tcp dport 6379 counter packets 0 bytes 0 accept comment "
              "\"/web/db\"");
    EXPECT_EQ(to_text(rule(Family::ip).source(child).source_port(17, 53).drop().build()),
              "ip saddr 172.17.0.2 udp sport 53 drop");
    EXPECT_EQ(to_text(rule().in_set(link_fields, "links4").accept().build()),
              "iifname . ip saddr . ip daddr . meta l4proto . th dport @links4 accept");
    EXPECT_EQ(
        to_text(rule().established().reply_direction().in_set(reply_fields, "replies6", Family::ip6).accept().build()),
        "ct state established ct direction reply iifname . ip6 saddr . ip6 daddr . meta l4proto . th sport "
        "@replies6 accept");
    EXPECT_EQ(to_text(rule().established_or_related().accept().build()), "ct state established,related accept");
    EXPECT_EQ(to_text(rule().icmpv6_type(136).hop_limit(255).accept().build()),
              "icmpv6 type nd-neighbor-advert ip6 hoplimit 255 accept");
    EXPECT_EQ(to_text(rule().set_mark(1).accept().build()), "meta mark set 0x00000001 accept");
    EXPECT_EQ(to_text(rule().limit_per_second(10).log("p: ").build()),
              "limit rate 10/second burst 5 packets log prefix \"p: \"");
}

TEST(Text, TheFramesRulesReadAsNftListsThem) {
    const auto bridge = [] { return rule(Family::bridge); };
    EXPECT_EQ(to_text(rule().not_in_set({Field::iifname}, "bridges").accept().build()), "iifname != @bridges accept");
    EXPECT_EQ(to_text(rule().dnat().in_set({Field::iifname, Field::oifname}, "published").accept().build()),
              "ct status dnat iifname . oifname @published accept");
    EXPECT_EQ(to_text(rule().related().protocol(1).jump("errors").build()),
              "ct state related meta l4proto icmp jump errors");
    EXPECT_EQ(to_text(rule().protocol(58).in_set(error_fields, "replies6", Family::ip6).accept().build()),
              "meta l4proto ipv6-icmp iifname . ip6 saddr . ip6 daddr . ct protocol . ct reply proto-src @replies6 "
              "accept");
    EXPECT_EQ(to_text(bridge().not_in_set({Field::ibrname}, "bridges").accept().build()),
              "meta ibrname != @bridges accept");
    EXPECT_EQ(to_text(bridge().in_set({Field::ibrname, Field::obrname}, "open").accept().build()),
              "meta ibrname . meta obrname @open accept");
    EXPECT_EQ(to_text(bridge().ether_type(0x800).jump("untagged").build()), "ether type ip jump untagged");
    EXPECT_EQ(to_text(bridge().ether_type(0x86dd).jump("untagged").build()), "ether type ip6 jump untagged");
    EXPECT_EQ(to_text(bridge().ether_type(0x806).accept().build()), "ether type arp accept");
}

TEST(Text, ProtocolCheckWithoutAFieldIsSaid) {
    Rule only_check;
    only_check.expressions = {MetaLoad{15, 1}, Compare{1, 0, {10}}, Verdict{1, {}}};
    EXPECT_EQ(to_text(only_check), "meta nfproto ipv6 accept");
}

TEST(Text, WhatHasNoWordsIsNamed) {
    Rule strange;
    strange.expressions = {Unknown{"quota", {}}, Verdict{0, {}}};
    EXPECT_EQ(to_text(strange), "<quota> drop");
}

TEST(Text, RenderLoadsOverItself) {
    EXPECT_EQ(render(small_ruleset()),
              "add table inet nftlink\n"
              "delete table inet nftlink\n"
              "table inet nftlink {\n"
              "\tcomment \"nftlink: mine\"\n"
              "\n"
              "\tset links4 {\n"
              "\t\ttype ipv4_addr . ipv4_addr . inet_proto . inet_service\n"
              "\t\tsize 192\n"
              "\t\tcounter\n"
              "\t\tcomment \"nftlink: links\"\n"
              "\t\telements = { 172.17.0.3 . 172.17.0.2 . tcp . 6379 comment \"/web/db\",\n"
              "\t\t\t     172.17.0.3 . 172.17.0.2 . tcp . 6380 }\n"
              "\t}\n"
              "\n"
              "\tchain forward {\n"
              "\t\tcomment \"nftlink: base\"\n"
              "\t\ttype filter hook forward priority filter; policy accept;\n"
              "\t\tip saddr . ip daddr . meta l4proto . th dport @links4 accept\n"
              "\t}\n"
              "}\n");
}

}  // namespace
}  // namespace nftlink::nft
