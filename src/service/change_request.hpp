// Requests for a change, in the order in which they came.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nftlink/api/requests.hpp"

namespace nftlink::service {

// A change that was made.
struct Changed {
    bool anything = false;
    std::vector<std::string> ended_links;  // that nobody asked to remove
    base::Errors warnings;
    std::uint32_t generation = 0;  // of the ruleset after it
};

using Answer = std::expected<Changed, api::Faults>;

// A transaction, or a reload.
struct ChangeRequest {
    ChangeRequest(const boost::asio::any_io_executor& executor, std::optional<api::Transaction> wanted);

    void finish(Answer result);
    // Without an answer: there was no memory for one.
    void wake();

    std::optional<api::Transaction> transaction;  // nothing: a reload
    std::optional<Answer> answer;
    boost::asio::experimental::channel<void(boost::system::error_code)> done;
};

using Requests = std::vector<std::shared_ptr<ChangeRequest>>;

class RequestQueue {
public:
    void push(std::shared_ptr<ChangeRequest> request) { requests_.push_back(std::move(request)); }
    bool empty() const { return requests_.empty(); }
    // The first ones, as far as they can be made together: a reload alone, or all transactions up to the next reload.
    Requests take();

private:
    Requests requests_;
};

}  // namespace nftlink::service
