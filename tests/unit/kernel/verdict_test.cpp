#include "kernel/verdict.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace nftlink::kernel {
namespace {

using netlink::Ack;

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
