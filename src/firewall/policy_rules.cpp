#include "policy_rules.hpp"

#include <fmt/format.h>

namespace nftlink::firewall {

namespace {

constexpr std::uint8_t neighbour_solicitation = 135, neighbour_advertisement = 136;
constexpr std::uint64_t logged_drops_per_second = 10;

}  // namespace

void PolicyRules::accept(Rules& rules, nft::RuleBuilder start, bool counted) const {
    // iptables counts every rule, and its mark is a target, which takes a rule of its own.
    const bool iptables = dialect_ == nft::Dialect::iptables;
    if (counted || iptables)
        start.counter();
    if (policy_.accept_mark && iptables)
        rules.push_back(nft::RuleBuilder(start).set_mark(*policy_.accept_mark).build());
    else if (policy_.accept_mark)
        start.set_mark(*policy_.accept_mark);
    rules.push_back(start.accept().build());
}

void PolicyRules::add_link(Rules& rules, const nft::RuleBuilder& start, const Permission& permission) const {
    const auto [parent, child, protocol, port] = flow_of(permission.key);
    nft::RuleBuilder begin = start;
    if (dialect_ == nft::Dialect::iptables)
        begin.protocol(protocol);
    begin.comment(permission.comment);
    if (replies_by_port())
        accept(rules, nft::RuleBuilder(begin).source(child).destination(parent).source_port(protocol, port));
    accept(rules, begin.source(parent).destination(child).destination_port(protocol, port), policy_.counters);
}

void PolicyRules::add_established(Rules& rules, nft::RuleBuilder start) const {
    accept(rules, start.established_or_related());
}

void PolicyRules::add_drop(Rules& rules, const nft::RuleBuilder& start, const std::string& bridge) const {
    if (family_ == nft::Family::bridge)
        accept(rules, nft::RuleBuilder(start).arp());
    // IPv6 neighbour discovery is no part of any connection: without it every IPv6 link is dead.
    if (covers(false))
        for (const std::uint8_t type : {neighbour_solicitation, neighbour_advertisement})
            accept(rules, nft::RuleBuilder(start).icmpv6_type(type));
    const bool counted = policy_.counters || dialect_ == nft::Dialect::iptables;
    if (policy_.log_drops) {
        nft::RuleBuilder log = start;
        log.limit_per_second(logged_drops_per_second);
        if (dialect_ == nft::Dialect::iptables)
            log.counter();
        rules.push_back(log.log(fmt::format("nftlink {} drop: ", bridge)).build());
    }
    nft::RuleBuilder drop = start;
    if (counted)
        drop.counter();
    rules.push_back(drop.drop().build());
}

void PolicyRules::add_docker_base(Rules& rules, const std::string& bridge, model::Icc icc) const {
    const auto inside = rule().iifname(bridge).oifname(bridge);
    add_established(rules, rule().oifname(bridge));
    accept(rules, rule().iifname(bridge).oifname_not(bridge));
    if (icc == model::Icc::allow)
        accept(rules, inside);
    else
        add_drop(rules, inside, bridge);
}

}  // namespace nftlink::firewall
