// The names of our objects, and the signs by which they are known.
#pragma once

#include <string>
#include <string_view>

#include "nftlink/model/policy.hpp"
#include "nftlink/nft/ruleset.hpp"

namespace nftlink::firewall {

// The comments of our table, chains and sets start with this, for people. It proves nothing: anybody may write one.
inline constexpr std::string_view tag = "nftlink: ";
// The same in a script's rules for other programs' chains.
inline constexpr std::string_view attached_tag = "nftlink attached: ";

// The owner in the userdata of all that we write, elements aside: how we know our own.
inline constexpr std::string_view owner = "nftlink";

template <typename T>
bool is_marked(const T& object) {
    return object.owner == owner;
}

// The chains of a table of ours: with the hook; what that asks about replies, about bridges that take more than links,
// and about ICMP errors; each port's rules with `layout: rules`; in the bridge family what is IP and has no tag; what
// no packet meets.
inline constexpr std::string_view forward_chain = "forward";
inline constexpr std::string_view replies_chain = "replies";
inline constexpr std::string_view lenient_chain = "lenient";
inline constexpr std::string_view answers_chain = "answers";
inline constexpr std::string_view errors_chain = "errors";
inline constexpr std::string_view links_chain = "links";
inline constexpr std::string_view untagged_chain = "untagged";
inline constexpr std::string_view tracking_chain = "tracking";

// Its sets. Every bridge that is policed; and those whose drops are counted.
inline constexpr std::string_view bridges_set = "bridges";
inline constexpr std::string_view denied_set = "denied";
// Bridges to which more may be sent than links permit: all of the following ones.
inline constexpr std::string_view lenient_set = "lenient";
// A bridge twice, as from . to: within which everything passes.
inline constexpr std::string_view open_set = "open";
// Bridges onto which others' packets are routed, all of them or those that come by DNAT; and each of them twice, since
// what begins on the bridge itself isn't meant.
inline constexpr std::string_view routed_set = "routed";
inline constexpr std::string_view published_set = "published";
inline constexpr std::string_view inside_set = "inside";

// The table of the bridge family that drops the frames that no rule about IP sees, and its chain beside `forward`: it
// knows the bridges by their names, or, where the kernel can't, by those of their ports.
std::string frames_table(std::string_view table);
inline constexpr std::string_view prerouting_chain = "prerouting";
inline constexpr std::string_view closed_set = "closed";
inline constexpr std::string_view ports_set = "ports";

constexpr std::string_view links_set(model::Ip ip) {
    return ip == model::Ip::v4 ? "links4" : "links6";
}
constexpr std::string_view replies_set(model::Ip ip) {
    return ip == model::Ip::v4 ? "replies4" : "replies6";
}

// Those of links and replies have a size, which the kernel's faster hash wants; those of bridges have none.
inline bool is_sized(const nft::Set& set) {
    return set.size != 0;
}

// A set that must be made anew and is too large for one transaction is filled under its other name, `links4.b`, and
// back under the first the next time.
std::string other_name(std::string_view name);
// The one without the ending.
std::string_view plain_name(std::string_view name);
// A set of links or of replies, by whichever of its names.
bool is_of_links(std::string_view name);

nft::Family nft_family(model::Family family);
nft::Family nft_family(model::AttachPoint::Family family);
constexpr nft::Family nft_family(model::Ip ip) {
    return ip == model::Ip::v4 ? nft::Family::ip : nft::Family::ip6;
}

// The chain of our table of the same family that holds copies of what is attached to that chain: `filter/FORWARD`.
std::string copies_chain(std::string_view table, std::string_view chain);
bool is_copies_chain(std::string_view name);

// True when iptables-nft or ip6tables-nft reads and writes that table.
bool is_iptables_table(nft::Family family, std::string_view table);

// Of 0.1, which had a chain and sets for each bridge, `bridge-docker0` and `links4-docker0`, and a second table beside
// that of the bridge family. Whatever of a bridge's name nft's identifiers can't is written `/XX`, in hexadecimal; and
// `/b` may follow.
inline constexpr std::string_view old_chain_prefix = "bridge-";
inline constexpr std::string_view old_second_slot = "/b";
inline constexpr std::string_view old_routed_suffix = "-routed";
std::string old_escaped(std::string_view bridge);

}  // namespace nftlink::firewall
