// One container as a YAML document of its own, and how containers fit together. For those that don't come from the
// configuration's files.
#pragma once

#include <cstddef>
#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nftlink/base/error.hpp"
#include "nftlink/config/config.hpp"
#include "nftlink/model/limits.hpp"
#include "nftlink/model/policy.hpp"
#include "nftlink/model/topology.hpp"

namespace nftlink::config {

// Whether a container engine is a source of containers too (Config::sources). Allowed: a container may be without
// networks, and a link's child need not be there, since the engine may know either, now or later.
enum class Unplaced { refused, allowed };

// A document in the configuration's own form, with this container alone. parse_container() of it gives the container
// back, whatever its values are.
std::string to_yaml(const model::Container& container);

// Reads such a document: `containers:` with exactly one container, called `name`, and nothing else. The container is
// checked by itself, not against others.
std::expected<model::Container, base::Errors> parse_container(const Source& source, std::string_view name,
                                                              Unplaced unplaced = Unplaced::refused);

// What is wrong with one link of that parent, `child` or `child:alias`, by itself; empty when nothing is.
std::string link_fault(std::string_view parent, std::string_view link);

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
    std::string message;  // a sentence
    std::string other;    // the container that has the address; the child

    bool operator==(const Misfit&) const = default;
};

// What is wrong with these of the containers, and with links to them. Names of no container are passed over.
// With unplaced ones allowed, a child that isn't there is right, and so is whatever depends on networks that a
// container doesn't have yet.
//
// `host` is the sum of the host's other links, to which these containers' and those to them are added; without it, what
// they come to isn't looked at. The first that goes over is named, and none after it.
std::vector<Misfit> check_fit(const model::ContainerView& containers, const model::FirewallPolicy& policy,
                              const std::vector<std::string>& names, Unplaced unplaced = Unplaced::refused,
                              model::PermissionSum* host = nullptr);

// The same where these containers were in the topology before, on the same networks and with the same ports, and have
// other links now: what else there is isn't looked at, and only links from these containers are added to the sum.
std::vector<Misfit> check_links_fit(const model::ContainerView& containers, const model::FirewallPolicy& policy,
                                    const std::vector<std::string>& names, Unplaced unplaced = Unplaced::refused,
                                    model::PermissionSum* host = nullptr);

}  // namespace nftlink::config
