#include "nftlink/model/policy.hpp"

#include <algorithm>

namespace nftlink::model {

namespace {

bool attaches_to(const FirewallPolicy& policy, AttachPoint::Family family) {
    return std::ranges::any_of(policy.attach, [&](const AttachPoint& point) {
        return point.family == family || point.family == AttachPoint::Family::inet;
    });
}

}  // namespace

bool FirewallPolicy::covers_ipv4() const {
    return attach.empty() || attaches_to(*this, AttachPoint::Family::ip);
}

bool FirewallPolicy::covers_ipv6() const {
    return attach.empty() ? family != Family::ip : attaches_to(*this, AttachPoint::Family::ip6);
}

BridgePolicy FirewallPolicy::bridge(std::string_view name) const {
    const auto found = bridges.find(name);
    return found == bridges.end() ? BridgePolicy{} : found->second;
}

}  // namespace nftlink::model
