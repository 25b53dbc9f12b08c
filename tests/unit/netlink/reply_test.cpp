#include "nftlink/netlink/reply.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>

#include "answers.hpp"

namespace nftlink::netlink {
namespace {

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

}  // namespace
}  // namespace nftlink::netlink
