// The tasks that go on as long as the service does.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>

namespace nftlink::service {

class Tasks {
public:
    // The context must outlive it.
    explicit Tasks(boost::asio::io_context& context) : context_(context) {}

    // Runs the task. When one ends by an exception, the context stops, and rethrow() says why.
    void spawn(boost::asio::awaitable<void> task);
    void rethrow() const;

private:
    boost::asio::io_context& context_;
    std::exception_ptr failure_;
};

}  // namespace nftlink::service
