// Extensions of xtables as iptables-nft 1.8.9 writes them, byte for byte.
#pragma once

#include <cstdint>
#include <optional>
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

}  // namespace nftlink::nft
