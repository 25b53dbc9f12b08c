#include "tasks.hpp"

#include <boost/asio/co_spawn.hpp>
#include <utility>

namespace nftlink::service {

void Tasks::spawn(boost::asio::awaitable<void> task) {
    boost::asio::co_spawn(context_, std::move(task), [this](std::exception_ptr failure) {
        if (failure == nullptr)
            return;
        failure_ = failure;
        context_.stop();
    });
}

void Tasks::rethrow() const {
    if (failure_ != nullptr)
        std::rethrow_exception(failure_);
}

}  // namespace nftlink::service
