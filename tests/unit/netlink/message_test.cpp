#include "nftlink/netlink/message.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>

#include "answers.hpp"

namespace nftlink::netlink {
namespace {

TEST(ReadMessages, TakesWholeMessagesOnly) {
    Bytes two = error_message(1, 0);
    const Bytes second = error_message(2, -ENOENT);
    two.insert(two.end(), second.begin(), second.end());
    const auto messages = read_messages(two);
    ASSERT_TRUE(messages);
    ASSERT_EQ(messages->size(), 2u);
    EXPECT_EQ((*messages)[1].sequence, 2u);
    two.resize(two.size() - 4);
    EXPECT_FALSE(read_messages(two));
    EXPECT_TRUE(read_messages({})->empty());
}

// libmnl 1.0.4's own check takes this length for a negative number.
TEST(ReadMessages, LengthOverTwoGibibytesIsMalformed) {
    Bytes bytes = error_message(1, -ENOENT);
    for (const std::uint32_t length : {0x80000010u, 0xfffffff0u, 15u, 0u}) {
        std::memcpy(bytes.data(), &length, sizeof length);
        EXPECT_FALSE(read_messages(bytes)) << length;
    }
}

TEST(MessageWriter, WhatItWritesIsReadAgain) {
    Bytes bytes;
    MessageWriter writer(bytes);
    const std::size_t start = writer.begin(7, NLM_F_ACK, 42, std::uint32_t{5});
    writer.put(1, std::string_view("web"));
    const std::size_t nest = writer.begin_nest(2);
    writer.put_u32(3, 0x01020304);
    writer.end_nest(nest);
    writer.end(start);
    const auto messages = read_messages(bytes);
    ASSERT_TRUE(messages);
    ASSERT_EQ(messages->size(), 1u);
    const Message& message = messages->front();
    EXPECT_EQ(message.type, 7);
    EXPECT_EQ(message.flags, NLM_F_REQUEST | NLM_F_ACK);
    EXPECT_EQ(message.sequence, 42u);
    EXPECT_EQ(message.port, 0u);
    AttributeWalk walk(message.payload.subspan(sizeof(std::uint32_t)));
    EXPECT_EQ(text(walk.next()->payload), "web");
    const auto inner = walk.next();
    EXPECT_EQ(inner->type, 2);
    EXPECT_EQ(number<std::uint32_t>(AttributeWalk(inner->payload).next()->payload), 0x01020304u);
    EXPECT_FALSE(walk.next());
    EXPECT_FALSE(walk.malformed());
}

}  // namespace
}  // namespace nftlink::netlink
