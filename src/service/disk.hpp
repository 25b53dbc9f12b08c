// A thread for the work that waits for the disk, so that nothing else does.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <utility>

namespace nftlink::service {

class Disk {
public:
    // Runs the work on the disk's thread; it must not touch what anybody else uses meanwhile. Rethrows what it throws.
    template <typename T>
    boost::asio::awaitable<T> run(std::function<T()> work) {
        co_return co_await boost::asio::co_spawn(thread_, call(std::move(work), &busy_), boost::asio::use_awaitable);
    }

    // Whether it is at some work now, which may take as long as the disk likes.
    bool is_busy() const { return busy_; }

private:
    struct Busy {
        explicit Busy(std::atomic<bool>& flag) : flag_(flag) { flag_ = true; }
        ~Busy() { flag_ = false; }
        std::atomic<bool>& flag_;
    };

    template <typename T>
    static boost::asio::awaitable<T> call(std::function<T()> work, std::atomic<bool>* busy) {
        const Busy now(*busy);
        co_return work();
    }

    std::atomic<bool> busy_ = false;
    boost::asio::thread_pool thread_{1};  // last: it ends before what it works with
};

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
