// The permissions that the links of a topology give.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "nftlink/firewall/compile.hpp"
#include "nftlink/model/policy.hpp"
#include "nftlink/model/topology.hpp"
#include "nftlink/nft/ruleset.hpp"

namespace nftlink::firewall {

// Packets from one address to another's port, as the element of a set: the parent's bridge . parent . child . protocol
// . port. Several links may ask for the same permission: it is one, and its comment has their names, one blank between
// two, as far as there is room.
using Permission = nft::Element;

// The key types of links and of replies to them.
std::vector<nft::DataType> permission_key(model::Ip ip);

// A permission with its replies, as two rules say it.
struct RulePair {
    nft::Key link, reply;  // keys of links and replies
    std::string comment;
};

struct Permissions {
    // With `layout: sets`, each sorted by key, each key once: what links permit; and the child's bridge . child .
    // parent . protocol . the child's port, without comments.
    model::PerIp<std::vector<Permission>> links;
    model::PerIp<std::vector<nft::Element>> replies;
    // With `layout: rules`, sorted by the link's key, then the reply's; each pair once.
    model::PerIp<std::vector<RulePair>> rules;
    // Every one that the policy or a container names.
    std::set<std::string, std::less<>> bridges;
    bool cross_bridges = false;  // some lead from one bridge to another
};

Permissions permissions(const model::Topology& topology, const model::FirewallPolicy& policy);

// The elements of the sets of bridges for one that is policed; see names.hpp.
struct BridgeElement {
    std::string_view set;
    std::vector<nft::DataType> type;
    nft::Key key;
};
std::vector<BridgeElement> bridge_elements(const model::FirewallPolicy& policy, Frames frames, std::string_view bridge);

// The key type of a pair of bridges.
std::vector<nft::DataType> pair_key();

// Containers by name: where every link is followed, quicker than the topology's own search. The topology must not
// change meanwhile.
class ContainerIndex {
public:
    explicit ContainerIndex(const model::Topology& topology) {
        containers_.reserve(topology.containers.size());
        for (const auto& [name, container] : topology.containers)
            containers_.emplace(name, &container);
    }

    // Null when there is none of that name.
    const model::Container* find(std::string_view name) const {
        const auto found = containers_.find(name);
        return found == containers_.end() ? nullptr : found->second;
    }

private:
    std::unordered_map<std::string_view, const model::Container*> containers_;
};

// The names as a comment.
std::string comment_of(std::string users);

// One end of a permission: `from` on that bridge to a port of `to`, or the answers from it.
nft::Key make_key(std::string_view bridge, const model::Address& from, const model::Address& to,
                  const model::Port& port);

// Calls visit(ip, link key, reply key) once for each permission that a link of the parent to the child asks for:
// in every way that it goes, every pair of addresses of one kind, every port.
template <typename Visit>
void for_each_permission(const model::FirewallPolicy& policy, const model::Container& parent,
                         const model::Container& child, Visit visit) {
    const model::PerIp<bool> covers{policy.covers(model::Ip::v4), policy.covers(model::Ip::v6)};
    model::for_each_way(parent, child, [&](const model::Network& of_parent, const model::Network& of_child) {
        for (const model::Address& from : of_parent.addresses)
            for (const model::Address& to : of_child.addresses)
                if (from.ip() == to.ip() && covers[from.ip()])
                    for (const model::Port& port : child.expose)
                        visit(from.ip(), make_key(of_parent.bridge, from, to, port),
                              make_key(of_child.bridge, to, from, port));
    });
}

// True when the link with that key and those replies leads from one bridge to another.
bool crosses_bridges(const nft::Key& link, const nft::Key& reply);

// The number of elements that the set of so many permissions is made for. A set with a size gets the kernel's fixed
// hash, whose bucket array sizes of 3·2^k fit; a fifth of it is room to grow.
std::uint32_t set_size(std::size_t element_count);

// The fields of a link's key; addresses in network order.
struct Flow {
    std::string bridge;
    nft::Bytes parent, child;
    std::uint8_t protocol = 0;
    std::uint16_t port = 0;  // the child's
};
Flow flow_of(const nft::Key& key);

}  // namespace nftlink::firewall
