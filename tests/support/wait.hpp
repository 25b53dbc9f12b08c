// Coroutines run to their end by a test.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>
#include <utility>

namespace nftlink {

// The task's result, with the context running until then. Rethrows what it throws.
template <typename T>
T wait(boost::asio::io_context& context, boost::asio::awaitable<T> task) {
    std::optional<T> result;
    std::exception_ptr failure;
    boost::asio::co_spawn(context, std::move(task), [&](std::exception_ptr thrown, T value) {
        failure = thrown;
        result = std::move(value);
    });
    context.restart();
    while (!result && context.run_one() != 0)
        continue;
    if (failure != nullptr)
        std::rethrow_exception(failure);
    return std::move(result.value());
}

}  // namespace nftlink
