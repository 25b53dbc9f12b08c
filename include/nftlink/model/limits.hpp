// The limits, so that no request, label or file takes the host down. Everything is counted by arithmetic,
// and refused before anything is made of it.
//
// A function called …_fault gives what is wrong in a sentence without a place; empty when nothing is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "nftlink/model/policy.hpp"
#include "nftlink/model/topology.hpp"

namespace nftlink::model {

inline constexpr std::size_t max_addresses = 16;             // of a container on one bridge
inline constexpr std::size_t max_links = 4'096;              // of a parent
inline constexpr std::uint64_t max_permissions = 16'384;     // of a link
inline constexpr std::size_t most_permissions = 16'777'216;  // the highest limit of a host

// The limits that a host may set itself.
struct Limits {
    std::size_t permissions = 1'048'576;  // of all its links together

    bool operator==(const Limits&) const = default;
};
inline constexpr Limits no_limits{.permissions = std::numeric_limits<std::size_t>::max()};

std::string addresses_fault(std::string_view container, const Network& network);
std::string links_fault(std::string_view parent, std::size_t count);

// The number of permissions that a link of that parent to that child asks for: each pair of addresses of a family that
// the policy covers, with each port of the child. Pairs are those of every bridge that both are on; where there is
// none, those of each of the parent's networks with each of the child's.
std::uint64_t count_permissions(const Container& parent, const Container& child, const FirewallPolicy& policy);
std::string permissions_fault(const Container& parent, const Container& child, const FirewallPolicy& policy);

// `what` is what takes the host to that many: `container 'web'`.
std::string host_fault(std::string_view what, std::uint64_t permissions, const Limits& limits);

// The permissions of a host's links, added up link by link. The links of a parent to one child share theirs, whatever
// their aliases; those of a link that has too many don't count, nor do those that would go over the host's limit.
class PermissionSum {
public:
    PermissionSum(const FirewallPolicy& policy, const Limits& limits, std::uint64_t others = 0)
        : policy_(policy), limits_(limits), total_(others) {}

    // Both must stay where they are. Also why the link is over the host's limit.
    std::string add_or_fault(const Container& parent, const Container& child) {
        return add_or_fault(parent, child, count_permissions(parent, child, policy_));
    }
    // Where it has been counted already.
    std::string add_or_fault(const Container& parent, const Container& child, std::uint64_t permissions);
    std::uint64_t total() const { return total_; }

private:
    using Pair = std::pair<const Container*, const Container*>;
    struct Hash {
        std::size_t operator()(const Pair& pair) const;
    };

    const FirewallPolicy& policy_;
    Limits limits_;
    std::uint64_t total_;
    std::unordered_set<Pair, Hash> counted_;
};

// The sum of all links; of those from some containers; of those from them and to them.
std::uint64_t sum_permissions(const ContainerView& containers, const FirewallPolicy& policy);
std::uint64_t sum_permissions_from(const ContainerView& containers, const FirewallPolicy& policy,
                                   const std::vector<std::string>& names);
std::uint64_t sum_permissions_of(const ContainerView& containers, const FirewallPolicy& policy,
                                 const std::vector<std::string>& names);

}  // namespace nftlink::model
