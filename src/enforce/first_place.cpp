#include "first_place.hpp"

namespace nftlink::enforce {

void FirstPlace::taken(Time now) {
    constexpr std::size_t most_in_a_minute = 5, most_in_an_hour = 20;
    constexpr std::chrono::minutes minute{1};
    constexpr std::chrono::hours hour{1};
    taken_.push_back(now);
    while (now - taken_.front() > hour)
        taken_.pop_front();
    const bool too_fast = taken_.size() >= most_in_a_minute && now - taken_[taken_.size() - most_in_a_minute] <= minute;
    if (!too_fast && taken_.size() < most_in_an_hour)
        return;
    taken_.clear();
    rests_until_ = now + hour;
}

}  // namespace nftlink::enforce
