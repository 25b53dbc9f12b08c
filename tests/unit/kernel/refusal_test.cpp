#include "kernel/refusal.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace nftlink::kernel {
namespace {

nft::Operation inet(nft::Action action) {
    return {nft::Family::inet, "t", std::move(action)};
}

const std::vector<nft::DataType> key{nft::DataType::ipv4_addr};

nft::AddElements elements(std::uint32_t count) {
    nft::AddElements add{"s", key, {}};
    for (std::uint32_t number = 0; number < count; ++number) {
        const auto byte = [number](unsigned place) { return static_cast<std::uint8_t>(number >> (8 * place)); };
        add.elements.emplace_back().key.append(std::array<std::uint8_t, 4>{10, byte(2), byte(1), byte(0)});
    }
    return add;
}

// What is made of the given errors by message index (BATCH_BEGIN is 0).
Refusal refusal_of(const nft::Batch& batch, const std::vector<std::pair<std::uint32_t, std::uint32_t>>& errors) {
    constexpr std::uint32_t first = 100;
    BatchVerdict verdict{BatchVerdict::Kind::refused, {}};
    for (const auto& [message, offset] : errors)
        verdict.errors.push_back({first + message, ENOENT, {}, offset});
    return make_refusal(batch, nft::encode(batch, first, {}), first, verdict);
}

// Where the first attribute of a batch's message stands, and the third when the two before it take up 8 bytes each.
constexpr std::uint32_t first_attribute = 20, third_attribute = 36;

TEST(MakeRefusal, SeveralMessagesOfOneOperationAreOneRefusal) {
    const nft::Batch batch{inet(elements(10'000)), inet(nft::DeleteSet{"gone"})};
    const auto message_count = static_cast<std::uint32_t>(nft::encode(batch, 0, {}).operation_of_message.size());
    ASSERT_GT(message_count, 5u) << "elements in more than two messages";
    const Refusal refusal = refusal_of(batch, {{1, 0}, {2, 0}, {message_count - 2, 0}});
    ASSERT_EQ(refusal.operations.size(), 2u);
    EXPECT_EQ(refusal.operations[0].index, 0u);
    EXPECT_EQ(refusal.operations[1].index, 1u);
}

TEST(MakeRefusal, NamesWhatTheKernelPointsAt) {
    EXPECT_EQ(refusal_of({inet(elements(1))}, {{1, first_attribute}}).operations.at(0).object, "s");
    EXPECT_EQ(refusal_of({inet(elements(1))}, {{1, third_attribute + 4}}).operations.at(0).object, "10.0.0.0");
    EXPECT_EQ(refusal_of({inet(nft::DeleteSet{"gone"})}, {{1, first_attribute}}).operations.at(0).object, "t");
    EXPECT_EQ(refusal_of({inet(nft::DeleteSet{"gone"})}, {{1, 5000}}).operations.at(0).object, "");
}

TEST(ShortText, LeavesElementsOut) {
    EXPECT_EQ(short_text(inet(elements(3))), "add element inet t s { … }");
    EXPECT_EQ(short_text(inet(nft::DeleteElements{"s", key, {}})), "delete element inet t s { … }");
}

TEST(ShortText, IsCutBetweenCharacters) {
    for (std::size_t length = 40; length < 44; ++length) {
        nft::Chain chain;
        chain.name = std::string(length, 'c');
        for (int count = 0; count < 60; ++count)
            chain.comment += "\u20ac";
        const std::string text = short_text(inet(nft::AddChain{chain}));
        ASSERT_TRUE(text.ends_with("\u20ac …")) << text;
        EXPECT_LE(text.size(), 205u);
    }
}

}  // namespace
}  // namespace nftlink::kernel
