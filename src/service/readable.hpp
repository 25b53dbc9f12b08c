// A descriptor of somebody else's that one waits for.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace nftlink::service {

class Readable {
public:
    // The descriptor stays its owner's, who closes it after this is destroyed.
    Readable(const boost::asio::any_io_executor& executor, int descriptor) : descriptor_(executor, descriptor) {}
    Readable(const Readable&) = delete;
    Readable& operator=(const Readable&) = delete;
    ~Readable() { descriptor_.release(); }

    boost::asio::awaitable<void> wait() {
        co_await descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read, boost::asio::use_awaitable);
    }

private:
    boost::asio::posix::stream_descriptor descriptor_;
};

}  // namespace nftlink::service
