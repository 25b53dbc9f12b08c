#include "nftlink/state/journal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <stdexcept>

#include "support/folder.hpp"

namespace nftlink::state {
namespace {

namespace asio = boost::asio;

class JournalTest : public testing::Test {
protected:
    template <typename T>
    T run(asio::awaitable<T> task) {
        auto result = asio::co_spawn(context_, std::move(task), asio::use_future);
        context_.restart();
        context_.run();
        return result.get();
    }
    std::map<std::string, std::string> stored() const { return read_contents(folder_ / "state")->texts; }

    Folder folder_;
    asio::io_context context_{1};
    Journal journal_{folder_ / "state"};
};

TEST_F(JournalTest, WhatIsPublishedLastsAndWhatIsDiscardedNeverWas) {
    ASSERT_TRUE(run(journal_.prepare({{"web", "one"}})));
    EXPECT_TRUE(stored().empty());
    ASSERT_TRUE(run(journal_.publish()));
    ASSERT_TRUE(run(journal_.prepare({{"web", "two"}})));
    run(journal_.discard());
    EXPECT_EQ(stored(), (std::map<std::string, std::string>{{"web", "one"}}));
    EXPECT_FALSE(folder_.has("state/containers/.web.yaml.new"));
}

TEST_F(JournalTest, WorkOfOthersIsDoneOnItsThreadWhileTheContextGoesOn) {
    std::promise<void> may_end;
    std::function<int()> work = [&] {
        may_end.get_future().wait();
        return 7;
    };
    auto result = asio::co_spawn(context_, journal_.run(std::move(work)), asio::use_future);
    context_.poll();
    while (!journal_.is_busy())
        context_.poll();
    may_end.set_value();
    context_.restart();
    context_.run();
    EXPECT_EQ(result.get(), 7);
    EXPECT_FALSE(journal_.is_busy());
}

TEST_F(JournalTest, ThrowsWhatTheWorkThrows) {
    std::function<int()> work = []() -> int { throw std::runtime_error("the disk is gone"); };
    EXPECT_THROW(run(journal_.run(std::move(work))), std::runtime_error);
    EXPECT_FALSE(journal_.is_busy());
}

}  // namespace
}  // namespace nftlink::state
