// One topology of what people wrote and of what the engine says. Pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "nftlink/engine/inventory.hpp"
#include "nftlink/model/limits.hpp"
#include "nftlink/model/policy.hpp"
#include "nftlink/model/topology.hpp"

namespace nftlink::desired {

// A link that isn't there yet, since one of its sides isn't, or there is no room for its permissions.
struct Waiting {
    std::string parent;
    model::Link link;
    std::string reason;  // `there is no container redis yet`

    bool operator==(const Waiting&) const = default;
};

// A part of a container that was left out, and the reason; with both origins where two contradict each other.
struct Complaint {
    std::string container;
    std::string message;

    auto operator<=>(const Complaint&) const = default;
};

struct United {
    // Containers that run, each on a bridge that is policed; all their links hold.
    model::Topology topology;
    // Containers that don't run, with the links that would hold, or whose children aren't there: what their variables
    // would be. Their networks have bridges and no addresses.
    model::Topology idle;
    std::vector<Waiting> waiting;
    std::vector<Complaint> complaints;  // sorted

    // Among those that run, else among those that don't.
    const model::Container* find(std::string_view name) const;
    bool operator==(const United&) const = default;
};

// `stated` is what people wrote, valid by itself except that links may lead to the engine's containers, and that a
// container without networks is the engine's one of that name: what is written adds to what the engine says (links by
// alias, variables by name) or takes its place (ports). A container with networks takes the place of the engine's one
// of its name, and an address that somebody wrote is never the engine's container's.
//
// Of the engine's containers those that are on a bridge that `policy` names count, and there alone. A link's child is
// the container of a service of the parent's compose project, or the one of that name or id. Of a service that is
// scaled, the one with the lowest number has the alias, and all have the alias with `_` and their number.
//
// Link variables that the engine's container was started with (from an env file, or by CDI) are not its own: they would
// hide the ones that are true now.
//
// A container with more addresses on a bridge than the limit is left out, and so are links beyond the limits of a
// parent, a link and the host. The host's room is first for links between containers that people wrote, then for others
// that they wrote, then for those that the engine tells of.
//
// `origin` says where a container was stated (`in nftlink.yaml:7:3`), and `engine` what the engine is called, for
// complaints.
United unite(const model::Topology& stated, const model::FirewallPolicy& policy, const model::Limits& limits,
             const engine::Inventory& inventory, const std::function<std::string(std::string_view container)>& origin,
             std::string_view engine);

}  // namespace nftlink::desired
