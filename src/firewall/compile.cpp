#include <fmt/format.h>

#include <algorithm>

#include "names.hpp"
#include "nftlink/firewall/firewall.hpp"
#include "nftlink/nft/build.hpp"
#include "permissions.hpp"

namespace nftlink::firewall {

namespace {

constexpr std::uint8_t neighbour_solicitation = 135, neighbour_advertisement = 136;
constexpr std::uint32_t forward_hook = 2;  // NF_INET_FORWARD
constexpr std::uint64_t logged_drops_per_second = 10;

std::string tagged(std::string_view text) {
    return std::string(tag) + std::string(text);
}

nft::Family nft_family(model::Family family) {
    return family == model::Family::inet ? nft::Family::inet : nft::Family::ip;
}

// A set with a size gets the kernel's fixed hash, whose bucket array sizes of 3·2^k fit; some room to grow is left.
std::uint32_t set_size(std::size_t element_count) {
    constexpr std::size_t smallest = 192;
    std::size_t size = smallest;
    while (size < element_count + element_count / 4)
        size *= 2;
    return static_cast<std::uint32_t>(size);
}

class Compiler {
public:
    explicit Compiler(const model::FirewallPolicy& policy) : policy_(policy) {
        table_.family = nft_family(policy.family);
        table_.name = policy.table;
        table_.comment = tagged("written from its YAML configuration; change that instead");
        forward_.name = forward_chain;
        forward_.comment = tagged("what stays on a bridge goes to that bridge's chain");
        forward_.hook = nft::Hook{"filter", forward_hook, policy.priority, 1};
    }

    void add_bridge(const std::string& name, const BridgePermissions& permissions) {
        const auto found = policy_.bridges.find(name);
        const model::BridgePolicy bridge = found == policy_.bridges.end() ? model::BridgePolicy{} : found->second;

        nft::Chain chain;
        chain.name = bridge_chain(name);
        chain.comment = tagged("what may pass on " + name);
        for (const bool ipv4 : {true, false})
            if (!permissions.of(ipv4).empty())
                add_links(chain, name, ipv4, permissions.of(ipv4));
        // A rule's comment is the one place for our tag that a reload from nft's JSON keeps.
        const bool deny = bridge.icc == model::Icc::deny;
        add(forward_,
            rule().iifname(name).oifname(name).jump(chain.name).comment(tagged(deny ? "icc deny" : "icc allow")));
        if (bridge.base_rules)
            add_docker_base(name, bridge.icc);
        else
            add_base(chain, name, bridge.icc);
        chains_.push_back(std::move(chain));
    }

    nft::Table take() {
        table_.chains.push_back(std::move(forward_));
        std::ranges::move(chains_, std::back_inserter(table_.chains));
        return std::move(table_);
    }

private:
    nft::RuleBuilder rule() const { return nft::RuleBuilder(table_.family); }

    static void add(nft::Chain& chain, nft::RuleBuilder& rule) { chain.rules.push_back(rule.build()); }
    static void add(nft::Chain& chain, nft::RuleBuilder&& rule) { add(chain, rule); }

    // Ends a rule with accept, and with the mark for firewalls that accept by mark.
    nft::RuleBuilder& accept(nft::RuleBuilder& rule) const {
        if (policy_.accept_mark)
            rule.set_mark(*policy_.accept_mark);
        return rule.accept();
    }
    nft::RuleBuilder& accept(nft::RuleBuilder&& rule) const { return accept(rule); }

    bool replies_by_port() const { return policy_.replies == model::Replies::source_port; }

    // Step 1: the links.
    void add_links(nft::Chain& chain, const std::string& bridge, bool ipv4,
                   const std::vector<Permission>& permissions) {
        if (policy_.layout == model::Layout::rules) {
            for (const Permission& permission : permissions)
                add_link_rules(chain, ipv4, permission);
            return;
        }
        if (replies_by_port()) {
            const std::string name = replies_set(bridge, ipv4);
            add(chain, accept(rule().in_replies(ipv4, name)));
            add_set(name, ipv4, "the same, for packets back by source port", permissions, false);
        }
        const std::string name = links_set(bridge, ipv4);
        add(chain, accept(rule().in_links(ipv4, name)));
        add_set(name, ipv4, "parent . child . protocol . port", permissions, policy_.counters);
    }

    void add_set(const std::string& name, bool ipv4, std::string_view comment,
                 const std::vector<Permission>& permissions, bool counter) {
        nft::Set set;
        set.name = name;
        set.key = nft::link_key(ipv4);
        set.size = set_size(permissions.size());
        set.counter = counter;
        set.comment = tagged(comment);
        set.elements.reserve(permissions.size());
        for (const Permission& permission : permissions)
            set.elements.push_back({permission.key, comment_of(permission), {}, {}});
        table_.sets.push_back(std::move(set));
    }

    static std::string comment_of(const Permission& permission) {
        return permission.users.substr(0, nft::max_comment_length);
    }

    // Docker's two rules in nft's words, in Docker's order.
    void add_link_rules(nft::Chain& chain, bool ipv4, const Permission& permission) {
        const std::size_t size = ipv4 ? 4 : 16;
        const auto key = permission.key.bytes();
        const auto parent = key.first(size), child = key.subspan(size, size);
        const std::uint8_t protocol = key[2 * size];
        const auto port = static_cast<std::uint16_t>(key[2 * size + 4] << 8 | key[2 * size + 5]);
        if (replies_by_port()) {
            auto back = rule().source(child).destination(parent).source_port(protocol, port);
            add(chain, accept(back).comment(comment_of(permission)));
        }
        auto link = rule().source(parent).destination(child).destination_port(protocol, port);
        if (policy_.counters)
            link.counter();
        add(chain, accept(link).comment(comment_of(permission)));
    }

    // Steps 2 and 3, inside the bridge's chain.
    void add_base(nft::Chain& chain, const std::string& bridge, model::Icc icc) {
        if (!replies_by_port())
            add(chain, accept(rule().established_or_related()));
        if (icc == model::Icc::allow)
            return;
        add_neighbour_discovery(chain, rule());
        add_drop(chain, bridge, rule());
    }

    // Docker's three base rules, in its order, after the jump to the links.
    void add_docker_base(const std::string& bridge, model::Icc icc) {
        const auto inside = rule().iifname(bridge).oifname(bridge);
        add(forward_, accept(rule().oifname(bridge).established_or_related()));
        add(forward_, accept(rule().iifname(bridge).oifname_not(bridge)));
        if (icc == model::Icc::allow) {
            auto allowed = inside;
            add(forward_, accept(allowed));
            return;
        }
        add_neighbour_discovery(forward_, inside);
        add_drop(forward_, bridge, inside);
    }

    // IPv6 neighbour discovery is no part of any connection: without it every IPv6 link is dead.
    void add_neighbour_discovery(nft::Chain& chain, const nft::RuleBuilder& start) {
        if (policy_.family != model::Family::inet)
            return;
        for (const std::uint8_t type : {neighbour_solicitation, neighbour_advertisement}) {
            auto neighbour = start;
            add(chain, accept(neighbour.icmpv6_type(type)));
        }
    }

    void add_drop(nft::Chain& chain, const std::string& bridge, const nft::RuleBuilder& start) {
        if (policy_.log_drops) {
            auto log = start;
            add(chain, log.limit_per_second(logged_drops_per_second).log(fmt::format("nftlink {} drop: ", bridge)));
        }
        auto drop = start;
        if (policy_.counters)
            drop.counter();
        add(chain, drop.drop());
    }

    const model::FirewallPolicy& policy_;
    nft::Table table_;
    nft::Chain forward_;
    std::vector<nft::Chain> chains_;
};

}  // namespace

nft::Ruleset compile(const model::Topology& topology, const model::FirewallPolicy& policy) {
    Compiler compiler(policy);
    for (const auto& [bridge, bridge_permissions] : permissions(topology, policy))
        compiler.add_bridge(bridge, bridge_permissions);
    nft::Ruleset ruleset;
    ruleset.tables.push_back(compiler.take());
    return ruleset;
}

bool is_ours(const nft::Table& table) {
    const auto has_tag = [](const auto& object) { return object.comment.starts_with(tag); };
    const auto has_tagged_rule = [&](const nft::Chain& chain) { return std::ranges::any_of(chain.rules, has_tag); };
    return has_tag(table) || std::ranges::any_of(table.chains, has_tag) || std::ranges::any_of(table.sets, has_tag) ||
           std::ranges::any_of(table.chains, has_tagged_rule);
}

bool is_relevant(const nft::Table& table, const nft::Ruleset& want) {
    return is_ours(table) || want.table(table.family, table.name) != nullptr;
}

}  // namespace nftlink::firewall
