#include <algorithm>

#include "names.hpp"
#include "nftlink/firewall/firewall.hpp"
#include "permissions.hpp"
#include "policy_rules.hpp"

namespace nftlink::firewall {

namespace {

constexpr std::uint32_t forward_hook = 2;  // NF_INET_FORWARD, NF_BR_FORWARD

std::string tagged(std::string_view text) {
    return std::string(tag) + std::string(text);
}

// A rule that no packet meets. The kernel tracks connections while some rule asks for their state: with replies by port
// that keeps them known (a change to replies by state loses none), and has fragments put together, whose ports else
// nobody sees.
nft::Chain make_tracking_chain(const PolicyRules& rules) {
    nft::Chain chain;
    chain.name = tracking_chain;
    chain.comment = tagged("no packet comes here; it keeps connections tracked");
    chain.rules.push_back(rules.rule().established_or_related().build());
    return chain;
}

bool asks_for_state(const std::vector<nft::Chain>& chains) {
    const auto loads_state = [](const nft::Expression& expression) {
        return std::holds_alternative<nft::ConntrackLoad>(expression);
    };
    return std::ranges::any_of(chains, [&](const nft::Chain& chain) {
        return std::ranges::any_of(
            chain.rules, [&](const nft::Rule& rule) { return std::ranges::any_of(rule.expressions, loads_state); });
    });
}

// One table of our own with a base chain.
class TableCompiler {
public:
    TableCompiler(const model::FirewallPolicy& policy, const HostFacts& host)
        : policy_(policy), host_(host), rules_(policy, nft_family(policy.family), nft::Dialect::nft) {
        table_.family = rules_.family();
        table_.name = policy.table;
        table_.comment = tagged("written from its YAML configuration; change that instead");
        forward_.name = forward_chain;
        forward_.comment = tagged("what stays on a bridge goes to that bridge's chain");
        forward_.hook =
            nft::Hook{"filter", forward_hook, policy.priority.value_or(nft::filter_priority(table_.family)), 1};
    }

    void add_bridge(const std::string& name, BridgePermissions permissions) {
        const model::BridgePolicy bridge = policy_.bridge(name);
        nft::Chain chain;
        chain.name = bridge_chain(name);
        chain.comment = tagged("what may pass on " + name);
        for (const bool ipv4 : {true, false})
            if (!permissions.of(ipv4).empty())
                add_links(chain, name, ipv4, std::move(ipv4 ? permissions.ipv4 : permissions.ipv6));
        add_jumps(name, chain.name, bridge.icc);
        // In the bridge family there is no way out of a bridge, so that one of Docker's base rules is empty there.
        if (bridge.base_rules && !is_bridge_family())
            rules_.add_docker_base(forward_.rules, name, bridge.icc);
        else
            add_base(chain, name, bridge);
        chains_.push_back(std::move(chain));
    }

    nft::Table take() {
        table_.chains.push_back(std::move(forward_));
        std::ranges::move(chains_, std::back_inserter(table_.chains));
        const bool can_track = !is_bridge_family() || host_.bridge_conntrack;
        if (can_track && !asks_for_state(table_.chains))
            table_.chains.push_back(make_tracking_chain(rules_));
        return std::move(table_);
    }

private:
    bool is_bridge_family() const { return policy_.family == model::Family::bridge; }

    // What stays on the bridge goes to its chain. A rule's comment is the one place for our tag that a reload from
    // nft's JSON keeps.
    void add_jumps(const std::string& bridge, const std::string& chain, model::Icc icc) {
        const auto jump = [&](nft::RuleBuilder condition) {
            condition.jump(chain).comment(tagged(icc == model::Icc::deny ? "icc deny" : "icc allow"));
            forward_.rules.push_back(condition.build());
        };
        if (!is_bridge_family())
            return jump(rules_.rule().iifname(bridge).oifname(bridge));
        if (host_.bridge_names)
            return jump(rules_.rule().ibrname(bridge));
        // Either end suffices: a port that isn't known yet must not be a way around.
        const std::string ports = ports_set(bridge);
        jump(rules_.rule().iifname_in(ports));
        jump(rules_.rule().oifname_in(ports));
        add_ports(ports, bridge);
    }

    void add_ports(const std::string& name, const std::string& bridge) {
        nft::Set set;
        set.name = name;
        set.key = nft::interface_key();
        set.comment = tagged("the ports of " + bridge);
        if (const auto found = host_.ports.find(bridge); found != host_.ports.end())
            for (const std::string& port : found->second)
                set.elements.push_back({nft::interface_key(port), {}, {}, {}});
        std::ranges::sort(set.elements, {}, &nft::Element::key);
        table_.sets.push_back(std::move(set));
    }

    // Step 1: the links.
    void add_links(nft::Chain& chain, const std::string& bridge, bool ipv4, std::vector<Permission> permissions) {
        if (policy_.layout == model::Layout::rules) {
            for (const Permission& permission : permissions)
                rules_.add_link(chain.rules, rules_.rule(), permission);
            return;
        }
        if (rules_.replies_by_port()) {
            const std::string name = replies_set(bridge, ipv4);
            rules_.accept(chain.rules, rules_.rule().in_replies(ipv4, name));
            add_set(name, ipv4, "the same, for packets back by source port", permissions, false);
        }
        const std::string name = links_set(bridge, ipv4);
        rules_.accept(chain.rules, rules_.rule().in_links(ipv4, name));
        add_set(name, ipv4, "parent . child . protocol . port", std::move(permissions), policy_.counters);
    }

    void add_set(const std::string& name, bool ipv4, std::string_view comment, std::vector<Permission> permissions,
                 bool counter) {
        nft::Set set;
        set.name = name;
        set.key = nft::link_key(ipv4);
        set.size = set_size(permissions.size());
        set.counter = counter;
        set.comment = tagged(comment);
        set.elements = std::move(permissions);
        table_.sets.push_back(std::move(set));
    }

    // Steps 2 and 3, inside the bridge's chain.
    void add_base(nft::Chain& chain, const std::string& name, const model::BridgePolicy& bridge) {
        if (!rules_.replies_by_port() || bridge.base_rules)
            rules_.add_established(chain.rules, rules_.rule());
        if (bridge.icc == model::Icc::deny)
            rules_.add_drop(chain.rules, rules_.rule(), name);
        else if (bridge.base_rules)
            rules_.accept(chain.rules, rules_.rule());
    }

    const model::FirewallPolicy& policy_;
    const HostFacts& host_;
    PolicyRules rules_;
    nft::Table table_;
    nft::Chain forward_;
    std::vector<nft::Chain> chains_;
};

nft::Table compile_table(Permissions permissions, const model::FirewallPolicy& policy, const HostFacts& host) {
    TableCompiler compiler(policy, host);
    for (auto& [bridge, bridge_permissions] : permissions)
        compiler.add_bridge(bridge, std::move(bridge_permissions));
    return compiler.take();
}

// What a container sends to the bridge's own address for a neighbour, the host routes back onto the bridge: such
// packets pass the inet hook and never the bridge's. The same policy stands there too.
nft::Table compile_routed(Permissions permissions, model::FirewallPolicy policy) {
    policy.family = model::Family::inet;
    policy.table += routed_suffix;
    policy.priority.reset();
    policy.counters = false;
    for (auto& [name, bridge] : policy.bridges)
        bridge.base_rules = false;
    for (model::BridgePattern& pattern : policy.bridge_patterns)
        pattern.policy.base_rules = false;
    nft::Table table = compile_table(std::move(permissions), policy, {});
    table.comment = tagged("what the host routes from a bridge back onto it");
    return table;
}

Attachment compile_attachment(const Permissions& permissions, const model::FirewallPolicy& policy,
                              const model::AttachPoint& point) {
    const nft::Family family = nft_family(point.family);
    const auto dialect = is_iptables_table(family, point.table) ? nft::Dialect::iptables : nft::Dialect::nft;
    const PolicyRules rules(policy, family, dialect);
    Attachment attachment{family, point.table, point.chain, {}};
    for (const auto& [bridge, bridge_permissions] : permissions) {
        const model::BridgePolicy bridge_policy = policy.bridge(bridge);
        const auto inside = rules.rule().iifname(bridge).oifname(bridge);
        for (const bool ipv4 : {true, false})
            if (rules.covers(ipv4))
                for (const Permission& permission : bridge_permissions.of(ipv4))
                    rules.add_link(attachment.rules, inside, permission);
        if (bridge_policy.base_rules) {
            rules.add_docker_base(attachment.rules, bridge, bridge_policy.icc);
            continue;
        }
        if (!rules.replies_by_port())
            rules.add_established(attachment.rules, inside);
        if (bridge_policy.icc == model::Icc::deny)
            rules.add_drop(attachment.rules, inside, bridge);
    }
    for (nft::Rule& rule : attachment.rules)
        rule.owner = owner;
    return attachment;
}

// The table that remembers what is attached: a copy of each rule, in a chain that no packet meets. iptables-restore
// takes our mark off the rules; by the copies they are known again. The copies also say whose links they are, which in
// `iptables -S` would be in the way.
nft::Table& table_of_copies(std::vector<nft::Table>& tables, nft::Family family, const model::FirewallPolicy& policy) {
    const auto found = std::ranges::find(tables, family, &nft::Table::family);
    if (found != tables.end())
        return *found;
    nft::Table& table = tables.emplace_back();
    table.family = family;
    table.name = policy.table;
    table.comment = tagged("copies of the rules that are attached to other chains");
    table.chains.push_back(make_tracking_chain(PolicyRules(policy, family, nft::Dialect::nft)));
    return table;
}

void add_copies(nft::Table& table, Attachment& attachment) {
    nft::Chain chain;
    chain.name = copies_chain(attachment.table, attachment.chain);
    chain.comment = tagged("no packet comes here; these are the rules on top of that chain");
    chain.rules = attachment.rules;
    for (nft::Rule& rule : attachment.rules)
        rule.comment.clear();
    table.chains.push_back(std::move(chain));
}

// All that we write says whose it is, elements aside.
void mark(nft::Table& table) {
    table.owner = owner;
    for (nft::Set& set : table.sets)
        set.owner = owner;
    for (nft::Chain& chain : table.chains) {
        chain.owner = owner;
        for (nft::Rule& rule : chain.rules)
            rule.owner = owner;
    }
}

void add_attachments(const Permissions& links, const model::FirewallPolicy& policy, Wanted& want) {
    for (const model::AttachPoint& point : policy.attach) {
        Attachment attachment = compile_attachment(links, policy, point);
        add_copies(table_of_copies(want.tables, attachment.family, policy), attachment);
        want.attached.push_back(std::move(attachment));
    }
}

}  // namespace

Wanted compile(const model::Topology& topology, const model::FirewallPolicy& policy, const HostFacts& host) {
    Permissions links = permissions(topology, policy);
    for (const std::string& bridge : host.bridges)
        links[bridge];
    Wanted want;
    want.name = policy.table;
    if (!policy.attach.empty()) {
        add_attachments(links, policy, want);
    } else if (policy.family == model::Family::bridge) {
        want.tables.push_back(compile_table(links, policy, host));
        want.tables.push_back(compile_routed(std::move(links), policy));
    } else {
        want.tables.push_back(compile_table(std::move(links), policy, host));
    }
    std::ranges::for_each(want.tables, mark);
    return want;
}

}  // namespace nftlink::firewall
