// The state directory for those who must not wait: changes are written on a thread of its own.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <expected>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>

#include "nftlink/state/store.hpp"

namespace nftlink::state {

// See Store, whose promises hold here. One change at a time: prepare(), then publish() or discard().
class Journal {
public:
    using Done = std::expected<void, std::string>;

    explicit Journal(std::filesystem::path directory) : store_(std::move(directory)) {}

    boost::asio::awaitable<Done> prepare(StoredChange change);
    boost::asio::awaitable<Done> publish();
    boost::asio::awaitable<void> discard();

    // Runs work of somebody else's on the disk's thread, after what is being done there. It must not touch what anybody
    // else uses meanwhile. Rethrows what it throws.
    template <typename T>
    boost::asio::awaitable<T> run(std::function<T()> work) {
        co_return co_await boost::asio::co_spawn(thread_, call(std::move(work), &busy_), boost::asio::use_awaitable);
    }
    // True when preparing and the like wait for a disk: in memory they are done at once.
    bool waits() const { return !store_.is_in_memory(); }
    // The disk is at work now, which may take as long as it likes.
    bool is_busy() const { return busy_; }

    // For the start, before anything else is done here: these block.
    Store& store() { return store_; }

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
    template <typename T>
    boost::asio::awaitable<T> on_disk(std::function<T()> work);

    Store store_;
    std::atomic<bool> busy_ = false;
    boost::asio::thread_pool thread_{1};  // last: it ends before what it works with
};

}  // namespace nftlink::state
