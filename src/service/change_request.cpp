#include "change_request.hpp"

#include <algorithm>
#include <utility>

namespace nftlink::service {

ChangeRequest::ChangeRequest(const boost::asio::any_io_executor& executor, std::optional<api::Transaction> wanted)
    : transaction(std::move(wanted)), done(executor, 1) {}

void ChangeRequest::finish(Answer result) {
    answer = std::move(result);
    wake();
}

void ChangeRequest::wake() {
    done.try_send(boost::system::error_code());
}

Requests RequestQueue::take() {
    const auto is_reload = [](const auto& request) { return !request->transaction; };
    auto end = std::ranges::find_if(requests_, is_reload);
    if (end == requests_.begin() && end != requests_.end())
        ++end;
    Requests taken(requests_.begin(), end);
    requests_.erase(requests_.begin(), end);
    return taken;
}

}  // namespace nftlink::service
