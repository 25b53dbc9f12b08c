#include "contest.hpp"

#include <fmt/format.h>

#include "nftlink/base/suggestion.hpp"

namespace nftlink::enforce {

void Contest::judge(const std::vector<firewall::Obstacle>& obstacles, Time now) {
    obstacle_.clear();
    if (places_.may_take(now)) {
        warning_.clear();
        if (!obstacles.empty())
            places_.taken(now);
        return;
    }
    if (obstacles.empty())
        return;
    const firewall::Obstacle& first = obstacles.front();
    obstacle_ =
        fmt::format("rules of others stand above nftlink's in chain {}, or in their place, and decide first: {}",
                    first.chain, first.rule);
    if (warning_.empty())
        warning_ = fmt::format(
            "chain {} is changed again and again so that nftlink's rules don't come first (the last time by {}): they "
            "are left where they are for an hour, or until nftlink reload; let the others stand elsewhere, or attach "
            "to a chain that comes before",
            first.chain, rival_.empty() ? "an unknown program" : base::escape(rival_));
}

}  // namespace nftlink::enforce
