#include "table_name.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "nftlink/model/policy.hpp"
#include "words.hpp"

namespace nftlink::config {

namespace {

// NFT_NAME_MAXLEN, less its NUL, and room for the name of the table beside it.
constexpr std::size_t longest_name = 255 - model::frames_ending.size();

// The words that nft 1.0.6 refuses as a table's name (each was tried), and `destroy`, which 1.0.7 made a command.
// Sorted.
constexpr std::string_view reserved[] = {
    "accept",   "add",      "ah",       "all",         "and",        "arp",      "auto-merge", "bridge",    "cgroup",
    "chain",    "comment",  "comp",     "constant",    "continue",   "counter",  "cpu",        "create",    "ct",
    "day",      "dccp",     "define",   "delete",      "describe",   "destroy",  "device",     "devices",   "dnat",
    "drop",     "dst",      "dup",      "dynamic",     "ecn",        "element",  "elements",   "eq",        "esp",
    "ether",    "exists",   "expires",  "export",      "exthdr",     "fib",      "flags",      "flow",      "flowtable",
    "flush",    "frag",     "fwd",      "gc-interval", "ge",         "get",      "goto",       "gt",        "handle",
    "hbh",      "hook",     "hour",     "ibriport",    "ibrname",    "icmp",     "icmpv6",     "igmp",      "iif",
    "iifgroup", "iifname",  "iiftype",  "import",      "include",    "index",    "inet",       "insert",    "interval",
    "ip",       "ip6",      "ipsec",    "jhash",       "jump",       "le",       "limit",      "list",      "log",
    "lshift",   "lt",       "map",      "mark",        "masquerade", "meta",     "meter",      "mh",        "missing",
    "monitor",  "ne",       "netdev",   "nftrace",     "not",        "notrack",  "numgen",     "obriport",  "obrname",
    "offload",  "oif",      "oifgroup", "oifname",     "oiftype",    "or",       "osf",        "pkttype",   "policy",
    "position", "priority", "queue",    "quota",       "random",     "redefine", "redirect",   "reject",    "rename",
    "replace",  "reset",    "return",   "rshift",      "rt",         "rt0",      "rt2",        "rtclassid", "rule",
    "ruleset",  "sctp",     "secmark",  "set",         "size",       "skgid",    "skuid",      "snat",      "socket",
    "srh",      "symhash",  "synproxy", "table",       "tcp",        "th",       "time",       "timeout",   "tproxy",
    "type",     "typeof",   "udp",      "udplite",     "undefine",   "update",   "vlan",       "vmap",      "xor",
    "xt"};
static_assert(std::ranges::is_sorted(reserved));

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool starts_name(char c) {
    return is_letter(c) || c == '_' || c == '.';
}
bool continues_name(char c) {
    return starts_name(c) || (c >= '0' && c <= '9') || c == '/' || c == '-';
}

}  // namespace

std::string table_name_fault(std::string_view name) {
    if (name.size() > longest_name)
        return fmt::format("is longer than {} bytes", longest_name);
    if (name.empty() || !starts_name(name.front()) || !std::ranges::all_of(name, continues_name))
        return fmt::format(
            "must start with a letter, '_' or '.' and go on with letters, digits and _ . / -, or nft could "
            "not read it; {} does not",
            quote(name));
    if (name == "." || std::ranges::binary_search(reserved, name))
        return fmt::format("cannot be {}: in nft's language that word means something else", quote(name));
    return "";
}

}  // namespace nftlink::config
