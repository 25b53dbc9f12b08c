#include "nftlink/base/unique_fd.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace nftlink::base {
namespace {

int open_null() {
    return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

bool is_open(int descriptor) {
    return ::fcntl(descriptor, F_GETFD) >= 0;
}

TEST(UniqueFd, ClosesAtItsEnd) {
    const int descriptor = open_null();
    {
        const UniqueFd owner(descriptor);
    }
    EXPECT_FALSE(is_open(descriptor));
}

TEST(UniqueFd, AMovedOneIsEmptyAndWhatWasThereIsClosed) {
    const int first = open_null(), second = open_null();
    UniqueFd from(first), to(second);
    to = std::move(from);
    EXPECT_EQ(to.get(), first);
    EXPECT_FALSE(from);
    EXPECT_TRUE(is_open(first));
    EXPECT_FALSE(is_open(second));
}

TEST(UniqueFd, WhatIsReleasedStaysOpen) {
    const int descriptor = open_null();
    {
        EXPECT_EQ(UniqueFd(descriptor).release(), descriptor);
    }
    EXPECT_TRUE(is_open(descriptor));
    ::close(descriptor);
}

TEST(UniqueFd, ClosingSaysWhatTheKernelSays) {
    EXPECT_TRUE(UniqueFd().close());
    UniqueFd owner(open_null());
    EXPECT_TRUE(owner.close());
    EXPECT_TRUE(owner.close()) << "it has nothing any more";
    UniqueFd closed(open_null());
    ::close(closed.get());
    EXPECT_FALSE(closed.close());
    EXPECT_EQ(errno, EBADF);
}

}  // namespace
}  // namespace nftlink::base
