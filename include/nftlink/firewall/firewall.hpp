// Links as nftables rules: what the ruleset should be, and how to get there. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "nftlink/model/policy.hpp"
#include "nftlink/model/topology.hpp"
#include "nftlink/nft/batch.hpp"

namespace nftlink::firewall {

// The ruleset that the topology and the policy ask for: one table. Elements and rules have no counts yet.
nft::Ruleset compile(const model::Topology& topology, const model::FirewallPolicy& policy);

// Whether the table carries our tag: on itself, or on any chain, set or rule in it.
bool is_ours(const nft::Table& table);

// What snapshot() must offer for diff(): the tables that are ours, and the wanted one's namesake whoever made it.
bool is_relevant(const nft::Table& table, const nft::Ruleset& want);

// The change from what the kernel has to what we want, at the level of elements and rules; empty when nothing is to be
// done. `have` holds the relevant tables: those that we don't want any more are deleted. Counters of what stays, moves
// or is replaced are carried over.
nft::Batch diff(const nft::Ruleset& have, const nft::Ruleset& want);

// The same change as transactions of at most `limit_bytes` each, to be applied in order, every one guarded by the
// generation that the one before it left. Nearly always one. All but the last fill sets and chains that no packet meets
// yet; the last switches to them, so that for the traffic it is still one step.
std::vector<nft::Batch> transactions(const nft::Ruleset& have, const nft::Ruleset& want, std::size_t limit_bytes);

// Deletes every table of `have` that is ours.
nft::Batch clear(const nft::Ruleset& have);

}  // namespace nftlink::firewall
