// A limit on putting our rules back above those of another program that does the same with its own. Pure: times in,
// decisions out.
#pragma once

#include <chrono>
#include <deque>

namespace nftlink::enforce {

// Five times within a minute, twenty within an hour; then they stay below for an hour, whatever comes and goes above
// them: a program that writes its rules anew takes them away first.
class FirstPlace {
public:
    using Time = std::chrono::steady_clock::time_point;

    bool may_take(Time now) const { return now >= rests_until_; }
    Time rests_until() const { return rests_until_; }
    void taken(Time now);

private:
    std::deque<Time> taken_;  // the last times
    Time rests_until_{};
};

}  // namespace nftlink::enforce
