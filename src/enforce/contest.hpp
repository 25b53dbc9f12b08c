// The place of our rules among those of others, whoever they are moved by. Pure.
#pragma once

#include <string>
#include <vector>

#include "first_place.hpp"
#include "nftlink/firewall/diff.hpp"

namespace nftlink::enforce {

class Contest {
public:
    using Time = FirstPlace::Time;

    // True when our rules may be put above others' now.
    bool may_move(Time now) const { return places_.may_take(now); }
    Time rests_until() const { return places_.rests_until(); }
    // A program has changed the ruleset.
    void changed_by(const std::string& program) { rival_ = program; }
    // Takes what a comparison, made at that time, found above ours: what was put right, or what stays.
    void judge(const std::vector<firewall::Obstacle>& obstacles, Time now);
    void forget() { places_ = {}; }

    // The rule of others that comes before ours, as a sentence; empty when none does.
    const std::string& obstacle() const { return obstacle_; }
    // Why ours are left where they are; empty when they aren't.
    const std::string& warning() const { return warning_; }

private:
    FirstPlace places_;
    std::string rival_;  // the program that changed the ruleset last; empty when it isn't known
    std::string obstacle_, warning_;
};

}  // namespace nftlink::enforce
