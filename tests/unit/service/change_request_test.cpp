#include "service/change_request.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

namespace nftlink::service {
namespace {

TEST(RequestQueue, GivesTransactionsTogetherAndAReloadAloneInTheirOrder) {
    boost::asio::io_context context{1};
    RequestQueue queue;
    Requests all;
    for (const bool is_reload : {false, false, true, true, false}) {
        const auto wanted = is_reload ? std::nullopt : std::optional(api::Transaction{});
        all.push_back(std::make_shared<ChangeRequest>(context.get_executor(), wanted));
        queue.push(all.back());
    }
    EXPECT_EQ(queue.take(), Requests(all.begin(), all.begin() + 2));
    EXPECT_EQ(queue.take(), Requests{all[2]});
    EXPECT_EQ(queue.take(), Requests{all[3]});
    EXPECT_EQ(queue.take(), Requests{all[4]});
    EXPECT_TRUE(queue.empty());
    EXPECT_TRUE(queue.take().empty());
}

}  // namespace
}  // namespace nftlink::service
