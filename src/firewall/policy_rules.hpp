// The rules of one policy, in the words of one table: PRODUCT's three steps, each a function.
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
    // An empty rule to start from.
    nft::RuleBuilder rule() const { return nft::RuleBuilder(family_, dialect_); }
    // Whether the table sees such packets.
    bool covers(bool ipv4) const { return family_ != (ipv4 ? nft::Family::ip6 : nft::Family::ip); }
    bool replies_by_port() const { return policy_.replies == model::Replies::source_port; }

    // Every function appends rules that start with `start`'s conditions.

    // Ends the rule with accept, and with the mark for firewalls that accept by mark.
    void accept(Rules& rules, nft::RuleBuilder start, bool counted = false) const;
    // Docker's two rules of one permission, in Docker's order; with replies by connection state the second alone.
    void add_link(Rules& rules, const nft::RuleBuilder& start, const Permission& permission) const;
    void add_established(Rules& rules, nft::RuleBuilder start) const;
    // Drops the rest, with what must pass all the same: neighbour discovery, in the bridge family ARP too.
    void add_drop(Rules& rules, const nft::RuleBuilder& start, const std::string& bridge) const;
    // Docker's three base rules of a bridge, in its order.
    void add_docker_base(Rules& rules, const std::string& bridge, model::Icc icc) const;

private:
    const model::FirewallPolicy& policy_;
    nft::Family family_;
    nft::Dialect dialect_;
};

}  // namespace nftlink::firewall
