#include "nftlink/model/policy.hpp"

#include <algorithm>

namespace nftlink::model {

namespace {

bool attaches_to(const FirewallPolicy& policy, AttachPoint::Family family) {
    return std::ranges::any_of(policy.attach, [&](const AttachPoint& point) {
        return point.family == family || point.family == AttachPoint::Family::inet;
    });
}

// Null when none fits.
const BridgePattern* first_that_fits(const FirewallPolicy& policy, std::string_view bridge) {
    const auto found =
        std::ranges::find_if(policy.bridge_patterns, [&](const BridgePattern& each) { return each.fits(bridge); });
    return found == policy.bridge_patterns.end() ? nullptr : &*found;
}

}  // namespace

std::string_view to_string(Icc icc) {
    return icc == Icc::deny ? "deny" : "allow";
}

std::string_view to_string(Routed routed) {
    return routed == Routed::deny ? "deny" : routed == Routed::allow ? "allow" : "published";
}

bool BridgePattern::fits(std::string_view bridge) const {
    const std::string_view wanted = pattern;
    std::size_t at = 0, next = 0;
    // Only the last `*` may ever have to stand for more: what comes before it has been found as early as can be.
    std::size_t star = std::string_view::npos, star_end = 0;
    while (next < bridge.size()) {
        if (at < wanted.size() && wanted[at] == '*') {
            star = at++;
            star_end = next;
        } else if (at < wanted.size() && wanted[at] == bridge[next]) {
            ++at;
            ++next;
        } else if (star != std::string_view::npos) {
            at = star + 1;
            next = ++star_end;
        } else {
            return false;
        }
    }
    return wanted.find_first_not_of('*', at) == std::string_view::npos;
}

bool FirewallPolicy::covers(Ip ip) const {
    if (attach.empty())
        return ip == Ip::v4 || family != Family::ip;
    return attaches_to(*this, ip == Ip::v4 ? AttachPoint::Family::ip : AttachPoint::Family::ip6);
}

bool FirewallPolicy::polices(std::string_view bridge) const {
    return bridges.contains(bridge) || first_that_fits(*this, bridge) != nullptr;
}

BridgePolicy FirewallPolicy::bridge(std::string_view name) const {
    if (const auto found = bridges.find(name); found != bridges.end())
        return found->second;
    const BridgePattern* pattern = first_that_fits(*this, name);
    return pattern == nullptr ? BridgePolicy{} : pattern->policy;
}

bool FirewallPolicy::closes_other_frames(const BridgePolicy& bridge) const {
    const OtherFrames unsaid = attach.empty() ? OtherFrames::deny : OtherFrames::allow;
    return bridge.icc == Icc::deny && bridge.other_frames.value_or(unsaid) == OtherFrames::deny;
}

bool FirewallPolicy::may_close_other_frames() const {
    const auto closes = [this](const BridgePolicy& bridge) { return closes_other_frames(bridge); };
    return closes({}) || std::ranges::any_of(bridges, closes, &decltype(bridges)::value_type::second) ||
           std::ranges::any_of(bridge_patterns, closes, &BridgePattern::policy);
}

}  // namespace nftlink::model
