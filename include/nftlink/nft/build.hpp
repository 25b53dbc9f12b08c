// Rules in nft's words: each function adds the instructions that nft itself would write for it, in the same registers,
// so that `nft list` shows the words again.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "nftlink/nft/ruleset.hpp"

namespace nftlink::nft {

// The key types of a connection's beginning, of addresses of ip or ip6: from . to . protocol . port of the destination.
std::vector<DataType> link_key(Family addresses);

// The key type of a set of interfaces, and one of its keys; an interface's name as a field of a longer one.
std::vector<DataType> interface_key();
Key interface_key(std::string_view name);
std::array<std::uint8_t, 16> interface_field(std::string_view name);

// A part of a packet that is looked up in a set: a field of a concatenation.
enum class Field {
    iifname,
    oifname,
    ibrname,  // of the bridge whose port the packet came in by; in the bridge family, on kernels with nft_meta_bridge
    obrname,
    source,  // the address
    destination,
    protocol,  // of the transport layer
    source_port,
    destination_port,
    connection_protocol,  // of the connection that the packet belongs to, or is about
    reply_source_port,    // of that connection's answers
};

// The words are nft's or iptables-nft's. In a table that iptables-nft manages it has to read every rule back; some of
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
    // See Field.
    RuleBuilder& ibrname(std::string_view bridge);

    // An IP protocol number.
    RuleBuilder& protocol(std::uint8_t number);
    // `ether type arp`; the frame's own, tags in front of a packet are another one. In the bridge family.
    RuleBuilder& ether_type(std::uint16_t type);
    // `ip6 hoplimit 255`
    RuleBuilder& hop_limit(std::uint8_t limit);

    // Addresses in network order, 4 or 16 bytes.
    RuleBuilder& source(std::span<const std::uint8_t> address);
    RuleBuilder& destination(std::span<const std::uint8_t> address);
    // `tcp dport 6379`; the protocol is an IP protocol number.
    RuleBuilder& source_port(std::uint8_t protocol, std::uint16_t port);
    RuleBuilder& destination_port(std::uint8_t protocol, std::uint16_t port);

    // `iifname . oifname @set`; addresses are of ip or ip6.
    RuleBuilder& in_set(std::initializer_list<Field> key, std::string_view set, Family addresses = Family::ip);
    // `iifname != @set`
    RuleBuilder& not_in_set(std::initializer_list<Field> key, std::string_view set);

    RuleBuilder& established();
    RuleBuilder& related();
    RuleBuilder& established_or_related();
    // `ct direction original`, `ct direction reply`, `ct status dnat`; nft's words alone.
    RuleBuilder& original_direction();
    RuleBuilder& reply_direction();
    RuleBuilder& dnat();
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
    RuleBuilder& load(Field field, std::uint32_t word, Family addresses);
    RuleBuilder& look_up(std::initializer_list<Field> key, std::string_view set, Family addresses, bool inverted);
    RuleBuilder& has_state(std::uint32_t states);
    RuleBuilder& has_direction(std::uint8_t direction);
    RuleBuilder& has_connection_bits(std::uint32_t key, std::uint32_t bits);
    // In a table of several protocols a header match needs its protocol's check before it, once.
    void network_protocol(Family protocol);

    Family family_;
    Dialect dialect_;
    Rule rule_;
    bool has_network_protocol_ = false;
    bool has_transport_protocol_ = false;
};

}  // namespace nftlink::nft
