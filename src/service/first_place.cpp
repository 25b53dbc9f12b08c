#include "first_place.hpp"

namespace nftlink::service {

void FirstPlace::taken(Time now) {
    constexpr std::size_t most = 5;
    constexpr std::chrono::minutes window{1};
    constexpr std::chrono::hours rest{1};
    taken_.push_back(now);
    while (now - taken_.front() > window)
        taken_.pop_front();
    if (taken_.size() < most)
        return;
    taken_.clear();
    rests_until_ = now + rest;
}

}  // namespace nftlink::service
