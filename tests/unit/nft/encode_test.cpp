#include "nftlink/nft/encode.hpp"

#include <gtest/gtest.h>

#include "messages.hpp"
#include "nft/nfnetlink.hpp"
#include "samples.hpp"

namespace nftlink::nft {
namespace {

Operation inet(Action action) {
    return {Family::inet, "nftlink", std::move(action)};
}

TEST(Encode, WrapsABatchAndAsksForTwoAcks) {
    const Datagram datagram = encode({inet(AddTable{"c"}), inet(DeleteTable{})}, 100, {});
    const auto found = messages(datagram.bytes);
    ASSERT_EQ(found.size(), 4u);
    EXPECT_EQ(found[0].header.nlmsg_type, NFNL_MSG_BATCH_BEGIN);
    EXPECT_EQ(found[3].header.nlmsg_type, NFNL_MSG_BATCH_END);
    for (std::uint32_t index = 0; index < 4; ++index) {
        EXPECT_EQ(found[index].header.nlmsg_seq, 100 + index);
        EXPECT_EQ((found[index].header.nlmsg_flags & NLM_F_ACK) != 0, index >= 2) << index;
    }
    EXPECT_EQ(datagram.operation_of_message,
              (std::vector<std::uint32_t>{Datagram::no_operation, 0, 1, Datagram::no_operation}));
}

TEST(Encode, GuardsWithTheGenerationInNetworkOrder) {
    const Datagram datagram = encode({}, 1, 0x01020304);
    const Payload begin = messages(datagram.bytes).at(0).payload;
    EXPECT_EQ(Bytes(begin.begin() + sizeof(nfgenmsg), begin.end()), (Bytes{8, 0, NFNL_BATCH_GENID, 0, 1, 2, 3, 4}));
}

TEST(Encode, TableComesBackAsItWas) {
    const auto table = decode_table(encoded(encode({inet(AddTable{"nftlink: mine"})}, 1, {})));
    ASSERT_TRUE(table);
    EXPECT_EQ(table->object.name, "nftlink");
    EXPECT_EQ(table->object.family, Family::inet);
    EXPECT_EQ(table->object.comment, "nftlink: mine");
    EXPECT_TRUE(table->object.unknown.empty());
}

TEST(Encode, BaseChainComesBackAsItWas) {
    Chain chain = base_chain();
    chain.hook->priority = -5;
    const auto decoded = decode_chain(encoded(encode({inet(AddChain{chain})}, 1, {})));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->place.table, "nftlink");
    EXPECT_EQ(decoded->object.name, "forward");
    EXPECT_EQ(decoded->object.hook, chain.hook);
    EXPECT_EQ(decoded->object.comment, chain.comment);
    EXPECT_TRUE(decoded->object.unknown.empty());
}

TEST(Encode, SetComesBackAsItWas) {
    const auto decoded = decode_set(encoded(encode({inet(AddSet{links_set()})}, 1, {})));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->object.key, link_key(Family::ip));
    EXPECT_EQ(decoded->object.size, 192u);
    EXPECT_EQ(decoded->object.comment, "nftlink: links");
}

TEST(Encode, ElementsComeBackAsTheyWere) {
    const std::vector<Element> elements{element(1, "/web/db"), element(2, "", Counters{7, 420}), element(3)};
    const auto decoded =
        decode_elements(encoded(encode({inet(AddElements{"links4-b", link_key(Family::ip), elements})}, 1, {})));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->place.container, "links4-b");
    ASSERT_EQ(decoded->object.size(), 3u);
    for (std::size_t index = 0; index < elements.size(); ++index) {
        EXPECT_EQ(decoded->object[index].key, elements[index].key);
        EXPECT_EQ(decoded->object[index].comment, elements[index].comment);
        EXPECT_EQ(decoded->object[index].counters, elements[index].counters);
        EXPECT_TRUE(decoded->object[index].unknown.empty());
    }
}

TEST(Encode, ManyElementsTakeSeveralMessagesOfOneOperation) {
    std::vector<Element> elements;
    for (std::uint16_t port = 1; port <= 5000; ++port)
        elements.push_back(element(port, std::string(max_comment_length, 'x')));
    const Datagram datagram = encode({inet(AddElements{"s", link_key(Family::ip), elements})}, 1, {});
    std::size_t count = 0;
    const auto found = messages(datagram.bytes);
    EXPECT_GT(found.size(), 3u);
    for (std::size_t index = 1; index + 1 < found.size(); ++index) {
        EXPECT_EQ(datagram.operation_of_message[index], 0u);
        const auto decoded = decode_elements(found[index].payload);
        ASSERT_TRUE(decoded) << decoded.error();
        count += decoded->object.size();
    }
    EXPECT_EQ(count, elements.size());
}

TEST(Encode, SizeIsAnUpperLimit) {
    std::vector<Element> elements;
    for (std::uint16_t port = 1; port <= 3000; ++port)
        elements.push_back(element(port, std::string(port % 129, 'x'), Counters{1, 2}));
    const std::vector<Operation> operations{inet(AddTable{std::string(128, 'x')}),
                                            inet(AddChain{base_chain()}),
                                            inet(AddSet{links_set()}),
                                            inet(AddElements{"s", link_key(Family::ip), elements}),
                                            inet(DeleteElements{"s", link_key(Family::ip), elements}),
                                            inet(AddRule{"c",
                                                         rule()
                                                             .iifname("docker0")
                                                             .source(parent6)
                                                             .destination(child6)
                                                             .destination_port(6, 1)
                                                             .counter()
                                                             .accept()
                                                             .comment(std::string(128, 'x'))
                                                             .build(),
                                                         0})};
    for (const Operation& operation : operations) {
        const std::size_t frame = encode({}, 1, 1).bytes.size();
        const std::size_t real = encode({operation}, 1, 1).bytes.size() - frame;
        EXPECT_GE(encoded_size(operation), real);
        EXPECT_LE(encoded_size(operation), 2 * real + 2048);
    }
}

struct RuleCase {
    const char* name;
    Rule rule;
};

class EncodeRule : public testing::TestWithParam<RuleCase> {};

TEST_P(EncodeRule, ComesBackAsItWas) {
    const Rule& rule = GetParam().rule;
    const auto decoded = decode_rule(encoded(encode({inet(AddRule{"chain", rule, 0})}, 1, {})));
    ASSERT_TRUE(decoded) << decoded.error();
    EXPECT_EQ(decoded->place.container, "chain");
    EXPECT_TRUE(same_rule(decoded->object, rule));
    EXPECT_EQ(decoded->object.expressions, rule.expressions);
    EXPECT_EQ(decoded->object.comment, rule.comment);
}

INSTANTIATE_TEST_SUITE_P(
    Words, EncodeRule,
    testing::Values(RuleCase{"Interfaces", rule().iifname("docker0").oifname_not("docker0").accept().build()},
                    RuleCase{"Jump", rule().iifname("docker0").jump("errors").build()},
                    RuleCase{"Ports", rule().source(parent).destination(child).source_port(17, 53).drop().build()},
                    RuleCase{"Links4", rule().in_set(link_fields, "links4").accept().build()},
                    RuleCase{"Links6", rule().in_set(link_fields, "links6", Family::ip6).accept().build()},
                    RuleCase{"Replies6", rule().in_set(reply_fields, "replies6", Family::ip6).accept().build()},
                    RuleCase{"Errors", rule().protocol(1).in_set(error_fields, "replies4").accept().build()},
                    RuleCase{"Elsewhere", rule().not_in_set({Field::iifname}, "bridges").accept().build()},
                    RuleCase{"Answers", rule().established().reply_direction().accept().build()},
                    RuleCase{"Published", rule().dnat().in_set({Field::iifname, Field::oifname}, "p").accept().build()},
                    RuleCase{"Frames", rule(Family::bridge).ether_type(0x800).jump("untagged").build()},
                    RuleCase{"State", rule().established_or_related().accept().comment("/web/db").build()},
                    RuleCase{"Neighbours", rule().icmpv6_type(135).hop_limit(255).accept().build()},
                    RuleCase{"Mark", rule().counter().set_mark(0x1234).accept().build()},
                    RuleCase{"Log", rule().limit_per_second(10).log("nftlink drop: ").build()}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Encode, RefusesAnExpressionItOnlyRead) {
    Rule rule;
    rule.expressions.push_back(Unknown{"quota", {}});
    EXPECT_THROW(encode({inet(AddRule{"c", rule, 0})}, 1, {}), std::logic_error);
}

}  // namespace
}  // namespace nftlink::nft
