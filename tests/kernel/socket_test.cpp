// Requests to the kernel and their answers.
#include "nftlink/netlink/socket.hpp"

#include <fmt/format.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <cstring>
#include <stdexcept>

#include "fixture.hpp"

namespace nftlink::test {
namespace {

// So many links that a dump of them takes several datagrams.
class SocketTest : public KernelTest {
protected:
    void SetUp() override {
        KernelTest::SetUp();
        if (!IsSkipped())
            host().run("for n in $(seq 100); do echo link add d$n type bridge; done | ip -batch -");
    }

    static std::vector<std::uint8_t> dump_of_links() {
        std::vector<std::uint8_t> bytes(NLMSG_LENGTH(sizeof(ifinfomsg)));
        const nlmsghdr header{.nlmsg_len = static_cast<std::uint32_t>(bytes.size()),
                              .nlmsg_type = RTM_GETLINK,
                              .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
                              .nlmsg_seq = 0,
                              .nlmsg_pid = 0};
        std::memcpy(bytes.data(), &header, sizeof header);
        return bytes;
    }
};

// Today's EBUSY: while a dump runs, the socket's next one is refused.
TEST_F(SocketTest, ADumpThatIsLeftByAnExceptionIsReadToItsEnd) {
    netlink::Socket socket(NETLINK_ROUTE);
    auto request = dump_of_links();
    for (int round = 0; round < 3; ++round) {
        EXPECT_THROW(socket.request(request, [](const netlink::Message&) { throw std::runtime_error("seen enough"); }),
                     std::runtime_error);
        int count = 0;
        EXPECT_EQ(socket.request(request, [&](const netlink::Message&) { ++count; }), 0);
        EXPECT_EQ(count, 101);
    }
}

TEST(ReadAgain, EndsWithAnyOtherAnswerAndSometime) {
    int attempts = 0;
    for (const int error : {EINTR, EBUSY, ENOBUFS}) {
        attempts = 0;
        EXPECT_EQ(netlink::read_again([&] { return ++attempts < 5 ? error : ENOENT; }), ENOENT);
        EXPECT_EQ(attempts, 5);
        attempts = 0;
        EXPECT_EQ(netlink::read_again([&] { return ++attempts, error; }), error);
        EXPECT_GT(attempts, 5);
    }
}

}  // namespace
}  // namespace nftlink::test
