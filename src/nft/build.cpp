#include "nftlink/nft/build.hpp"

#include <linux/if_ether.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "layout.hpp"
#include "nfnetlink.hpp"
#include "nftlink/nft/xt.hpp"

namespace nftlink::nft {

namespace {

constexpr std::uint32_t first_register = NFT_REG_1;

// A number as the machine compares it: in the host's order.
Bytes host_bytes(std::uint32_t value) {
    Bytes bytes(sizeof value);
    std::memcpy(bytes.data(), &value, sizeof value);
    return bytes;
}

Bytes network_bytes(std::uint16_t value) {
    return {static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}

// The n-th 4 bytes of the register file. The kernel names those that start one of the four 16-byte registers after it.
constexpr std::uint32_t register_at(std::uint32_t word) {
    return word % 4 == 0 ? NFT_REG_1 + word / 4 : NFT_REG32_00 + word;
}

}  // namespace

std::vector<DataType> link_key(bool ipv4) {
    const DataType address = ipv4 ? DataType::ipv4_addr : DataType::ipv6_addr;
    return {address, address, DataType::inet_proto, DataType::inet_service};
}

std::vector<DataType> interface_key() {
    return {DataType::ifname};
}

Key interface_key(std::string_view name) {
    std::array<std::uint8_t, IFNAMSIZ> padded{};
    std::ranges::copy(name.substr(0, IFNAMSIZ - 1), padded.begin());
    Key key;
    key.append(padded);
    return key;
}

RuleBuilder& RuleBuilder::add(Expression expression) {
    rule_.expressions.push_back(std::move(expression));
    return *this;
}

RuleBuilder& RuleBuilder::interface_is(std::uint32_t meta_key, std::uint32_t operation, std::string_view name) {
    name = name.substr(0, IFNAMSIZ - 1);
    Bytes padded(dialect_ == Dialect::iptables ? name.size() + 1 : IFNAMSIZ);
    std::ranges::copy(name, padded.begin());
    return add(MetaLoad{meta_key, first_register}).add(Compare{first_register, operation, std::move(padded)});
}

RuleBuilder& RuleBuilder::iifname(std::string_view name) {
    return interface_is(NFT_META_IIFNAME, NFT_CMP_EQ, name);
}
RuleBuilder& RuleBuilder::oifname(std::string_view name) {
    return interface_is(NFT_META_OIFNAME, NFT_CMP_EQ, name);
}
RuleBuilder& RuleBuilder::oifname_not(std::string_view name) {
    return interface_is(NFT_META_OIFNAME, NFT_CMP_NEQ, name);
}

RuleBuilder& RuleBuilder::ibrname(std::string_view bridge) {
    return interface_is(NFT_META_BRI_IIFNAME, NFT_CMP_EQ, bridge);
}

RuleBuilder& RuleBuilder::iifname_in(std::string_view set) {
    return add(MetaLoad{NFT_META_IIFNAME, first_register}).add(SetLookup{std::string(set), first_register, false});
}
RuleBuilder& RuleBuilder::oifname_in(std::string_view set) {
    return add(MetaLoad{NFT_META_OIFNAME, first_register}).add(SetLookup{std::string(set), first_register, false});
}

void RuleBuilder::network_protocol(bool ipv4) {
    const bool has_several = family_ == Family::inet || family_ == Family::bridge;
    if (!has_several || std::exchange(has_network_protocol_, true))
        return;
    if (family_ == Family::bridge) {
        add(MetaLoad{NFT_META_PROTOCOL, first_register});
        add(Compare{first_register, NFT_CMP_EQ, network_bytes(ipv4 ? ETH_P_IP : ETH_P_IPV6)});
        return;
    }
    const std::uint8_t protocol = ipv4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
    add(MetaLoad{NFT_META_NFPROTO, first_register}).add(Compare{first_register, NFT_CMP_EQ, {protocol}});
}

RuleBuilder& RuleBuilder::protocol(std::uint8_t number) {
    if (std::exchange(has_transport_protocol_, true))
        return *this;
    return add(MetaLoad{NFT_META_L4PROTO, first_register}).add(Compare{first_register, NFT_CMP_EQ, {number}});
}

RuleBuilder& RuleBuilder::arp() {
    return add(MetaLoad{NFT_META_PROTOCOL, first_register})
        .add(Compare{first_register, NFT_CMP_EQ, network_bytes(ETH_P_ARP)});
}

RuleBuilder& RuleBuilder::address_is(std::span<const std::uint8_t> address, bool source) {
    const bool ipv4 = address.size() == layout::address_size(true);
    network_protocol(ipv4);
    const std::uint32_t offset = source ? layout::source(ipv4) : layout::destination(ipv4);
    add(PayloadLoad{NFT_PAYLOAD_NETWORK_HEADER, offset, layout::address_size(ipv4), first_register});
    return add(Compare{first_register, NFT_CMP_EQ, {address.begin(), address.end()}});
}

RuleBuilder& RuleBuilder::source(std::span<const std::uint8_t> address) {
    return address_is(address, true);
}
RuleBuilder& RuleBuilder::destination(std::span<const std::uint8_t> address) {
    return address_is(address, false);
}

RuleBuilder& RuleBuilder::port_is(std::uint8_t protocol, std::uint16_t port, std::uint32_t offset) {
    this->protocol(protocol);
    if (dialect_ == Dialect::iptables && protocol == IPPROTO_SCTP)
        return add(xt_sctp_port(port, offset == layout::source_port));
    add(PayloadLoad{NFT_PAYLOAD_TRANSPORT_HEADER, offset, sizeof port, first_register});
    return add(Compare{first_register, NFT_CMP_EQ, network_bytes(port)});
}

RuleBuilder& RuleBuilder::source_port(std::uint8_t protocol, std::uint16_t port) {
    return port_is(protocol, port, layout::source_port);
}

RuleBuilder& RuleBuilder::destination_port(std::uint8_t protocol, std::uint16_t port) {
    return port_is(protocol, port, layout::destination_port);
}

RuleBuilder& RuleBuilder::lookup(bool ipv4, std::string_view set, bool reversed) {
    network_protocol(ipv4);
    const std::uint32_t size = layout::address_size(ipv4);
    const std::uint32_t words = size / 4;
    const std::uint32_t parent = reversed ? layout::destination(ipv4) : layout::source(ipv4);
    const std::uint32_t child = reversed ? layout::source(ipv4) : layout::destination(ipv4);
    const std::uint32_t port = reversed ? layout::source_port : layout::destination_port;
    add(PayloadLoad{NFT_PAYLOAD_NETWORK_HEADER, parent, size, register_at(0)});
    add(PayloadLoad{NFT_PAYLOAD_NETWORK_HEADER, child, size, register_at(words)});
    add(MetaLoad{NFT_META_L4PROTO, register_at(2 * words)});
    add(PayloadLoad{NFT_PAYLOAD_TRANSPORT_HEADER, port, 2, register_at(2 * words + 1)});
    return add(SetLookup{std::string(set), register_at(0), false});
}

RuleBuilder& RuleBuilder::in_links(bool ipv4, std::string_view set) {
    return lookup(ipv4, set, false);
}
RuleBuilder& RuleBuilder::in_replies(bool ipv4, std::string_view set) {
    return lookup(ipv4, set, true);
}

RuleBuilder& RuleBuilder::established_or_related() {
    const std::uint32_t states = NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED);
    if (dialect_ == Dialect::iptables)
        return add(xt_conntrack_state(states));
    add(ConntrackLoad{NFT_CT_STATE, first_register});
    add(Bitwise{first_register, first_register, host_bytes(states), host_bytes(0)});
    return add(Compare{first_register, NFT_CMP_NEQ, host_bytes(0)});
}

RuleBuilder& RuleBuilder::icmpv6_type(std::uint8_t type) {
    if (family_ == Family::bridge && !std::exchange(has_network_protocol_, true)) {
        // nft's own way to say it there: by the frame's header, not by the packet's protocol.
        add(PayloadLoad{NFT_PAYLOAD_LL_HEADER, layout::ether_type, 2, first_register});
        add(Compare{first_register, NFT_CMP_EQ, network_bytes(ETH_P_IPV6)});
    }
    network_protocol(false);
    protocol(IPPROTO_ICMPV6);
    if (dialect_ == Dialect::iptables)
        return add(xt_icmpv6_type(type));
    add(PayloadLoad{NFT_PAYLOAD_TRANSPORT_HEADER, layout::icmp_type, 1, first_register});
    return add(Compare{first_register, NFT_CMP_EQ, {type}});
}

RuleBuilder& RuleBuilder::limit_per_second(std::uint64_t packets) {
    return add(RateLimit{packets, 1, 5});
}
RuleBuilder& RuleBuilder::log(std::string_view prefix) {
    if (dialect_ == Dialect::iptables)
        return add(xt_log(prefix));
    return add(Log{std::string(prefix)});
}
RuleBuilder& RuleBuilder::counter() {
    return add(Counter{});
}

RuleBuilder& RuleBuilder::set_mark(std::uint32_t mark) {
    if (dialect_ == Dialect::iptables)
        return add(xt_set_mark(mark));
    return add(Immediate{first_register, host_bytes(mark)}).add(MetaSet{NFT_META_MARK, first_register});
}

RuleBuilder& RuleBuilder::accept() {
    return add(Verdict{NF_ACCEPT, {}});
}
RuleBuilder& RuleBuilder::drop() {
    return add(Verdict{NF_DROP, {}});
}
RuleBuilder& RuleBuilder::jump(std::string_view chain) {
    return add(Verdict{NFT_JUMP, std::string(chain)});
}

RuleBuilder& RuleBuilder::comment(std::string text) {
    rule_.comment = std::move(text);
    return *this;
}

RuleBuilder& RuleBuilder::owner(std::string text) {
    rule_.owner = std::move(text);
    return *this;
}

}  // namespace nftlink::nft
