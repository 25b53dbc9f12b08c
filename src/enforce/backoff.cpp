#include "nftlink/enforce/backoff.hpp"

namespace nftlink::enforce {

namespace {

constexpr int share_of_others = 3;

}  // namespace

bool Backoff::may_repair(const Cause& cause, Time now) {
    const bool is_of_bridges = cause.of == Cause::Of::bridges;
    if (scheduled_ && !is_retry_) {
        is_behind_ |= !is_of_bridges;
        bridges_wait_ |= is_of_bridges;
        if (scheduled_->of == Cause::Of::bridges) {
            bridges_wait_ = true;
            scheduled_ = cause;
        }
        return false;
    }
    scheduled_.reset();
    if (now >= earliest_)
        return true;
    is_behind_ |= !is_of_bridges;
    later(cause, earliest_);
    return false;
}

void Backoff::repaired(Time now, std::chrono::nanoseconds cost) {
    earliest_ = now + share_of_others * cost;
}

void Backoff::look_at_bridges(const Cause& cause, Time now) {
    if (scheduled_)
        bridges_wait_ = true;
    else
        later(cause, now);
}

std::optional<Cause> Backoff::take(Time now) {
    if (!scheduled_ || now < when_)
        return {};
    return std::exchange(scheduled_, {});
}

void Backoff::set(const Cause& cause, Time when, bool is_retry) {
    scheduled_ = cause;
    when_ = when;
    is_retry_ = is_retry;
}

}  // namespace nftlink::enforce
