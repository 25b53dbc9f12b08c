// Ours and not ours, of what a kernel has. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nftlink/firewall/wanted.hpp"
#include "nftlink/nft/ruleset.hpp"

namespace nftlink::firewall {

// True if the table is ours: it or one of its chains carries our mark, which is in their userdata and which nobody
// types; or it has that name, and the chains that make it ours have the form of ours, which is what nft leaves of it
// when it saves and loads it, or that of 0.1's. Its comments say nothing.
bool is_ours(const nft::Table& table, std::string_view name);
// Of what is in such a table.
bool is_ours(const nft::Table& table, const nft::Chain& chain);
bool is_ours(const nft::Table& table, const nft::Set& set);

// All of it has our form, and neither our mark nor that name: perhaps a leftover, perhaps somebody's copy. Not ours.
bool has_form_alone(const nft::Table& table, std::string_view name);

// By its name the table beside ours that drops the frames that no rule about IP sees: `nftlink-frames`. Whether it is
// ours is another question.
bool is_frames_table(nft::Family family, std::string_view name);

// A table of ours as 0.1 made it, with a chain for each bridge.
bool is_of_0_1(const nft::Table& table);

// The objects of somebody else's in a table of ours, in words: `chain x`, `the rule with handle 7 in chain forward`.
std::vector<std::string> strangers(const nft::Table& table);

// The filter of snapshot() for diff(): the tables that may be ours, the wanted ones' namesakes whoever made them, and
// those that something is or was attached to. `listing` has all tables with their chains, rules or no rules.
bool is_relevant(const nft::Table& table, const nft::Ruleset& listing, const Wanted& want);

}  // namespace nftlink::firewall
