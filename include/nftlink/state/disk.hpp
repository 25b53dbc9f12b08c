// A thread for the work that waits for the disk, so that nothing else does.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <utility>

namespace nftlink::state {

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

}  // namespace nftlink::state
