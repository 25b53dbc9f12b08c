// Rules for each port and bridge: those of `layout: rules` and `attach`.
#pragma once

#include <string>
#include <vector>

#include "nftlink/model/policy.hpp"
#include "nftlink/nft/build.hpp"
#include "permissions.hpp"

namespace nftlink::firewall {

class PolicyRules {
public:
    using Rules = std::vector<nft::Rule>;

    // The policy must outlive it.
    PolicyRules(const model::FirewallPolicy& policy, nft::Family family, nft::Dialect dialect)
        : policy_(policy), family_(family), dialect_(dialect) {}

    nft::Family family() const { return family_; }
    // An empty rule to start from; one for what comes from a bridge and stays on it.
    nft::RuleBuilder rule() const { return nft::RuleBuilder(family_, dialect_); }
    nft::RuleBuilder inside(std::string_view bridge) const;
    // True if the table sees such packets.
    bool covers(model::Ip ip) const { return family_ != (ip == model::Ip::v4 ? nft::Family::ip6 : nft::Family::ip); }
    bool replies_by_port() const { return policy_.replies == model::Replies::source_port; }

    // Every function appends rules.

    // Ends the rule with accept, and with the mark for firewalls that accept by mark.
    void accept(Rules& rules, nft::RuleBuilder start, bool counted = false) const;
    // Docker's two rules of one permission, in Docker's order.
    void add_link(Rules& rules, const RulePair& permission) const;
    // Neighbour discovery: it is no part of any connection, and without it every IPv6 link is dead. What a router has
    // forwarded is none.
    void add_neighbour_discovery(Rules& rules, const nft::RuleBuilder& start) const;
    void add_log(Rules& rules, nft::RuleBuilder start, std::string_view prefix) const;
    // Drops the rest of what stays on that bridge, with what must pass all the same.
    void add_drop(Rules& rules, const std::string& bridge) const;
    // Docker's three base rules of a bridge, in its order.
    void add_docker_base(Rules& rules, const std::string& bridge, model::Icc icc) const;

private:
    const model::FirewallPolicy& policy_;
    nft::Family family_;
    nft::Dialect dialect_;
};

}  // namespace nftlink::firewall
