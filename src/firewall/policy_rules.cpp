#include "policy_rules.hpp"

#include <fmt/format.h>

namespace nftlink::firewall {

namespace {

constexpr std::uint8_t neighbour_solicitation = 135, neighbour_advertisement = 136, all_hops = 255;
constexpr std::uint64_t logged_drops_per_second = 10;

}  // namespace

nft::RuleBuilder PolicyRules::inside(std::string_view bridge) const {
    if (family_ == nft::Family::bridge)
        return rule().ibrname(bridge);
    return rule().iifname(bridge).oifname(bridge);
}

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

void PolicyRules::add_link(Rules& rules, const RulePair& permission) const {
    const auto [bridge, parent, child, protocol, port] = flow_of(permission.link);
    const std::string to = flow_of(permission.reply).bridge;
    // In the bridge family nothing leaves a bridge.
    if (family_ == nft::Family::bridge && to != bridge)
        return;
    const auto begin = [&](const std::string& in, const std::string& out) {
        nft::RuleBuilder start = family_ == nft::Family::bridge ? inside(bridge) : rule().iifname(in).oifname(out);
        if (dialect_ == nft::Dialect::iptables)
            start.protocol(protocol);
        start.comment(permission.comment);
        return start;
    };
    auto reply = begin(to, bridge).source(child).destination(parent).source_port(protocol, port);
    if (!replies_by_port())
        reply.established();
    if (!replies_by_port() && dialect_ == nft::Dialect::nft)
        reply.reply_direction();
    accept(rules, std::move(reply));
    accept(rules, begin(bridge, to).source(parent).destination(child).destination_port(protocol, port),
           policy_.counters == model::Counters::links);
}

void PolicyRules::add_neighbour_discovery(Rules& rules, const nft::RuleBuilder& start) const {
    if (covers(model::Ip::v6))
        for (const std::uint8_t type : {neighbour_solicitation, neighbour_advertisement}) {
            auto rule = nft::RuleBuilder(start).icmpv6_type(type);
            if (dialect_ == nft::Dialect::nft)
                rule.hop_limit(all_hops);
            accept(rules, std::move(rule));
        }
}

void PolicyRules::add_log(Rules& rules, nft::RuleBuilder start, std::string_view prefix) const {
    if (!policy_.log_drops)
        return;
    start.limit_per_second(logged_drops_per_second);
    if (dialect_ == nft::Dialect::iptables)
        start.counter();
    rules.push_back(start.log(prefix).build());
}

void PolicyRules::add_drop(Rules& rules, const std::string& bridge) const {
    add_neighbour_discovery(rules, inside(bridge));
    add_log(rules, inside(bridge), fmt::format("nftlink {} drop: ", bridge));
    nft::RuleBuilder drop = inside(bridge);
    if (policy_.counters != model::Counters::none || dialect_ == nft::Dialect::iptables)
        drop.counter();
    rules.push_back(drop.drop().build());
}

void PolicyRules::add_docker_base(Rules& rules, const std::string& bridge, model::Icc icc) const {
    // In the bridge family nothing leaves a bridge.
    if (family_ == nft::Family::bridge) {
        accept(rules, inside(bridge).established_or_related());
    } else {
        accept(rules, rule().oifname(bridge).established_or_related());
        accept(rules, rule().iifname(bridge).oifname_not(bridge));
    }
    if (icc == model::Icc::allow)
        accept(rules, inside(bridge));
    else
        add_drop(rules, bridge);
}

}  // namespace nftlink::firewall
