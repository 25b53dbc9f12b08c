#include "nftlink/netlink/attribute.hpp"

#include <gtest/gtest.h>

#include "nftlink/netlink/message.hpp"

namespace nftlink::netlink {
namespace {

Bytes two_attributes() {
    Bytes bytes;
    MessageWriter writer(bytes);
    writer.put(1, std::string_view("db"));
    writer.put_u64(2, 9);
    return bytes;
}

TEST(AttributeWalk, EndsAtAnAttributeThatIsLongerThanWhatThereIs) {
    Bytes bytes = two_attributes();
    bytes.pop_back();
    AttributeWalk walk(bytes);
    EXPECT_TRUE(walk.next());
    EXPECT_FALSE(walk.malformed());
    EXPECT_FALSE(walk.next());
    EXPECT_TRUE(walk.malformed());
}

TEST(AttributeWalk, EndsAtALengthThatHasNoRoomForItsOwnHeader) {
    for (const std::uint8_t length : Bytes{0, 3}) {
        const Bytes bytes{length, 0, 1, 0};
        AttributeWalk walk(bytes);
        EXPECT_FALSE(walk.next());
        EXPECT_TRUE(walk.malformed());
    }
}

TEST(ForEachAttribute, PassesOverTheHeaderAndSaysNothingWhereItIsNotWhole) {
    Bytes bytes{1, 2, 3, 4};
    const Bytes attributes = two_attributes();
    bytes.insert(bytes.end(), attributes.begin(), attributes.end());
    int count = 0;
    for_each_attribute(bytes, 4, [&](std::uint16_t, Payload) { ++count; });
    EXPECT_EQ(count, 2);
    for_each_attribute(Payload(bytes).first(3), 4, [&](std::uint16_t, Payload) { ++count; });
    EXPECT_EQ(count, 2);
}

TEST(Number, IsInNetworkOrderAndOfItsSizeAlone) {
    const Bytes bytes{0, 0, 1, 2};
    EXPECT_EQ(number<std::uint32_t>(bytes), 0x102u);
    EXPECT_FALSE(number<std::uint16_t>(bytes));
    EXPECT_FALSE(number<std::uint64_t>(bytes));
}

TEST(Fields, AreExactlyThoseOrNot) {
    const Bytes bytes = two_attributes();
    const Fields fields(bytes);
    EXPECT_TRUE(fields.are({1, 2}));
    EXPECT_TRUE(fields.are({1}, {2}));
    EXPECT_FALSE(fields.are({1}));
    EXPECT_FALSE(fields.are({1, 2, 3}));
    EXPECT_EQ(text(fields[1]), "db");
}

TEST(Fields, OneTypeTwiceIsStrange) {
    Bytes bytes = two_attributes();
    const Bytes again = bytes;
    bytes.insert(bytes.end(), again.begin(), again.end());
    EXPECT_FALSE(Fields(bytes).are({1, 2}));
}

}  // namespace
}  // namespace nftlink::netlink
