#include "nftlink/desired/unite.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

namespace nftlink::desired {

using engine::Container;
using engine::Endpoint;
using engine::Inventory;
using engine::Wish;

namespace {

using model::Address;
using model::Link;
using model::Topology;

constexpr std::size_t shortest_id = 12;  // Docker's short form

std::string_view name_of(std::string_view entry) {
    return entry.substr(0, entry.find('='));
}

// The stated entries win by name, and come last where they are new.
std::vector<std::string> merge_environment(std::vector<std::string> entries, const std::vector<std::string>& stated) {
    for (const std::string& entry : stated) {
        const auto same = std::ranges::find(entries, name_of(entry), name_of);
        if (same != entries.end())
            *same = entry;
        else
            entries.push_back(entry);
    }
    return entries;
}

// The beginning of a link variable's name: Docker 0.10 keeps `-`, later ones write `_`.
std::vector<std::string> prefixes_of(std::string alias) {
    std::ranges::transform(alias, alias.begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    std::vector<std::string> prefixes{alias};
    std::ranges::replace(alias, '-', '_');
    if (alias != prefixes.front())
        prefixes.push_back(alias);
    return prefixes;
}

// Those of a link are there if the link's name is: DB_NAME=/web/db. The parent may have been renamed since.
void forget_link_variables(std::vector<std::string>& entries, const std::string& alias) {
    for (const std::string& prefix : prefixes_of(alias)) {
        const std::string name = prefix + "_NAME=";
        const bool is_there = std::ranges::any_of(entries, [&](const std::string& entry) {
            return entry.starts_with(name + "/") && entry.ends_with("/" + alias);
        });
        if (is_there)
            std::erase_if(entries, [&](const std::string& entry) {
                return entry.starts_with(name) || entry.starts_with(prefix + "_PORT") ||
                       entry.starts_with(prefix + "_ENV_");
            });
    }
}

class Uniter {
public:
    Uniter(const Topology& stated, const model::FirewallPolicy& policy, const model::Limits& limits,
           const Inventory& inventory, const std::function<std::string(std::string_view)>& origin,
           std::string_view engine)
        : stated_(stated),
          policy_(policy),
          host_(policy, limits),
          inventory_(inventory),
          origin_(origin),
          engine_(engine) {}

    United unite() {
        for (const auto& [id, container] : inventory_.containers) {
            by_name_.emplace(container.name, &container);
            if (!container.service.empty())
                by_service_[{container.project, container.service}].push_back(&container);
        }
        for (const auto& [name, container] : stated_.containers)
            if (!container.networks.empty())
                placed_by_people_.insert(&place(container));
        for (const Container* container : in_order_of_claims())
            place(*container);
        for (const auto& [name, container] : stated_.containers)
            if (container.networks.empty() && united_.find(name) == nullptr)
                united_.idle.containers.emplace(name, container);
        for (auto& [name, container] : united_.topology.containers)
            link(container, true);
        for (auto& [name, container] : united_.idle.containers)
            link(container, false);
        leave_out_what_has_no_room();
        std::ranges::sort(united_.complaints);
        return std::move(united_);
    }

private:
    void complain(std::string_view container, std::string message) {
        united_.complaints.push_back({std::string(container), std::move(message)});
    }

    // The container that was started last has an address, whatever another one that has it too says: that one has
    // ended.
    std::vector<const Container*> in_order_of_claims() const {
        std::vector<const Container*> containers;
        for (const auto& [id, container] : inventory_.containers)
            containers.push_back(&container);
        std::ranges::sort(containers, [](const Container* a, const Container* b) {
            return std::tie(b->running, b->started, a->id) < std::tie(a->running, a->started, b->id);
        });
        return containers;
    }

    const model::Container& place(const model::Container& container) {
        for (const model::Network& network : container.networks)
            for (const Address& address : network.addresses)
                users_.emplace(std::pair(network.bridge, address), container.name);
        return united_.topology.containers.emplace(container.name, container).first->second;
    }

    void place(const Container& found) {
        const model::Container* stated = stated_.find(found.name);
        if (stated != nullptr && !stated->networks.empty()) {
            if (networks_of(found) != stated->networks)
                complain(found.name,
                         fmt::format(
                             "container {}: {} reports other networks than those stated {}; the stated ones are used",
                             found.name, engine_, origin_(found.name)));
            return;
        }
        if (!model::is_name(found.name))
            return complain(found.name, fmt::format("container {} of {} is left out: its name is longer than 64 "
                                                    "characters, or has others than letters, digits, _, . and -",
                                                    found.name.substr(0, 80), engine_));
        model::Container container{.name = found.name,
                                   .networks = networks_of(found),
                                   .expose = found.expose,
                                   .environment = found.environment,
                                   .links = {}};
        if (stated != nullptr) {
            if (!stated->expose.empty())
                container.expose = stated->expose;
            container.environment = merge_environment(std::move(container.environment), stated->environment);
            container.links = stated->links;
        }
        if (has_too_many_addresses(container) || !may_have_addresses(container))
            return;
        if (const bool on_policed_bridge = !container.networks.empty(); on_policed_bridge || stated != nullptr)
            for (const std::string& complaint : found.complaints)
                complain(found.name, fmt::format("container {} of {}: {}", found.name, engine_, complaint));
        const bool has_addresses = std::ranges::any_of(
            container.networks, [](const model::Network& network) { return !network.addresses.empty(); });
        if (has_addresses) {
            std::erase_if(container.networks, [](const model::Network& network) { return network.addresses.empty(); });
            place(container);
        } else if (!container.networks.empty() || stated != nullptr) {
            united_.idle.containers.emplace(found.name, std::move(container));
        }
    }

    std::vector<model::Network> networks_of(const Container& found) const {
        std::vector<model::Network> networks;
        for (const Endpoint& endpoint : found.endpoints) {
            const std::string bridge(inventory_.bridge_of(endpoint));
            if (bridge.empty() || !policy_.polices(bridge))
                continue;
            model::Network network{bridge, {}};
            std::ranges::copy_if(endpoint.addresses, std::back_inserter(network.addresses),
                                 [this](const Address& address) { return policy_.covers(address.ip()); });
            networks.push_back(std::move(network));
        }
        return networks;
    }

    bool has_too_many_addresses(const model::Container& container) {
        for (const model::Network& network : container.networks)
            if (const std::string fault = model::addresses_fault(container.name, network); !fault.empty()) {
                complain(container.name,
                         fmt::format("container {} of {} is left out: {}", container.name, engine_, fault));
                return true;
            }
        return false;
    }

    bool may_have_addresses(const model::Container& container) {
        for (const model::Network& network : container.networks)
            for (const Address& address : network.addresses)
                if (const auto user = users_.find({network.bridge, address}); user != users_.end()) {
                    const model::Container* other = stated_.find(user->second);
                    const bool is_stated = other != nullptr && !other->networks.empty();
                    complain(container.name,
                             fmt::format("container {} of {} is left out: its address {} on {} is {}'s, {}",
                                         container.name, engine_, address.to_string(), network.bridge, user->second,
                                         is_stated ? "stated " + origin_(user->second) : "which was started later"));
                    return false;
                }
        return true;
    }

    void link(model::Container& parent, bool runs) {
        std::vector<Link> wanted = std::move(parent.links);
        parent.links.clear();
        const model::Container* stated = stated_.find(parent.name);
        const bool is_stated = stated != nullptr;
        const std::size_t stated_count = wanted.size();
        const auto found = by_name_.find(parent.name);
        const Container* const source = found == by_name_.end() ? nullptr : found->second;
        if (source != nullptr && (stated == nullptr || stated->networks.empty())) {
            add_wishes(*source, wanted);
            for (const Link& link : wanted)
                forget_link_variables(parent.environment, link.alias);
        }
        // Where a parent would be that the engine hasn't made yet: where its children are.
        if (!runs && parent.networks.empty())
            for (const Link& link : wanted)
                if (const model::Container* child = united_.topology.find(link.child))
                    for (const model::Network& network : child->networks)
                        if (parent.on(network.bridge) == nullptr)
                            parent.networks.push_back({network.bridge, {}});
        for (std::size_t index = 0; index < wanted.size(); ++index) {
            Link& link = wanted[index];
            const model::Container* child = united_.topology.find(link.child);
            std::string reason = child == nullptr ? why_absent(link.child) : "";
            if (reason.empty() && runs)
                claim(parent, *child, index < stated_count);
            if (reason.empty() || (!runs && child == nullptr))
                parent.links.push_back(link);
            if (!runs && is_stated && std::ranges::find(stated->links, link) != stated->links.end())
                reason = why_absent(parent.name);
            if (!reason.empty() && (runs || is_stated))
                united_.waiting.push_back({parent.name, std::move(link), std::move(reason)});
        }
    }

    // The first to come has the room of the host.
    enum class Claim { between_stated, stated, of_engine };
    struct Claimed {
        model::Container* parent;
        const model::Container* child;
        std::size_t link;  // of the parent's
    };

    // The parent's next link.
    void claim(model::Container& parent, const model::Container& child, bool is_stated) {
        const bool are_placed = is_stated && placed_by_people_.contains(&parent) && placed_by_people_.contains(&child);
        const Claim claim = are_placed ? Claim::between_stated : is_stated ? Claim::stated : Claim::of_engine;
        claims_[static_cast<std::size_t>(claim)].push_back({&parent, &child, parent.links.size()});
    }

    void leave_out_what_has_no_room() {
        std::map<model::Container*, std::set<std::string>> left_out;  // aliases by parent
        std::map<model::Container*, std::string> firsts;              // the first one's complaint
        for (const std::vector<Claimed>& claims : claims_)
            for (const auto& [parent, child, index] : claims)
                if (std::string fault = fault_of(*parent, *child); !fault.empty()) {
                    const Link& link = parent->links[index];
                    left_out[parent].insert(link.alias);
                    firsts.emplace(parent, fmt::format("link {} is left out: {}",
                                                       model::link_name(parent->name, link.alias), fault));
                    united_.waiting.push_back({parent->name, link, std::move(fault)});
                }
        // A label may ask for thousands.
        for (const auto& [parent, aliases] : left_out) {
            complain(parent->name, aliases.size() == 1 ? firsts[parent]
                                                       : fmt::format("{}; and {} more of its links", firsts[parent],
                                                                     aliases.size() - 1));
            std::erase_if(parent->links, [&](const Link& link) { return aliases.contains(link.alias); });
        }
    }

    std::string fault_of(const model::Container& parent, const model::Container& child) {
        std::string fault = model::permissions_fault(parent, child, policy_);
        return fault.empty() ? host_.add_or_fault(parent, child) : fault;
    }

    void add_wishes(const Container& parent, std::vector<Link>& links) {
        std::unordered_map<std::string, std::string> children;  // by alias
        for (const Link& link : links)
            children.emplace(link.alias, link.child);
        std::size_t left_out = 0;
        for (const Wish& wish : parent.links)
            for (Link& link : resolve(parent, wish)) {
                const auto same = children.find(link.alias);
                if (same != children.end() && same->second != link.child) {
                    complain(parent.name, fmt::format("container {} of {}: the alias {} is {} already, so that {} is "
                                                      "left out",
                                                      parent.name, engine_, link.alias, same->second, link.child));
                } else if (same != children.end() || link.child == parent.name) {
                    continue;
                } else if (!model::links_fault(parent.name, links.size() + 1).empty()) {
                    ++left_out;
                } else {
                    children.emplace(link.alias, link.child);
                    links.push_back(std::move(link));
                }
            }
        if (left_out > 0)
            complain(parent.name, fmt::format("container {} of {}: {} of its links {} left out: {}", parent.name,
                                              engine_, left_out, left_out == 1 ? "is" : "are",
                                              model::links_fault(parent.name, links.size() + left_out)));
    }

    std::vector<Link> resolve(const Container& parent, const Wish& wish) const {
        const auto found = by_service_.find({parent.project, wish.child});
        if (parent.project.empty() || found == by_service_.end())
            return {{name_of_child(wish.child), wish.alias}};
        std::vector<const Container*> replicas = found->second;
        // Those that run come first: a replica that has ended has no place among them.
        std::ranges::sort(replicas, [](const Container* a, const Container* b) {
            return std::tie(b->running, a->number, a->name) < std::tie(a->running, b->number, b->name);
        });
        std::vector<Link> links{{replicas.front()->name, wish.alias}};
        if (replicas.size() > 1)
            for (const Container* replica : replicas)
                links.push_back({replica->name, fmt::format("{}_{}", wish.alias, replica->number)});
        return links;
    }

    std::string name_of_child(const std::string& text) const {
        if (united_.find(text) != nullptr || text.size() < shortest_id)
            return text;
        const auto by_id = inventory_.containers.lower_bound(text);
        return by_id != inventory_.containers.end() && by_id->first.starts_with(text) ? by_id->second.name : text;
    }

    std::string why_absent(const std::string& name) const {
        const auto known = by_name_.find(name);
        if (known == by_name_.end())
            return fmt::format("there is no container {} yet", name);
        return known->second->running ? fmt::format("{} has no address on a bridge that is policed", name)
                                      : fmt::format("{} is not running", name);
    }

    const Topology& stated_;
    const model::FirewallPolicy& policy_;
    std::unordered_set<const model::Container*> placed_by_people_;
    model::PermissionSum host_;
    std::array<std::vector<Claimed>, 3> claims_;
    const Inventory& inventory_;
    const std::function<std::string(std::string_view)>& origin_;
    const std::string_view engine_;
    std::map<std::pair<std::string, Address>, std::string> users_;  // by bridge and address: the container's name
    // The engine's containers, all of them.
    std::map<std::string_view, const Container*> by_name_;
    std::map<std::pair<std::string_view, std::string_view>, std::vector<const Container*>> by_service_;
    United united_;
};

}  // namespace

const model::Container* United::find(std::string_view name) const {
    const model::Container* running = topology.find(name);
    return running != nullptr ? running : idle.find(name);
}

United unite(const Topology& stated, const model::FirewallPolicy& policy, const model::Limits& limits,
             const Inventory& inventory, const std::function<std::string(std::string_view)>& origin,
             std::string_view engine) {
    return Uniter(stated, policy, limits, inventory, origin, engine).unite();
}

}  // namespace nftlink::desired
