// Extensions of xtables: written as iptables-nft 1.8.9 writes them, byte for byte, and read whoever wrote them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "nftlink/nft/expression.hpp"

namespace nftlink::nft {

// `-m conntrack --ctstate …`; the states are NF_CT_STATE_BIT's.
XtMatch xt_conntrack_state(std::uint32_t states);
// `-m sctp --sport …` or `--dport …`
XtMatch xt_sctp_port(std::uint16_t port, bool is_source);
// `-m icmp6 --icmpv6-type …`, whatever the code.
XtMatch xt_icmpv6_type(std::uint8_t type);
// `-j LOG --log-prefix …`
XtTarget xt_log(std::string_view prefix);
// `-j MARK --set-mark …`
XtTarget xt_set_mark(std::uint32_t mark);

// Each of these gives what the extension asks for or does, and nothing when it is another one, or does more than that.

// Of `-m conntrack --ctstate` and `-m state`: all states in which it matches, NF_CT_STATE_BIT's. `--ctstate SNAT` and
// `DNAT` are no states but words of the connection's status.
std::optional<std::uint32_t> xt_states(const XtMatch& match);

// Of `-m tcp`, `udp` and `sctp`: the ports, from and to.
struct XtPorts {
    std::uint16_t source[2] = {0, 0xffff};
    std::uint16_t destination[2] = {0, 0xffff};
};
std::optional<XtPorts> xt_ports(const XtMatch& match);

// Of `-m icmp` and `icmp6`: the type, whatever the code.
std::optional<std::uint8_t> xt_icmp_type(const XtMatch& match);
// Of `-m comment`.
std::optional<std::string> xt_comment(const XtMatch& match);
// Of `-j LOG` with the options that xt_log() writes: the prefix.
std::optional<std::string> xt_log_prefix(const XtTarget& target);
// Of `-j MARK --set-mark`.
std::optional<std::uint32_t> xt_mark(const XtTarget& target);

}  // namespace nftlink::nft
