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

std::vector<DataType> link_key(Family addresses) {
    const DataType address = addresses == Family::ip ? DataType::ipv4_addr : DataType::ipv6_addr;
    return {address, address, DataType::inet_proto, DataType::inet_service};
}

std::vector<DataType> interface_key() {
    return {DataType::ifname};
}

std::array<std::uint8_t, 16> interface_field(std::string_view name) {
    std::array<std::uint8_t, IFNAMSIZ> padded{};
    std::ranges::copy(name.substr(0, IFNAMSIZ - 1), padded.begin());
    return padded;
}

Key interface_key(std::string_view name) {
    Key key;
    key.append(interface_field(name));
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

void RuleBuilder::network_protocol(Family protocol) {
    const bool has_several = family_ == Family::inet || family_ == Family::bridge;
    if (!has_several || std::exchange(has_network_protocol_, true))
        return;
    if (family_ == Family::bridge) {
        add(MetaLoad{NFT_META_PROTOCOL, first_register});
        add(Compare{first_register, NFT_CMP_EQ, network_bytes(protocol == Family::ip ? ETH_P_IP : ETH_P_IPV6)});
        return;
    }
    add(MetaLoad{NFT_META_NFPROTO, first_register});
    add(Compare{first_register, NFT_CMP_EQ, {static_cast<std::uint8_t>(protocol)}});
}

RuleBuilder& RuleBuilder::protocol(std::uint8_t number) {
    if (std::exchange(has_transport_protocol_, true))
        return *this;
    return add(MetaLoad{NFT_META_L4PROTO, first_register}).add(Compare{first_register, NFT_CMP_EQ, {number}});
}

RuleBuilder& RuleBuilder::ether_type(std::uint16_t type) {
    add(PayloadLoad{NFT_PAYLOAD_LL_HEADER, layout::ether_type, sizeof type, first_register});
    return add(Compare{first_register, NFT_CMP_EQ, network_bytes(type)});
}

RuleBuilder& RuleBuilder::hop_limit(std::uint8_t limit) {
    network_protocol(Family::ip6);
    add(PayloadLoad{NFT_PAYLOAD_NETWORK_HEADER, layout::ipv6_hop_limit, sizeof limit, first_register});
    return add(Compare{first_register, NFT_CMP_EQ, {limit}});
}

RuleBuilder& RuleBuilder::address_is(std::span<const std::uint8_t> address, bool source) {
    const Family family = address.size() == layout::address_size(Family::ip) ? Family::ip : Family::ip6;
    network_protocol(family);
    const std::uint32_t offset = source ? layout::source(family) : layout::destination(family);
    add(PayloadLoad{NFT_PAYLOAD_NETWORK_HEADER, offset, layout::address_size(family), first_register});
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

// Where the field's bytes go: at that word of the register file.
RuleBuilder& RuleBuilder::load(Field field, std::uint32_t word, Family addresses) {
    const std::uint32_t to = register_at(word);
    const std::uint32_t size = layout::address_size(addresses);
    constexpr std::uint32_t port_size = 2;
    switch (field) {
        case Field::iifname:
            return add(MetaLoad{NFT_META_IIFNAME, to});
        case Field::oifname:
            return add(MetaLoad{NFT_META_OIFNAME, to});
        case Field::ibrname:
            return add(MetaLoad{NFT_META_BRI_IIFNAME, to});
        case Field::obrname:
            return add(MetaLoad{NFT_META_BRI_OIFNAME, to});
        case Field::source:
            return add(PayloadLoad{NFT_PAYLOAD_NETWORK_HEADER, layout::source(addresses), size, to});
        case Field::destination:
            return add(PayloadLoad{NFT_PAYLOAD_NETWORK_HEADER, layout::destination(addresses), size, to});
        case Field::protocol:
            return add(MetaLoad{NFT_META_L4PROTO, to});
        case Field::source_port:
            return add(PayloadLoad{NFT_PAYLOAD_TRANSPORT_HEADER, layout::source_port, port_size, to});
        case Field::destination_port:
            return add(PayloadLoad{NFT_PAYLOAD_TRANSPORT_HEADER, layout::destination_port, port_size, to});
        case Field::connection_protocol:
            return add(ConntrackLoad{NFT_CT_PROTOCOL, to});
        case Field::reply_source_port:
            return add(ConntrackLoad{NFT_CT_PROTO_SRC, to, IP_CT_DIR_REPLY});
    }
    return *this;
}

RuleBuilder& RuleBuilder::look_up(std::initializer_list<Field> key, std::string_view set, Family addresses,
                                  bool inverted) {
    const auto words_of = [&](Field field) -> std::uint32_t {
        if (field == Field::source || field == Field::destination)
            return layout::address_size(addresses) / 4;
        return field <= Field::obrname ? IFNAMSIZ / 4 : 1;
    };
    if (std::ranges::find(key, Field::source) != key.end())
        network_protocol(addresses);
    std::uint32_t word = 0;
    for (const Field field : key) {
        load(field, word, addresses);
        word += words_of(field);
    }
    return add(SetLookup{std::string(set), first_register, inverted});
}

RuleBuilder& RuleBuilder::in_set(std::initializer_list<Field> key, std::string_view set, Family addresses) {
    return look_up(key, set, addresses, false);
}

RuleBuilder& RuleBuilder::not_in_set(std::initializer_list<Field> key, std::string_view set) {
    return look_up(key, set, Family::ip, true);
}

RuleBuilder& RuleBuilder::has_connection_bits(std::uint32_t key, std::uint32_t bits) {
    add(ConntrackLoad{key, first_register});
    add(Bitwise{first_register, first_register, host_bytes(bits), host_bytes(0)});
    return add(Compare{first_register, NFT_CMP_NEQ, host_bytes(0)});
}

RuleBuilder& RuleBuilder::has_state(std::uint32_t states) {
    if (dialect_ == Dialect::iptables)
        return add(xt_conntrack_state(states));
    return has_connection_bits(NFT_CT_STATE, states);
}

RuleBuilder& RuleBuilder::established() {
    return has_state(NF_CT_STATE_BIT(IP_CT_ESTABLISHED));
}
RuleBuilder& RuleBuilder::related() {
    return has_state(NF_CT_STATE_BIT(IP_CT_RELATED));
}
RuleBuilder& RuleBuilder::established_or_related() {
    return has_state(NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED));
}

RuleBuilder& RuleBuilder::has_direction(std::uint8_t direction) {
    return add(ConntrackLoad{NFT_CT_DIRECTION, first_register}).add(Compare{first_register, NFT_CMP_EQ, {direction}});
}

RuleBuilder& RuleBuilder::original_direction() {
    return has_direction(IP_CT_DIR_ORIGINAL);
}
RuleBuilder& RuleBuilder::reply_direction() {
    return has_direction(IP_CT_DIR_REPLY);
}

RuleBuilder& RuleBuilder::dnat() {
    return has_connection_bits(NFT_CT_STATUS, IPS_DST_NAT);
}

RuleBuilder& RuleBuilder::icmpv6_type(std::uint8_t type) {
    if (family_ == Family::bridge && !std::exchange(has_network_protocol_, true)) {
        // nft's own way to say it there: by the frame's header, not by the packet's protocol.
        add(PayloadLoad{NFT_PAYLOAD_LL_HEADER, layout::ether_type, 2, first_register});
        add(Compare{first_register, NFT_CMP_EQ, network_bytes(ETH_P_IPV6)});
    }
    network_protocol(Family::ip6);
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
