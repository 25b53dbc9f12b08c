// The form of our tables, whatever the policy and the topology. It is all that is left of them when another program has
// saved and loaded them without our marks. 0.1, which wrote no marks into its own tables, is known by it once, for the
// change to the frame.
#pragma once

#include "nftlink/nft/ruleset.hpp"

namespace nftlink::firewall {

// Of a chain or set in one of our tables: by name, kind and rules.
bool has_form(const nft::Table& table, const nft::Chain& chain);
bool has_form(const nft::Table& table, const nft::Set& set);
// Of one rule in such a chain.
bool has_form(const nft::Table& table, const nft::Chain& chain, const nft::Rule& rule);

// Every chain, set and rule of the table has it, and there is nothing else in it.
bool has_form(const nft::Table& table);
// The chains that make a table ours have it: the one with the hook and what it asks, or that of copies and the one
// beside it. There may be anything else.
bool has_core_of_form(const nft::Table& table);
// False when it can't have it, whatever its rules are, which a listing hasn't got.
bool may_have_form(const nft::Table& table);
// A chain with such a name and kind, whatever rules are in it.
bool has_kind_of_form(const nft::Table& table, const nft::Chain& chain);

}  // namespace nftlink::firewall
