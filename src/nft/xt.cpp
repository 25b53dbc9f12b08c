#include "xt.hpp"

// clang-format off
#include "nfnetlink.hpp"
#include <linux/netfilter/xt_LOG.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
// clang-format on

#include <algorithm>
#include <cstring>

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

}  // namespace nftlink::nft
