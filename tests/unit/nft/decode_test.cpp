#include "nftlink/nft/decode.hpp"

#include <gtest/gtest.h>

#include "messages.hpp"
#include "nft/nfnetlink.hpp"
#include "nftlink/netlink/message.hpp"
#include "samples.hpp"

namespace nftlink::nft {
namespace {

using netlink::MessageWriter;

// A message's payload as a kernel would send it.
class Made {
public:
    Made() : writer(bytes_) { start_ = writer.begin(0, 0, 0, static_cast<std::uint8_t>(Family::inet), 0); }
    Payload payload() const { return Payload(bytes_).subspan(start_ + sizeof(nlmsghdr)); }

private:
    Bytes bytes_;
    std::size_t start_ = 0;

public:
    MessageWriter writer;
};

void put_expression(MessageWriter& writer, std::string_view name, std::initializer_list<std::pair<int, int>> data) {
    const std::size_t item = writer.begin_nest(NFTA_LIST_ELEM);
    writer.put(NFTA_EXPR_NAME, name);
    const std::size_t nest = writer.begin_nest(NFTA_EXPR_DATA);
    for (const auto& [type, value] : data)
        writer.put_u32(static_cast<std::uint16_t>(type), static_cast<std::uint32_t>(value));
    writer.end_nest(nest);
    writer.end_nest(item);
}

Rule rule_with(std::string_view name, std::initializer_list<std::pair<int, int>> data) {
    Made made;
    const std::size_t list = made.writer.begin_nest(NFTA_RULE_EXPRESSIONS);
    put_expression(made.writer, name, data);
    made.writer.end_nest(list);
    return decode_rule(made.payload()).value().object;
}

TEST(Decode, UnknownExpressionIsKeptAndCompared) {
    const Rule a = rule_with("quota", {{1, 5}}), b = rule_with("quota", {{1, 6}});
    ASSERT_EQ(a.expressions.size(), 1u);
    EXPECT_EQ(std::get<Unknown>(a.expressions[0]).name, "quota");
    EXPECT_TRUE(same_rule(a, rule_with("quota", {{1, 5}})));
    EXPECT_FALSE(same_rule(a, b));
}

TEST(Decode, KnownExpressionWithAnUnknownAttributeIsUnknown) {
    constexpr int future_attribute = 20;
    EXPECT_TRUE(
        std::holds_alternative<MetaLoad>(rule_with("meta", {{NFTA_META_KEY, 6}, {NFTA_META_DREG, 1}}).expressions[0]));
    const Rule later = rule_with("meta", {{NFTA_META_KEY, 6}, {NFTA_META_DREG, 1}, {future_attribute, 1}});
    EXPECT_TRUE(std::holds_alternative<Unknown>(later.expressions[0]));
}

TEST(Decode, AttributeOverTheTableOfTypesIsUnknownToo) {
    EXPECT_TRUE(std::holds_alternative<Unknown>(
        rule_with("meta", {{NFTA_META_KEY, 6}, {NFTA_META_DREG, 1}, {1000, 1}}).expressions[0]));
}

TEST(Decode, UnknownAttributesOfObjectsAreKept) {
    Made made;
    made.writer.put(NFTA_TABLE_NAME, "t");
    made.writer.put_u32(60, 7);
    const auto table = decode_table(made.payload());
    ASSERT_TRUE(table);
    EXPECT_FALSE(table->object.unknown.empty());
}

TEST(Decode, TableFlagsAreNoDetail) {
    for (const std::uint32_t flags : {0u, 1u}) {
        Made made;
        made.writer.put(NFTA_TABLE_NAME, "t");
        made.writer.put_u32(NFTA_TABLE_FLAGS, flags);
        EXPECT_EQ(decode_table(made.payload()).value().object.unknown.empty(), flags == 0);
    }
}

TEST(Decode, SetOfAnotherKindHasNoKeyAndKeepsItsType) {
    Made made;
    made.writer.put(NFTA_SET_NAME, "s");
    made.writer.put_u32(NFTA_SET_KEY_TYPE, 42);  // nft's igmp_type
    made.writer.put_u32(NFTA_SET_KEY_LEN, 16);
    const auto set = decode_set(made.payload());
    ASSERT_TRUE(set);
    EXPECT_TRUE(set->object.key.empty());
    EXPECT_FALSE(set->object.unknown.empty());
}

TEST(Decode, CountsAreNoPartOfARule) {
    const Rule a = rule().counter().accept().build();
    Rule b = a;
    counters(b)->packets = 9;
    EXPECT_TRUE(same_rule(a, b));
}

TEST(Decode, EveryPrefixOfAMessageIsAnErrorOrAValue) {
    const Operation operation{
        Family::inet, "nftlink",
        AddRule{"c", rule().in_set(link_fields, "links4").counter().accept().comment("/a/b").build(), 0}};
    const Datagram datagram = encode({operation}, 1, {});
    const Payload whole = encoded(datagram);
    std::size_t errors = 0;
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const Bytes copy(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        errors += decode_rule(copy) ? 0 : 1;
    }
    EXPECT_GT(errors, whole.size() / 2);
}

TEST(Decode, WrongSizedNumberIsAnError) {
    Made made;
    made.writer.put_u32(NFTA_RULE_HANDLE, 1);
    EXPECT_FALSE(decode_rule(made.payload()));
}

TEST(Decode, GenerationNamesWhoCommitted) {
    Made made;
    made.writer.put_u32(NFTA_GEN_ID, 41);
    made.writer.put_u32(NFTA_GEN_PROC_PID, 1234);
    made.writer.put(NFTA_GEN_PROC_NAME, "nft");
    const auto generation = decode_generation(made.payload());
    ASSERT_TRUE(generation);
    EXPECT_EQ(generation->id, 41u);
    EXPECT_EQ(generation->process, 1234u);
    EXPECT_EQ(generation->program, "nft");
}

}  // namespace
}  // namespace nftlink::nft
