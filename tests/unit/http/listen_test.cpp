#include "nftlink/http/listen.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>

#include "support/folder.hpp"

namespace nftlink::http {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

int open_socket(int type) {
    return socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

bool connects(const std::string& path) {
    const int fd = open_socket(SOCK_STREAM);
    const sockaddr_un address = address_of(path);
    const bool connected = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    close(fd);
    return connected;
}

struct stat status_of(const std::string& path) {
    struct stat status{};
    EXPECT_EQ(lstat(path.c_str(), &status), 0) << path;
    return status;
}

mode_t mode_of(const std::string& path) {
    return status_of(path).st_mode & 07777;
}

class ListenTest : public testing::Test {
protected:
    void TearDown() override {
        for (const int fd : open_)
            close(fd);
    }

    Listener listen_here(const std::string& path, bool everyone = false) {
        auto control = http::listen(path, getegid(), everyone);
        open_.push_back(control.descriptor);
        return control;
    }
    int bind_socket(const std::string& path, int type) {
        const int fd = open_socket(type);
        const sockaddr_un address = address_of(path);
        EXPECT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        open_.push_back(fd);
        return fd;
    }
    static std::string refusal(const std::string& path) {
        try {
            close(http::listen(path, {}, false).descriptor);
            return "";
        } catch (const std::runtime_error& error) {
            return error.what();
        }
    }

    Folder folder_;
    const std::string path_ = folder_ / "nftlink.sock";
    std::vector<int> open_;
};

TEST_F(ListenTest, Listens) {
    const auto control = listen_here(path_);
    EXPECT_THAT(control.warning, IsEmpty());
    EXPECT_TRUE(connects(path_));
    EXPECT_NE(fcntl(control.descriptor, F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(fcntl(control.descriptor, F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(ListenTest, IsForTheGroup) {
    for (const mode_t mask : {0000, 0022, 0077, 0777}) {
        const mode_t old = umask(mask);
        const std::string path = folder_ / std::to_string(mask);
        listen_here(path);
        EXPECT_EQ(umask(old), mask);
        EXPECT_EQ(mode_of(path), 0660u);
    }
}

TEST_F(ListenTest, IsForEveryone) {
    const mode_t old = umask(0077);
    listen_here(path_, true);
    umask(old);
    EXPECT_EQ(mode_of(path_), 0666u);
}

TEST_F(ListenTest, MakesItsFolder) {
    for (const mode_t mask : {0000, 0077}) {
        const mode_t old = umask(mask);
        const std::string top = folder_ / std::to_string(mask);
        listen_here(top + "/run/nftlink.sock");
        umask(old);
        EXPECT_EQ(mode_of(top), 0755u);
        EXPECT_EQ(mode_of(top + "/run"), 0755u);
    }
}

TEST_F(ListenTest, LeavesAFolderAsItIs) {
    ASSERT_EQ(mkdir((folder_ / "run").c_str(), 0700), 0);
    listen_here(folder_ / "run/nftlink.sock");
    EXPECT_EQ(mode_of(folder_ / "run"), 0700u);
}

TEST_F(ListenTest, NeedsNoFolderInItsPath) {
    const std::string before = std::filesystem::current_path();
    std::filesystem::current_path(folder_ / "");
    listen_here("nftlink.sock");
    EXPECT_TRUE(connects("nftlink.sock"));
    std::filesystem::current_path(before);
}

TEST_F(ListenTest, ReplacesADeadOne) {
    close(http::listen(path_, {}, false).descriptor);
    ASSERT_FALSE(connects(path_));
    listen_here(path_);
    EXPECT_TRUE(connects(path_));
}

TEST_F(ListenTest, NamesWhoListensAlready) {
    listen_here(path_);
    EXPECT_THAT(refusal(path_), AllOf(HasSubstr(path_), HasSubstr("process " + std::to_string(getpid()))));
    EXPECT_TRUE(connects(path_));
}

TEST_F(ListenTest, RefusesWhenSoManyWaitThatNoneGetsThrough) {
    ::listen(bind_socket(path_, SOCK_STREAM), 0);
    const sockaddr_un address = address_of(path_);
    int error = 0;
    while (error == 0) {
        open_.push_back(open_socket(SOCK_STREAM));
        error = connect(open_.back(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
    }
    ASSERT_EQ(error, EAGAIN);
    EXPECT_THAT(refusal(path_), HasSubstr("another process does already"));
}

TEST_F(ListenTest, RefusesAnotherKindOfSocketInUse) {
    bind_socket(path_, SOCK_DGRAM);
    EXPECT_THAT(refusal(path_), HasSubstr("cannot tell whether"));
    EXPECT_TRUE(S_ISSOCK(status_of(path_).st_mode));
}

TEST_F(ListenTest, LeavesOtherFilesAlone) {
    folder_.write("nftlink.sock", "precious");
    EXPECT_THAT(refusal(path_), HasSubstr("no socket"));
    EXPECT_EQ(folder_.read("nftlink.sock"), "precious");
}

TEST_F(ListenTest, FollowsNoLink) {
    const std::string target = folder_ / "target";
    close(http::listen(target, {}, false).descriptor);
    ASSERT_EQ(symlink(target.c_str(), path_.c_str()), 0);
    EXPECT_THAT(refusal(path_), HasSubstr("no socket"));
    EXPECT_TRUE(S_ISSOCK(status_of(target).st_mode));
}

TEST_F(ListenTest, SaysThatAPathIsTooLong) {
    EXPECT_THAT(refusal(folder_ / std::string(107, 'x')), HasSubstr("107 bytes"));
    EXPECT_THAT(refusal(""), HasSubstr("1 to 107 bytes"));
}

TEST_F(ListenTest, SaysThatTheFolderCannotBeMade) {
    folder_.write("file", "");
    EXPECT_THAT(refusal(folder_ / "file/nftlink.sock"), HasSubstr("cannot make the folder"));
}

// Runs in a process of its own, as an ordinary user where that is possible; true when it says so.
bool as_ordinary_user(auto check) {
    const pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0 && setgroups(0, nullptr) == 0 && setgid(12345) == 0 && setuid(12345) != 0)
            _exit(2);
        _exit(check() ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return status == 0;
}

TEST_F(ListenTest, WarnsWhenTheGroupCannotBeSet) {
    ASSERT_EQ(chmod((folder_ / "").c_str(), 0777), 0);
    EXPECT_TRUE(as_ordinary_user([&] {
        const auto control = http::listen(path_, 54321, false);
        return control.warning.find("54321") != std::string::npos && connects(path_);
    }));
    EXPECT_EQ(mode_of(path_), 0660u);
}

TEST_F(ListenTest, BelongsToTheGroup) {
    const std::string file = folder_.write("file", "");
    const gid_t group = chown(file.c_str(), getuid(), 54321) == 0 ? 54321 : getegid();  // root may give it to any group
    open_.push_back(http::listen(path_, group, false).descriptor);
    EXPECT_EQ(status_of(path_).st_gid, group);
}

}  // namespace
}  // namespace nftlink::http
