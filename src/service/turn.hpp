// One task after the other.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <utility>

namespace nftlink::service {

// Lets one task after the other in, in the order in which they came.
class Turn {
    using Channel = boost::asio::experimental::channel<void(boost::system::error_code)>;

public:
    explicit Turn(const boost::asio::any_io_executor& executor) : channel_(std::make_shared<Channel>(executor, 1)) {}

    // Until it is destroyed no one else has the turn. It may outlive the whole.
    class Guard {
    public:
        explicit Guard(std::weak_ptr<Channel> channel) : channel_(std::move(channel)) {}
        Guard(Guard&&) = default;
        Guard& operator=(Guard&&) = delete;
        ~Guard() {
            if (const auto channel = channel_.lock())
                channel->try_receive([](auto&&...) {});
        }

    private:
        std::weak_ptr<Channel> channel_;
    };

    boost::asio::awaitable<Guard> take() {
        co_await channel_->async_send(boost::system::error_code(), boost::asio::use_awaitable);
        co_return Guard(channel_);
    }

private:
    std::shared_ptr<Channel> channel_;
};

}  // namespace nftlink::service
