#include "nftlink/firewall/compile.hpp"

// The frame: a table whose rules never change, whatever bridges, containers and links there are. Only elements of its
// sets do; with `layout: rules` the rules of one chain.
//
//   forward   what comes from no bridge of ours, or leaves for none, passes; so do links by their key, neighbour
//             discovery, and what the other chains let pass. The rest is dropped.
//   replies   those of a link, by their connection and key.
//   lenient   what bridges take beside links: everything with icc: allow, and what `routed` lets in. Most bridges take
//             none, which one look at a set of names tells.
//   answers   to what was let in from other bridges.
//   errors    an ICMP error passes between the two ends of a link, about a connection that this link permits; and back
//             to what was let in.
//
// Beside it stands a table of the bridge family against the frames that no rule about IP sees. A packet's type is asked
// of the frame (`ether type`): `meta protocol` is what stands behind a tag.
#include <linux/if_ether.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <utility>

#include "names.hpp"
#include "permissions.hpp"
#include "policy_rules.hpp"

namespace nftlink::firewall {

namespace {

using nft::Field;
using Rules = PolicyRules::Rules;

constexpr std::uint32_t prerouting_hook = 0, forward_hook = 2;  // NF_INET_FORWARD, NF_BR_FORWARD …
constexpr std::int32_t before_all = -300;                       // nft's `dstnat` of the bridge family

// Ether types.
constexpr std::array<std::uint16_t, 2> ip_types{ETH_P_IP, ETH_P_IPV6}, tags{ETH_P_8021Q, ETH_P_8021AD};
constexpr std::array<std::uint16_t, 3> ip_and_arp{ETH_P_IP, ETH_P_IPV6, ETH_P_ARP};

// The comment of a table can't be changed without making it anew, so that all have the same.
constexpr const char* table_comment = "nftlink: written from its YAML configuration; change that instead";

std::string tagged(std::string_view text) {
    return std::string(tag).append(text);
}

nft::Chain make_chain(std::string_view name, std::string_view comment) {
    nft::Chain chain;
    chain.name = name;
    chain.comment = tagged(comment);
    return chain;
}

nft::Table make_table(nft::Family family, std::string name) {
    nft::Table table;
    table.family = family;
    table.name = std::move(name);
    table.comment = table_comment;
    return table;
}

nft::Set& add_set(nft::Table& table, std::string_view name, std::vector<nft::DataType> key, std::string_view comment,
                  std::vector<nft::Element> elements = {}) {
    nft::Set& set = table.sets.emplace_back();
    set.name = name;
    set.key = std::move(key);
    set.comment = tagged(comment);
    set.elements = std::move(elements);
    return set;
}

nft::Element interface_element(std::string_view name) {
    return {nft::interface_key(name), {}, {}, {}};
}

// A rule that no packet meets, where no other may ask for connections: with `attach`, and with a rule for each port in
// the bridge family. The kernel tracks them while some rule asks for their state: with replies by port that keeps them
// known (a change to replies by state loses none), and has fragments put together, whose ports else nobody sees.
nft::Chain make_tracking_chain(const PolicyRules& rules) {
    nft::Chain chain = make_chain(tracking_chain, "no packet comes here; it keeps connections tracked");
    chain.rules.push_back(rules.rule().established_or_related().build());
    return chain;
}

class FrameCompiler {
public:
    // The policy must outlive it.
    FrameCompiler(const model::FirewallPolicy& policy, nft::Family family, bool has_conntrack)
        : policy_(policy),
          rules_(policy, family, nft::Dialect::nft),
          is_bridge_(family == nft::Family::bridge),
          is_by_rules_(policy.layout == model::Layout::rules),
          has_conntrack_(has_conntrack),
          table_(make_table(family, policy.table)) {}

    nft::Table make(const Permissions& permissions) {
        add_sets(permissions);
        add_chains();
        if (is_by_rules_)
            add_links_chain(permissions);
        return std::move(table_);
    }

private:
    Field from() const { return is_bridge_ ? Field::ibrname : Field::iifname; }
    Field to() const { return is_bridge_ ? Field::obrname : Field::oifname; }
    nft::RuleBuilder rule() const { return rules_.rule(); }
    // The direction first: of most packets it isn't that one.
    nft::RuleBuilder reply() const { return rule().reply_direction().established(); }

    void add_sets(const Permissions& permissions) {
        const auto add_sized = [&](std::string_view name, model::Ip ip, std::string_view comment,
                                   const std::vector<nft::Element>& elements, bool counter) {
            nft::Set& set = add_set(table_, name, permission_key(ip), comment, elements);
            set.size = set_size(elements.size());
            set.counter = counter;
        };
        for (const model::Ip ip : model::both_ips)
            if (!is_by_rules_ && rules_.covers(ip)) {
                add_sized(links_set(ip), ip, "the parent's bridge . parent . child . protocol . port",
                          permissions.links[ip], policy_.counters == model::Counters::links);
                add_sized(replies_set(ip), ip, "the child's bridge . child . parent . protocol . port",
                          permissions.replies[ip], false);
            }
        add_set(table_, open_set, pair_key(), "from . to: within these everything passes");
        if (!is_bridge_) {
            // Before the two that it restricts.
            add_set(table_, inside_set, pair_key(), "from . to: the bridges of routed and published, each to itself");
            add_set(table_, routed_set, nft::interface_key(), "what other bridges send to these passes");
            add_set(table_, published_set, nft::interface_key(), "what other bridges send to these by DNAT passes");
            add_set(table_, lenient_set, nft::interface_key(), "to these more may be sent than links permit");
        }
        if (policy_.counters != model::Counters::none)
            add_set(table_, denied_set, nft::interface_key(), "what is dropped, by the bridge that it comes from")
                .counter = true;
        // Last: what is in it is denied what isn't in the others.
        add_set(table_, bridges_set, nft::interface_key(), "every bridge that is policed");
        for (const std::string& bridge : permissions.bridges)
            for (const BridgeElement& element : bridge_elements(policy_, Frames::none, bridge))
                if (const auto set = std::ranges::find(table_.sets, element.set, &nft::Set::name);
                    set != table_.sets.end())
                    set->elements.push_back({element.key, {}, {}, {}});
    }

    void add_chains() {
        nft::Chain& forward = add_chain(forward_chain, "what no link permits is dropped here");
        forward.hook =
            nft::Hook{"filter", forward_hook, policy_.priority.value_or(nft::filter_priority(table_.family)), 1};
        forward.rules = is_bridge_ ? bridge_rules() : inet_rules();
        if (is_bridge_)
            add_chain(untagged_chain, "IP packets, in frames without a tag").rules = untagged_rules();
        if (has_tracked_replies())
            add_replies(add_chain(replies_chain, "replies to open connections of links").rules);
        if (!is_bridge_) {
            add_chain(lenient_chain, "what bridges take beside links").rules = lenient_rules();
            add_chain(answers_chain, "answers to what was let in from other bridges").rules = answer_rules();
        }
        if (has_errors())
            add_chain(errors_chain, "ICMP errors between the ends of a link").rules = error_rules();
        else if (has_conntrack_)
            table_.chains.push_back(make_tracking_chain(rules_));
    }

    nft::Chain& add_chain(std::string_view name, std::string_view comment) {
        return table_.chains.emplace_back(make_chain(name, comment));
    }

    Rules inet_rules() const {
        Rules rules{rule().not_in_set({from()}, bridges_set).accept().build()};
        add_links_and_replies(rules);
        rules.push_back(rule().not_in_set({to()}, bridges_set).accept().build());
        // Packets of a link come first, since they may have a mark: errors too.
        add_jumps_to_errors(rules);
        rules.push_back(rule().in_set({to()}, lenient_set).jump(lenient_chain).build());
        rules.push_back(reply().jump(answers_chain).build());
        rules_.add_neighbour_discovery(rules, rule());
        add_end(rules);
        return rules;
    }

    Rules lenient_rules() const {
        return {rule().in_set({from(), to()}, open_set).accept().build(), onto_other(rule(), to(), routed_set),
                onto_other(rule().original_direction().dnat(), to(), published_set)};
    }

    // Between a bridge of that set and another one.
    nft::Rule onto_other(nft::RuleBuilder start, Field bridge, std::string_view set) const {
        return start.in_set({bridge}, set).not_in_set({from(), to()}, inside_set).accept().build();
    }

    // Frames that aren't IP are the business of the table of frames.
    Rules bridge_rules() const {
        Rules rules{rule().not_in_set({from()}, bridges_set).accept().build()};
        for (const std::uint16_t type : ip_types)
            rules.push_back(rule().ether_type(type).jump(untagged_chain).build());
        return rules;
    }

    Rules untagged_rules() const {
        Rules rules;
        add_links_and_replies(rules);
        if (has_errors())
            add_jumps_to_errors(rules);
        rules.push_back(rule().in_set({from(), to()}, open_set).accept().build());
        rules_.add_neighbour_discovery(rules, rule());
        add_end(rules);
        return rules;
    }

    bool has_tracked_replies() const { return !is_by_rules_ && !rules_.replies_by_port(); }

    Rules answer_rules() const {
        return {onto_other(rule(), from(), routed_set), onto_other(rule().dnat(), from(), published_set)};
    }

    void add_replies(Rules& rules) const {
        for (const model::Ip ip : model::both_ips)
            if (rules_.covers(ip))
                rules_.accept(rules, rule().in_set({from(), Field::source, Field::destination, Field::protocol,
                                                    Field::source_port},
                                                   replies_set(ip), nft_family(ip)));
    }

    void add_links_and_replies(Rules& rules) const {
        if (has_tracked_replies())
            rules.push_back(reply().jump(replies_chain).build());
        if (is_by_rules_)
            rules.push_back(rule().jump(links_chain).build());
        else
            add_links(rules);
    }

    void add_links(Rules& rules) const {
        if (rules_.replies_by_port())
            add_replies(rules);
        for (const model::Ip ip : model::both_ips)
            if (rules_.covers(ip))
                rules_.accept(rules, rule().in_set({from(), Field::source, Field::destination, Field::protocol,
                                                    Field::destination_port},
                                                   links_set(ip), nft_family(ip)));
    }

    // In the bridge family whatever is open passes both ways.
    bool has_errors() const { return is_bridge_ ? has_conntrack_ && !is_by_rules_ : true; }

    static std::uint8_t icmp(model::Ip ip) {
        return ip == model::Ip::v4 ? std::uint8_t{IPPROTO_ICMP} : std::uint8_t{IPPROTO_ICMPV6};
    }

    void add_jumps_to_errors(Rules& rules) const {
        for (const model::Ip ip : model::both_ips)
            if (rules_.covers(ip))
                rules.push_back(rule().related().protocol(icmp(ip)).jump(errors_chain).build());
    }

    Rules error_rules() const {
        Rules rules;
        for (const model::Ip ip : model::both_ips)
            if (!is_by_rules_ && rules_.covers(ip))
                for (const std::string_view set : {replies_set(ip), links_set(ip)})
                    rules_.accept(
                        rules, rule().protocol(icmp(ip)).in_set({from(), Field::source, Field::destination,
                                                                 Field::connection_protocol, Field::reply_source_port},
                                                                set, nft_family(ip)));
        if (!is_bridge_) {
            rules.push_back(onto_other(rule().reply_direction(), from(), routed_set));
            rules.push_back(onto_other(rule().reply_direction().dnat(), from(), published_set));
        }
        return rules;
    }

    void add_end(Rules& rules) const {
        rules_.add_log(rules, rule(), "nftlink drop: ");
        nft::RuleBuilder drop = rule();
        if (policy_.counters != model::Counters::none) {
            rules.push_back(rule().in_set({from()}, denied_set).drop().build());
            drop.counter();
        }
        rules.push_back(drop.drop().build());
    }

    void add_links_chain(const Permissions& permissions) {
        nft::Chain& links = add_chain(links_chain, "Docker's rules, two for each port");
        for (const model::Ip ip : model::both_ips)
            for (const RulePair& pair : permissions.rules[ip])
                rules_.add_link(links.rules, pair);
        for (const std::string& bridge : permissions.bridges)
            if (const model::BridgePolicy policy = policy_.bridge(bridge); policy.base_rules)
                rules_.add_docker_base(links.rules, bridge, policy.icc);
    }

    const model::FirewallPolicy& policy_;
    PolicyRules rules_;
    bool is_bridge_, is_by_rules_, has_conntrack_;
    nft::Table table_;
};

// Drops, on those bridges, the frames that are neither IP nor ARP: tagged ones before the bridge takes the tag off,
// which no other hook would see then, and the rest where they leave.
nft::Table compile_frames(const model::FirewallPolicy& policy, const std::set<std::string, std::less<>>& bridges,
                          const HostFacts& host) {
    nft::Table table = make_table(nft::Family::bridge, frames_table(policy.table));
    const bool by_name = host.frames == Frames::by_name;
    const std::string_view name = by_name ? closed_set : ports_set;
    nft::Set& set = add_set(table, name, nft::interface_key(),
                            by_name ? "bridges on which other frames than IP and ARP are dropped"
                                    : "ports of the bridges on which other frames than IP and ARP are dropped");
    if (by_name) {
        for (const std::string& bridge : bridges)
            if (policy.closes_other_frames(policy.bridge(bridge)))
                set.elements.push_back(interface_element(bridge));
    } else {
        std::ranges::transform(host.ports, std::back_inserter(set.elements), interface_element);
    }
    const PolicyRules rules(policy, table.family, nft::Dialect::nft);
    const auto add_chain = [&](std::string_view chain_name, std::string_view comment, std::uint32_t hook,
                               std::int32_t priority) -> Rules& {
        nft::Chain& chain = table.chains.emplace_back(make_chain(chain_name, comment));
        chain.hook = nft::Hook{"filter", hook, priority, 1};
        for (const std::uint16_t type : ip_and_arp)
            chain.rules.push_back(rules.rule().ether_type(type).accept().build());
        return chain.rules;
    };
    const auto add_drop = [&](Rules& chain, const nft::RuleBuilder& start) {
        rules.add_log(chain, start, "nftlink frame drop: ");
        nft::RuleBuilder drop = start;
        if (policy.counters != model::Counters::none)
            drop.counter();
        chain.push_back(drop.drop().build());
    };
    const Field from = by_name ? Field::ibrname : Field::iifname;
    Rules& prerouting = add_chain(prerouting_chain, "tagged frames are dropped here", prerouting_hook, before_all);
    for (const std::uint16_t tag : tags)
        add_drop(prerouting, rules.rule().in_set({from}, name).ether_type(tag));
    Rules& forward =
        add_chain(forward_chain, "other frames are dropped here", forward_hook, nft::filter_priority(table.family));
    add_drop(forward, rules.rule().in_set({from}, name));
    // Frames that came by a port that isn't known yet.
    if (!by_name)
        add_drop(forward, rules.rule().in_set({Field::oifname}, name));
    return table;
}

Attachment compile_attachment(const Permissions& permissions, const model::FirewallPolicy& policy,
                              const model::AttachPoint& point) {
    const nft::Family family = nft_family(point.family);
    const auto dialect = is_iptables_table(family, point.table) ? nft::Dialect::iptables : nft::Dialect::nft;
    const PolicyRules rules(policy, family, dialect);
    Attachment attachment{family, point.table, point.chain, {}};
    // The links are sorted by their bridges, as the bridges are.
    model::PerIp next{permissions.rules.v4.begin(), permissions.rules.v6.begin()};
    for (const std::string& bridge : permissions.bridges) {
        for (const model::Ip ip : model::both_ips) {
            const auto& pairs = permissions.rules[ip];
            for (auto& pair = next[ip]; pair != pairs.end() && flow_of(pair->link).bridge == bridge; ++pair)
                if (rules.covers(ip))
                    rules.add_link(attachment.rules, *pair);
        }
        const model::BridgePolicy bridge_policy = policy.bridge(bridge);
        if (bridge_policy.base_rules)
            rules.add_docker_base(attachment.rules, bridge, bridge_policy.icc);
        else if (bridge_policy.icc == model::Icc::deny)
            rules.add_drop(attachment.rules, bridge);
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
    nft::Table& table = tables.emplace_back(make_table(family, policy.table));
    table.chains.push_back(make_tracking_chain(PolicyRules(policy, family, nft::Dialect::nft)));
    return table;
}

void add_copies(nft::Table& table, Attachment& attachment) {
    nft::Chain chain = make_chain(copies_chain(attachment.table, attachment.chain),
                                  "no packet comes here; these are the rules on top of that chain");
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

// Beside a table of the bridge family: what the host routes from a bridge back onto it, or onto another one, passes the
// inet hook and never the bridge's. Docker's base rules stand in the first alone.
nft::Table compile_routed(const Permissions& permissions, model::FirewallPolicy policy) {
    policy.priority.reset();
    for (auto& [name, bridge] : policy.bridges)
        bridge.base_rules = false;
    for (model::BridgePattern& pattern : policy.bridge_patterns)
        pattern.policy.base_rules = false;
    return FrameCompiler(policy, nft::Family::inet, true).make(permissions);
}

}  // namespace

Wanted compile(const model::Topology& topology, const model::FirewallPolicy& policy, const HostFacts& host) {
    Permissions links = permissions(topology, policy);
    links.bridges.insert(host.bridges.begin(), host.bridges.end());
    Wanted want;
    want.name = policy.table;
    if (!policy.attach.empty())
        add_attachments(links, policy, want);
    else
        want.tables.push_back(FrameCompiler(policy, nft_family(policy.family), host.bridge_conntrack).make(links));
    if (policy.attach.empty() && policy.family == model::Family::bridge)
        want.tables.push_back(compile_routed(links, policy));
    // Where a bridge may come to it, it stands from the start.
    if (host.frames != Frames::none && policy.may_close_other_frames())
        want.tables.push_back(compile_frames(policy, links.bridges, host));
    want.cross_bridges = links.cross_bridges;
    std::ranges::for_each(want.tables, mark);
    return want;
}

}  // namespace nftlink::firewall
