// Rules in nft's words: each function adds the instructions that nft itself would write for it, in the same registers,
// so that `nft list` shows the words again.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "nftlink/nft/ruleset.hpp"

namespace nftlink::nft {

// The key types of a set of links: from . to . protocol . port of the child.
std::vector<DataType> link_key(bool ipv4);

// The key type of a set of interfaces, and one of its keys.
std::vector<DataType> interface_key();
Key interface_key(std::string_view name);

// Whose words: nft's, or iptables-nft's. In a table that iptables-nft manages it has to read every rule back; some of
// nft's instructions (ct, sctp ports, log …) it can't, and there it uses extensions of the old kind.
enum class Dialect { nft, iptables };

// Builds one rule of a table of that family, from left to right. In iptables' dialect the rule is instruction for
// instruction what iptables-nft 1.8.9 writes if the parts come in its order: interfaces, protocol, addresses, ports and
// other matches, counter, verdict or target.
class RuleBuilder {
public:
    explicit RuleBuilder(Family family, Dialect dialect = Dialect::nft) : family_(family), dialect_(dialect) {}

    Family family() const { return family_; }
    Dialect dialect() const { return dialect_; }

    RuleBuilder& iifname(std::string_view name);
    RuleBuilder& oifname(std::string_view name);
    RuleBuilder& oifname_not(std::string_view name);
    // The bridge whose port the packet came in by; in the bridge family, on kernels with nft_meta_bridge.
    RuleBuilder& ibrname(std::string_view bridge);
    RuleBuilder& iifname_in(std::string_view set);
    RuleBuilder& oifname_in(std::string_view set);

    // An IP protocol number.
    RuleBuilder& protocol(std::uint8_t number);
    // `meta protocol arp`
    RuleBuilder& arp();

    // Addresses in network order, 4 or 16 bytes.
    RuleBuilder& source(std::span<const std::uint8_t> address);
    RuleBuilder& destination(std::span<const std::uint8_t> address);
    // `tcp dport 6379`; the protocol is an IP protocol number.
    RuleBuilder& source_port(std::uint8_t protocol, std::uint16_t port);
    RuleBuilder& destination_port(std::uint8_t protocol, std::uint16_t port);

    // `ip saddr . ip daddr . meta l4proto . th dport @set`
    RuleBuilder& in_links(bool ipv4, std::string_view set);
    // The same key with the packet's ends exchanged: `ip daddr . ip saddr . meta l4proto . th sport @set`
    RuleBuilder& in_replies(bool ipv4, std::string_view set);

    RuleBuilder& established_or_related();
    RuleBuilder& icmpv6_type(std::uint8_t type);
    RuleBuilder& limit_per_second(std::uint64_t packets);
    // In iptables' dialect a target, which ends the rule; so is the mark. Prefixes are cut at its 29 characters.
    RuleBuilder& log(std::string_view prefix);
    RuleBuilder& counter();
    RuleBuilder& set_mark(std::uint32_t mark);
    RuleBuilder& accept();
    RuleBuilder& drop();
    RuleBuilder& jump(std::string_view chain);

    RuleBuilder& comment(std::string text);
    RuleBuilder& owner(std::string text);

    Rule build() { return std::move(rule_); }

private:
    RuleBuilder& add(Expression expression);
    RuleBuilder& interface_is(std::uint32_t meta_key, std::uint32_t operation, std::string_view name);
    RuleBuilder& address_is(std::span<const std::uint8_t> address, bool source);
    RuleBuilder& port_is(std::uint8_t protocol, std::uint16_t port, std::uint32_t offset);
    RuleBuilder& lookup(bool ipv4, std::string_view set, bool reversed);
    // In a table of several protocols a header match needs its protocol's check before it, once.
    void network_protocol(bool ipv4);

    Family family_;
    Dialect dialect_;
    Rule rule_;
    bool has_network_protocol_ = false;
    bool has_transport_protocol_ = false;
};

}  // namespace nftlink::nft
