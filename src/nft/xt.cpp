#include "nftlink/nft/xt.hpp"

// clang-format off
#include "nfnetlink.hpp"
#include <linux/netfilter/xt_LOG.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_state.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
// clang-format on

#include <algorithm>
#include <cstring>
#include <iterator>

namespace nftlink::nft {

namespace {

// struct xt_sctp_info of <linux/netfilter/xt_sctp.h>, a header that no C++ compiler takes.
struct SctpInfo {
    std::uint16_t destination_ports[2], source_ports[2];  // from, to
    std::uint32_t chunk_map[64];
    std::uint32_t chunk_match_type;
    struct {
        std::uint8_t chunk_type, flag, mask;
    } flag_info[4];
    std::int32_t flag_count;
    std::uint32_t flags, inverse_flags;
};
constexpr std::uint32_t sctp_source_ports = 1, sctp_destination_ports = 2;  // flags

// The kernel pads an extension's structure to 8 bytes (XT_ALIGN), and dumps it so.
template <typename Info>
Bytes info_bytes(const Info& info) {
    Bytes bytes((sizeof info + 7) & ~std::size_t{7});
    std::memcpy(bytes.data(), &info, sizeof info);
    return bytes;
}

// The structure of that extension and revision; nothing when it is another one.
template <typename Info, typename Extension>
std::optional<Info> info_of(const Extension& extension, std::string_view name, std::uint32_t revision) {
    Info info;
    if (extension.name != name || extension.revision != revision || extension.info.size() < sizeof info)
        return {};
    std::memcpy(&info, extension.info.data(), sizeof info);
    return info;
}

// xt_conntrack's own bits for what nf_tables has elsewhere.
constexpr std::uint32_t xt_untracked = XT_CONNTRACK_STATE_UNTRACKED;
constexpr std::uint32_t status_words = XT_CONNTRACK_STATE_SNAT | XT_CONNTRACK_STATE_DNAT;

XtPorts ports_of(const std::uint16_t (&source)[2], const std::uint16_t (&destination)[2]) {
    XtPorts ports;
    std::ranges::copy(source, ports.source);
    std::ranges::copy(destination, ports.destination);
    return ports;
}

// struct ipt_icmp and struct ip6t_icmp are the same.
template <typename Info>
std::optional<std::uint8_t> icmp_type(const std::optional<Info>& info) {
    const bool plain = info && info->invflags == 0 && info->code[0] == 0 && info->code[1] == 0xff;
    return plain ? std::optional(info->type) : std::nullopt;
}

}  // namespace

XtMatch xt_conntrack_state(std::uint32_t states) {
    xt_conntrack_mtinfo3 info{};
    info.match_flags = XT_CONNTRACK_STATE;
    info.state_mask = static_cast<std::uint16_t>(states);
    return {"conntrack", 3, info_bytes(info)};
}

XtMatch xt_sctp_port(std::uint16_t port, bool is_source) {
    SctpInfo info{};
    std::ranges::fill(is_source ? info.source_ports : info.destination_ports, port);
    for (auto& unused : info.flag_info)
        unused.chunk_type = 0xff;
    info.flags = is_source ? sctp_source_ports : sctp_destination_ports;
    return {"sctp", 0, info_bytes(info)};
}

XtMatch xt_icmpv6_type(std::uint8_t type) {
    ip6t_icmp info{};
    info.type = type;
    info.code[1] = 0xff;
    return {"icmp6", 0, info_bytes(info)};
}

XtTarget xt_log(std::string_view prefix) {
    constexpr unsigned char warning = 4;  // LOGLEVEL_WARNING, iptables' default
    xt_log_info info{};
    info.level = warning;
    std::ranges::copy(prefix.substr(0, sizeof info.prefix - 1), info.prefix);
    return {"LOG", 0, info_bytes(info)};
}

XtTarget xt_set_mark(std::uint32_t mark) {
    return {"MARK", 2, info_bytes(xt_mark_tginfo2{.mark = mark, .mask = 0xffffffff})};
}

std::optional<std::uint32_t> xt_states(const XtMatch& match) {
    if (const auto state = info_of<xt_state_info>(match, "state", 0))
        return state->statemask;
    const auto info = info_of<xt_conntrack_mtinfo3>(match, "conntrack", 3);
    if (!info || (info->match_flags & ~XT_CONNTRACK_STATE_ALIAS) != XT_CONNTRACK_STATE ||
        (info->invert_flags & ~XT_CONNTRACK_STATE) != 0 || (info->state_mask & status_words) != 0)
        return {};
    constexpr std::uint32_t plain = NF_CT_STATE_INVALID_BIT | NF_CT_STATE_BIT(IP_CT_ESTABLISHED) |
                                    NF_CT_STATE_BIT(IP_CT_RELATED) | NF_CT_STATE_BIT(IP_CT_NEW);
    const std::uint32_t untracked = (info->state_mask & xt_untracked) != 0 ? NF_CT_STATE_UNTRACKED_BIT : 0;
    const std::uint32_t states = (info->state_mask & plain) | untracked;
    return info->invert_flags == 0 ? states : (plain | NF_CT_STATE_UNTRACKED_BIT) & ~states;
}

std::optional<XtPorts> xt_ports(const XtMatch& match) {
    if (const auto tcp = info_of<xt_tcp>(match, "tcp", 0);
        tcp && tcp->option == 0 && tcp->flg_mask == 0 && tcp->invflags == 0)
        return ports_of(tcp->spts, tcp->dpts);
    if (const auto udp = info_of<xt_udp>(match, "udp", 0); udp && udp->invflags == 0)
        return ports_of(udp->spts, udp->dpts);
    const auto sctp = info_of<SctpInfo>(match, "sctp", 0);
    if (!sctp || (sctp->flags & ~(sctp_source_ports | sctp_destination_ports)) != 0 || sctp->inverse_flags != 0)
        return {};
    XtPorts ports;
    if ((sctp->flags & sctp_source_ports) != 0)
        std::ranges::copy(sctp->source_ports, ports.source);
    if ((sctp->flags & sctp_destination_ports) != 0)
        std::ranges::copy(sctp->destination_ports, ports.destination);
    return ports;
}

std::optional<std::uint8_t> xt_icmp_type(const XtMatch& match) {
    if (const auto type = icmp_type(info_of<ip6t_icmp>(match, "icmp6", 0)))
        return type;
    return icmp_type(info_of<ipt_icmp>(match, "icmp", 0));
}

std::optional<std::string> xt_comment(const XtMatch& match) {
    if (match.name != "comment")
        return {};
    return std::string(match.info.begin(), std::ranges::find(match.info, 0));
}

std::optional<std::string> xt_log_prefix(const XtTarget& target) {
    const auto info = info_of<xt_log_info>(target, "LOG", 0);
    if (!info)
        return {};
    const std::string prefix(info->prefix, std::ranges::find(info->prefix, '\0'));
    return target == xt_log(prefix) ? std::optional(prefix) : std::nullopt;
}

std::optional<std::uint32_t> xt_mark(const XtTarget& target) {
    const auto info = info_of<xt_mark_tginfo2>(target, "MARK", 2);
    return info && info->mask == 0xffffffff ? std::optional(info->mark) : std::nullopt;
}

}  // namespace nftlink::nft
