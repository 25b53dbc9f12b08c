// Containers fitting together: the one checker of files, of requests, and of what was stored. It knows no places; who
// asks adds them.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "nftlink/model/limits.hpp"
#include "nftlink/model/policy.hpp"
#include "nftlink/model/topology.hpp"

namespace nftlink::model {

// A container engine may be a source of containers too. Allowed: a container may be without networks, and a link's
// child need not be there, since the engine may know either, now or later.
enum class Unplaced { refused, allowed };

// Looking for a close name among all containers costs: past this many unknown ones messages do without.
inline constexpr std::size_t max_suggestions = 10;

// Why a container can't be in a topology.
struct Misfit {
    enum class Kind {
        address,           // the index-th address, counted over all networks, is another container's on that bridge
        family,            // it has no address that the policy is about
        child,             // the index-th link's child doesn't exist
        links,             // the index-th link is one too many
        link_permissions,  // the index-th link has too many permissions
        host_permissions,  // with the index-th link the host has too many
    };
    Kind kind = Kind::address;
    std::string container;
    std::size_t index = 0;
    std::string message;          // a sentence
    std::string other;            // the container that has the address; the child
    std::size_t other_index = 0;  // of the address there

    bool operator==(const Misfit&) const = default;
};

// The misfits of these of the containers, and of links to them. Names of no container are passed over. Of two of
// them that have the same address, the later one is wrong. With unplaced ones allowed, a child that isn't there is
// right, and so is whatever depends on networks that a container doesn't have yet.
//
// `host` is the sum of the host's other links, to which these containers' and those to them are added; without it, what
// they come to isn't looked at. The first that goes over is named, and none after it.
std::vector<Misfit> check_fit(const ContainerView& containers, const FirewallPolicy& policy,
                              const std::vector<std::string>& names, Unplaced unplaced = Unplaced::refused,
                              PermissionSum* host = nullptr);

// The same where these containers were in the topology before, on the same networks and with the same ports, and have
// other links now: what else there is isn't looked at, and only links from these containers are added to the sum.
std::vector<Misfit> check_links_fit(const ContainerView& containers, const FirewallPolicy& policy,
                                    const std::vector<std::string>& names, Unplaced unplaced = Unplaced::refused,
                                    PermissionSum* host = nullptr);

// Of a parent and its child: enough is known of them to count their link's permissions. None: always.
using CanCount = std::function<bool(const Container& parent, const Container& child)>;

// The same as check_fit() of all containers, in their order.
std::vector<Misfit> check_all_fit(const ContainerView& containers, const FirewallPolicy& policy, Unplaced unplaced,
                                  PermissionSum& host, CanCount can_count = nullptr);

}  // namespace nftlink::model
