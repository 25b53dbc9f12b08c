// Links as nftables rules: what the ruleset should be, and how to get there. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "nftlink/model/policy.hpp"
#include "nftlink/model/topology.hpp"
#include "nftlink/nft/batch.hpp"
#include "nftlink/nft/flow.hpp"

namespace nftlink::firewall {

// What of a host the rules depend on.
struct HostFacts {
    // For `family: bridge` alone: `meta ibrname` is there (nft_meta_bridge), `ct state` works (nf_conntrack_bridge),
    // and each bridge's ports where there are no names to ask for.
    bool bridge_names = true;
    bool bridge_conntrack = true;
    std::map<std::string, std::vector<std::string>, std::less<>> ports;
    // The bridges there are that fit a pattern of the policy and aren't named in it; sorted.
    std::vector<std::string> bridges = {};

    bool operator==(const HostFacts&) const = default;
};

// Rules on top of a chain of somebody else's, in their order.
struct Attachment {
    nft::Family family = nft::Family::ip;
    std::string table;
    std::string chain;
    std::vector<nft::Rule> rules;

    const nft::Chain* find(const nft::Ruleset& have) const;
};

// Our own tables, and what is attached to other chains.
struct Wanted : nft::Ruleset {
    std::vector<Attachment> attached;
    // The table's, in the policy: what is_ours() is asked with.
    std::string name = model::FirewallPolicy{}.table;
};

// What the topology and the policy ask for. Elements and rules have no counts yet.
Wanted compile(const model::Topology& topology, const model::FirewallPolicy& policy, const HostFacts& host = {});

// True if the table is ours: it carries our mark, which is in its userdata and which nobody types; or it has that name,
// and the chains that make it ours have the form of ours, which is what nft leaves of it when it saves and loads it,
// and what 0.1 made. Its comments say nothing.
bool is_ours(const nft::Table& table, std::string_view name);
// Of what is in such a table.
bool is_ours(const nft::Table& table, const nft::Chain& chain);
bool is_ours(const nft::Set& set);

// All of it has our form, and neither our mark nor that name: perhaps a leftover, perhaps somebody's copy. Not ours.
bool has_form_alone(const nft::Table& table, std::string_view name);

// The objects of somebody else's in a table of ours, in words: `chain x`, `the rule with handle 7 in chain forward`.
std::vector<std::string> strangers(const nft::Table& table);

// What snapshot() must offer for diff(): the tables that may be ours, the wanted ones' namesakes whoever made them, and
// those that something is or was attached to. `listing` has all tables with their chains, rules or no rules.
bool is_relevant(const nft::Table& table, const nft::Ruleset& listing, const Wanted& want);

// The change from what the kernel has to what we want, at the level of elements and rules; empty when nothing is to be
// done. `have` holds the relevant tables: those that we don't want any more are deleted, and our rules in other chains
// that aren't to be there. Counters of what stays, moves or is replaced are carried over.
//
// Objects of others in a table of ours stay, and so does the table; what they have changed of ours is put right,
// and rules of theirs that lead to a chain or set of ours that goes, go with it.
//
// In another program's chain our rules come to stand on top; but where some stand below rules of others, they stay
// unless that changes what becomes of a packet. A chain that isn't there is passed over.
struct Manner {
    // A table more of whose elements would go or come than it is to have is deleted and made anew; like all of the
    // batch, that is one step for the traffic.
    bool replaces = true;
    // Tables of ours go with what others have put into them.
    bool force = false;
    // Our rules come to stand above an obstacle.
    bool moves = true;
    // A table of ours that has lost its mark is made anew, so that it has it again.
    bool marks = false;
};

// In a chain of somebody else's, what others have done to the place of our rules.
struct Obstacle {
    std::string chain;  // `ip filter FORWARD`
    std::string rule;   // that stands above ours and changes what becomes of a packet; or that ours have gone

    bool operator==(const Obstacle&) const = default;
};

// `obstacles` gets those that the change puts right, or, without `moves`, leaves.
nft::Batch diff(const nft::Ruleset& have, const Wanted& want, Manner manner = {},
                std::vector<Obstacle>* obstacles = nullptr);

// The chains to attach to that no forwarded packet comes to: those that aren't there, or to which nothing leads from
// the forward hook. As long as there is one, nothing of ours goes that is attached elsewhere, links that have ended
// aside.
struct IdleChain {
    const Attachment* attachment;  // of `want`
    bool is_there = false;
};
std::vector<IdleChain> idle_chains(const nft::Ruleset& have, const Wanted& want);

// The first with the second's tables, for as long as the first is attached where nothing comes.
Wanted joined(Wanted attached, const Wanted& own);

// The same change as transactions of at most `limit_bytes` each, to be applied in order, every one guarded by the
// generation that the one before it left. Nearly always one. All but the last fill sets and chains that no packet meets
// yet; the last switches to them, so that for the traffic it is still one step. `always_split`: so that the kernel
// already tracks connections when the last one comes.
struct Transactions {
    std::vector<nft::Batch> batches;
    // By wanted table: its chains and sets are then in the second of the two slots that a table has, under names of
    // their own; see src/firewall/transactions.cpp.
    std::vector<bool> in_second_slot;
    std::vector<Obstacle> obstacles = {};  // of diff()
};
Transactions transactions(const nft::Ruleset& have, const Wanted& want, std::size_t limit_bytes,
                          bool always_split = false, Manner manner = {});

// Gives the sets of `have`, which were read without them, the elements that the ruleset is known to have: `want`, in
// those slots. Their counts are 0. Sets of others stay without. False when an element must be known for the change to
// `next` and isn't.
bool fill_elements(nft::Ruleset& have, const Wanted& want, const std::vector<bool>& in_second_slot, const Wanted& next);

// What makes the wanted tables out of nothing, their sets empty: the policy without its links.
nft::Batch frame(const Wanted& want);

// Deletes every table of `have` that is ours, those that hold what is somebody else's only by force; and our rules in
// other chains.
nft::Batch clear(const nft::Ruleset& have, std::string_view name, bool force = false);

// What has become of one link.
struct LinkCount {
    std::string parent;
    model::Link link;
    // Everything that it permits is in the kernel, where packets meet it; also when it permits nothing. Not looked at
    // is whether a rule of others, or a bridge's switch, keeps the packets away.
    bool installed = false;
    // From parent to child, over all that it permits. Links that share a permission all get its counts.
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;

    bool operator==(const LinkCount&) const = default;
};

// Of every link, in the topology's order. `have` holds the relevant tables.
std::vector<LinkCount> link_counts(const nft::Ruleset& have, const model::Topology& topology,
                                   const model::FirewallPolicy& policy);

// What was permitted and isn't any more, each once. Whatever still is on some bridge isn't among it.
std::vector<nft::Flow> removed_flows(const model::Topology& old_topology, const model::FirewallPolicy& old_policy,
                                     const model::Topology& new_topology, const model::FirewallPolicy& new_policy);

// What of the wanted rules nft's own language can say, as a script that `nft -f` loads: our tables, and `insert rule`
// for what is attached. `left_out` gets, one each, what it can't say.
std::string render(const Wanted& want, std::vector<std::string>& left_out);
std::string render_json(const Wanted& want, std::vector<std::string>& left_out);

}  // namespace nftlink::firewall
