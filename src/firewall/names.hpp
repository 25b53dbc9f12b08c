// How our objects are called and known.
#pragma once

#include <optional>
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

inline constexpr std::string_view forward_chain = "forward";
inline constexpr std::string_view tracking_chain = "tracking";

// The name of the inet table beside one of the bridge family, after the table's own.
inline constexpr std::string_view routed_suffix = "-routed";

nft::Family nft_family(model::Family family);
nft::Family nft_family(model::AttachPoint::Family family);

// Names hold an interface's name; whatever nft's identifiers can't is written `/XX`, in hexadecimal. No interface name
// has a `/`, so two bridges never get one name.
std::string bridge_chain(std::string_view bridge);
std::string links_set(std::string_view bridge, bool ipv4);
std::string replies_set(std::string_view bridge, bool ipv4);
std::string ports_set(std::string_view bridge);
// The bridge that bridge_chain() made this name of, in whichever slot; nothing when it is another name.
std::optional<std::string> bridge_of(std::string_view chain);

// The chain of our table of the same family that holds copies of what is attached to that chain: `filter/FORWARD`.
std::string copies_chain(std::string_view table, std::string_view chain);
bool is_copies_chain(std::string_view name);

// Whether iptables-nft or ip6tables-nft reads and writes that table.
bool is_iptables_table(nft::Family family, std::string_view table);

// A table's chains and sets live in one of two slots: the plain name, or the name with this after it, which no bridge's
// escaped name ends with. A change too large for one transaction is built in the slot that isn't in use.
inline constexpr std::string_view second_slot = "/b";

// The same object's name in the other slot.
std::string other_slot(std::string_view name);

}  // namespace nftlink::firewall
