#include "nftlink/kernel/instance.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace nftlink::kernel {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

sockaddr_un name() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, "\0nftlinkd", 9);
    return address;
}

constexpr socklen_t name_size = offsetof(sockaddr_un, sun_path) + 9;

int bind_name() {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un address = name();
    return bind(fd, reinterpret_cast<const sockaddr*>(&address), name_size) == 0 ? fd : -1;
}

// Root can, unless it is root of a user namespace with that user alone.
bool can_be_others() {
    const pid_t child = fork();
    if (child == 0)
        _exit(geteuid() == 0 && setuid(12345) == 0 ? 0 : 1);
    int status = -1;
    waitpid(child, &status, 0);
    return status == 0;
}

// In a network namespace of its own: an nftlinkd may run on this machine.
class InstanceTest : public testing::Test {
protected:
    static void SetUpTestSuite() {
        if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
            unavailable_ = std::strerror(errno);
    }
    void SetUp() override {
        if (!unavailable_.empty())
            GTEST_SKIP() << "no network namespace: " << unavailable_;
    }
    void TearDown() override {
        if (child_ > 0) {
            kill(child_, SIGKILL);
            waitpid(child_, nullptr, 0);
        }
    }

    // A process that takes the name, as that user, and stays.
    void start_holder(std::optional<uid_t> user, bool listens) {
        int ready[2];
        ASSERT_EQ(pipe(ready), 0);
        child_ = fork();
        if (child_ == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            const bool is_user = !user || setuid(*user) == 0;
            const int fd = is_user ? bind_name() : -1;
            if (fd >= 0 && (!listens || listen(fd, 10) == 0) && write(ready[1], "+", 1) == 1)
                pause();
            _exit(1);
        }
        close(ready[1]);
        char byte = 0;
        ASSERT_EQ(read(ready[0], &byte, 1), 1) << "the other process could not take the name";
        close(ready[0]);
    }
    static std::string refusal() {
        try {
            const InstanceLock lock;
            return "";
        } catch (const std::runtime_error& error) {
            return error.what();
        }
    }

    static inline std::string unavailable_;
    pid_t child_ = -1;
};

TEST_F(InstanceTest, HoldsTheNamespaceWhileItLives) {
    EXPECT_EQ(running_instance(), std::nullopt);
    {
        const InstanceLock lock;
        EXPECT_THAT(lock.warning(), IsEmpty());
        EXPECT_EQ(running_instance(), getpid());
    }
    EXPECT_EQ(running_instance(), std::nullopt);
}

TEST_F(InstanceTest, NamesTheOtherOne) {
    start_holder({}, true);
    EXPECT_THAT(refusal(), AllOf(HasSubstr("pid " + std::to_string(child_)), HasSubstr("stop it first")));
    EXPECT_EQ(running_instance(), child_);
}

TEST_F(InstanceTest, IsFreeAgainWhenItsProcessIsKilled) {
    start_holder({}, true);
    kill(child_, SIGKILL);
    waitpid(std::exchange(child_, -1), nullptr, 0);
    EXPECT_EQ(running_instance(), std::nullopt);
    EXPECT_EQ(refusal(), "");
}

TEST_F(InstanceTest, IsOfOneNetworkNamespace) {
    start_holder({}, true);
    const pid_t elsewhere = fork();
    if (elsewhere == 0) {
        const bool there = unshare(CLONE_NEWNET) == 0;
        _exit(there && !running_instance() && refusal().empty() ? 0 : 1);
    }
    int status = -1;
    waitpid(elsewhere, &status, 0);
    EXPECT_EQ(status, 0);
}

TEST_F(InstanceTest, LetsNobodyKeepTheServiceFromStarting) {
    start_holder({}, false);  // has the name, and doesn't listen
    const InstanceLock lock;
    EXPECT_THAT(lock.warning(), HasSubstr("@nftlinkd"));
    EXPECT_EQ(running_instance(), std::nullopt);
}

TEST_F(InstanceTest, LetsNoOtherUserKeepTheServiceFromStarting) {
    if (!can_be_others())
        return;
    start_holder(12345, true);
    const InstanceLock lock;
    EXPECT_THAT(lock.warning(), AllOf(HasSubstr("process " + std::to_string(child_)), HasSubstr("user 12345")));
    EXPECT_EQ(running_instance(), std::nullopt);
}

// Who asks is never accepted until the service gets to it.
TEST_F(InstanceTest, DismissesWhoAsked) {
    InstanceLock lock;
    const sockaddr_un address = name();
    const auto knock = [&](int fd) { return connect(fd, reinterpret_cast<const sockaddr*>(&address), name_size) == 0; };
    // The queue is longer than an ordinary user's usual share of descriptors.
    rlimit files{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = files.rlim_max;
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
    std::vector<int> callers;
    do
        callers.push_back(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    while (callers.back() >= 0 && callers.size() < 10'000 && knock(callers.back()));
    EXPECT_EQ(running_instance(), std::nullopt) << "after " << callers.size();
    lock.dismiss_callers();
    EXPECT_EQ(running_instance(), getpid());
    for (const int fd : callers)
        close(fd);
}

}  // namespace
}  // namespace nftlink::kernel
