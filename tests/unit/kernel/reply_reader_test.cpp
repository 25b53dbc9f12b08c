#include "kernel/reply_reader.hpp"

#include <gtest/gtest.h>
#include <linux/netlink.h>

#include <cerrno>
#include <cstring>

namespace nftlink::kernel {
namespace {

using Bytes = std::vector<std::uint8_t>;

template <typename T>
void append(Bytes& bytes, const T& object) {
    const auto* start = reinterpret_cast<const std::uint8_t*>(&object);
    bytes.insert(bytes.end(), start, start + sizeof object);
}

// An NLMSG_ERROR as the kernel writes it: capped, with an extended ack's text and offset.
Bytes error_message(std::uint32_t sequence, int error, const std::string& text = {}, std::uint32_t offset = 0) {
    Bytes bytes;
    append(bytes,
           nlmsghdr{0, NLMSG_ERROR, static_cast<std::uint16_t>(NLM_F_CAPPED | (text.empty() ? 0 : NLM_F_ACK_TLVS)),
                    sequence, 0});
    append(bytes, nlmsgerr{error, {sizeof(nlmsghdr), 0, 0, sequence, 0}});
    if (!text.empty()) {
        append(bytes, nlattr{static_cast<std::uint16_t>(sizeof(nlattr) + text.size() + 1), NLMSGERR_ATTR_MSG});
        bytes.insert(bytes.end(), text.begin(), text.end());
        bytes.resize((bytes.size() + 4) & ~std::size_t{3});
        append(bytes, nlattr{8, NLMSGERR_ATTR_OFFS});
        append(bytes, offset);
    }
    const auto length = static_cast<std::uint32_t>(bytes.size());
    std::memcpy(bytes.data(), &length, sizeof length);
    return bytes;
}

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

TEST(ReadAck, TakesTheExtendedAck) {
    const Bytes bytes = error_message(7, -ENOENT, "no such set", 44);
    const auto ack = read_ack(read_messages(bytes)->at(0));
    EXPECT_EQ(ack, (Ack{7, ENOENT, "no such set", 44}));
}

TEST(ReadAck, LooksBehindTheCopiedRequest) {
    Bytes bytes = error_message(7, -ENOENT, "no such set", 44);
    auto* header = reinterpret_cast<nlmsghdr*>(bytes.data());
    header->nlmsg_flags = NLM_F_ACK_TLVS;  // not capped: the request stands in between
    constexpr std::size_t request_payload = 20;
    const std::size_t after_error = sizeof(nlmsghdr) + sizeof(nlmsgerr);
    bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(after_error), request_payload, 0);
    header = reinterpret_cast<nlmsghdr*>(bytes.data());
    header->nlmsg_len += request_payload;
    reinterpret_cast<nlmsgerr*>(bytes.data() + sizeof(nlmsghdr))->msg.nlmsg_len += request_payload;
    EXPECT_EQ(read_ack(read_messages(bytes)->at(0))->text, "no such set");
}

TEST(ReadAck, PositiveErrorIsNoAck) {
    const Bytes bytes = error_message(7, 5);
    EXPECT_FALSE(read_ack(read_messages(bytes)->at(0)));
}

TEST(DumpError, IsTheDoneMessagesErrno) {
    const int error = -EINTR;
    Bytes payload;
    append(payload, error);
    EXPECT_EQ(dump_error({NLMSG_DONE, 0, 1, payload}), EINTR);
    EXPECT_EQ(dump_error({NLMSG_DONE, 0, 1, {}}), 0);
}

// BATCH_BEGIN, two operations, BATCH_END; their sequence numbers are 100 to 103.
const nft::Datagram batch{{}, {nft::Datagram::no_operation, 0, 1, nft::Datagram::no_operation}};
constexpr std::uint32_t first = 100;

BatchVerdict::Kind kind(const std::vector<Ack>& acks, bool some_lost = false) {
    return judge({acks, some_lost}, first, batch).kind;
}

TEST(Judge, AckOfTheEndMeansCommitted) {
    EXPECT_EQ(kind({{103, 0, {}, {}}}), BatchVerdict::Kind::committed);
    EXPECT_EQ(kind({{102, 0, {}, {}}, {103, 0, {}, {}}}), BatchVerdict::Kind::committed);
}

TEST(Judge, AckOfTheLastOperationIsEnoughForOldKernels) {
    EXPECT_EQ(kind({{102, 0, {}, {}}}), BatchVerdict::Kind::committed);
}

TEST(Judge, AckOfAnEarlierOperationSaysNothing) {
    EXPECT_EQ(kind({{101, 0, {}, {}}}), BatchVerdict::Kind::unknown);
}

TEST(Judge, AnyErrorMeansRefusedAlthoughOthersWereAcked) {
    const auto verdict = judge({{{101, ENOENT, {}, {}}, {102, 0, {}, {}}}, false}, first, batch);
    EXPECT_EQ(verdict.kind, BatchVerdict::Kind::refused);
    ASSERT_EQ(verdict.errors.size(), 1u);
    EXPECT_EQ(verdict.errors[0].sequence, 101u);
}

TEST(Judge, RestartOnTheBeginMeansStale) {
    EXPECT_EQ(kind({{100, ERESTART, {}, {}}}), BatchVerdict::Kind::stale);
}

TEST(Judge, PermissionOnTheBegin) {
    EXPECT_EQ(kind({{100, EPERM, {}, {}}}), BatchVerdict::Kind::permission);
}

TEST(Judge, PermissionOfOneOperationIsThatOperations) {
    EXPECT_EQ(kind({{101, EPERM, {}, {}}}), BatchVerdict::Kind::refused);
}

TEST(Judge, LostAnswersLeaveWhatIsCertain) {
    EXPECT_EQ(kind({{101, ENOENT, {}, {}}}, true), BatchVerdict::Kind::refused);
    EXPECT_EQ(kind({{103, 0, {}, {}}}, true), BatchVerdict::Kind::committed);
    EXPECT_EQ(kind({{102, 0, {}, {}}}, true), BatchVerdict::Kind::unknown) << "an error may be among the lost";
}

TEST(Judge, SilenceAndForeignAnswersAreUnknown) {
    EXPECT_EQ(kind({}), BatchVerdict::Kind::unknown);
    EXPECT_EQ(kind({{99, 0, {}, {}}, {104, 0, {}, {}}, {104, ENOENT, {}, {}}}), BatchVerdict::Kind::unknown);
}

}  // namespace
}  // namespace nftlink::kernel
