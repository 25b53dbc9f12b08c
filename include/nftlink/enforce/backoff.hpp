// When repairs are made: at once, or after a pause. Pure: times in, decisions out.
#pragma once

#include <chrono>
#include <optional>
#include <utility>

#include "nftlink/enforce/repair.hpp"

namespace nftlink::enforce {

// After a repair others get three times the processor time that it cost, so that a storm of changes gets a quarter of
// it at most, and the last word is ours. What the kernel has refused is tried again; any news are a reason to do that
// at once.
class Backoff {
public:
    using Time = std::chrono::steady_clock::time_point;

    // A repair is wanted. True: now. Otherwise it is due later, together with whatever was due already.
    bool may_repair(const Cause& cause, Time now);
    // A repair that ended at that time has cost so much of the processor.
    void repaired(Time now, std::chrono::nanoseconds cost);

    void later(const Cause& cause, Time when) { set(cause, when, false); }
    void retry(const Cause& cause, Time when) { set(cause, when, true); }
    // The bridges are to be looked at: now, or with what is due.
    void look_at_bridges(const Cause& cause, Time now);

    // When something is due; nothing: never.
    std::optional<Time> due() const { return scheduled_ ? std::optional(when_) : std::nullopt; }
    // The repair that is due by now.
    std::optional<Cause> take(Time now);
    // The bridges have changed while another repair was due; said once.
    bool take_bridges() { return std::exchange(bridges_wait_, false); }

    // A repair is due, and delayed.
    bool is_behind() const { return is_behind_; }
    void caught_up() { is_behind_ = false; }
    // A change of bridges has not been dealt with.
    bool waits_for_bridges() const { return bridges_wait_ || (scheduled_ && scheduled_->of == Cause::Of::bridges); }

private:
    void set(const Cause& cause, Time when, bool is_retry);

    std::optional<Cause> scheduled_;
    Time when_{};
    bool is_retry_ = false;      // of what the kernel has refused
    bool bridges_wait_ = false;  // they have changed since something else was scheduled
    bool is_behind_ = false;
    Time earliest_{};
};

}  // namespace nftlink::enforce
