// Links as nftables rules: what the ruleset should be, and how to get there. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nftlink/model/policy.hpp"
#include "nftlink/model/topology.hpp"
#include "nftlink/nft/batch.hpp"

namespace nftlink::firewall {

// How frames that no rule about IP sees are known to be a bridge's: by its name; by its port's name, where the kernel
// has no `meta ibrname`; not at all, where it has no tables of the bridge family.
enum class Frames { by_name, by_port, none };

// What of a host the rules depend on.
struct HostFacts {
    // For `family: bridge`: `ct state` works there (nf_conntrack_bridge).
    bool bridge_conntrack = true;
    // The bridges there are that fit a pattern of the policy and aren't named in it; sorted.
    std::vector<std::string> bridges = {};
    Frames frames = Frames::by_name;
    // Frames::by_port: the ports of the bridges whose other frames are dropped; sorted.
    std::vector<std::string> ports = {};

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
    bool cross_bridges = false;  // some links lead from one bridge to another, with `layout: sets`
};

// What the topology and the policy ask for. Elements and rules have no counts yet.
// With `layout: sets` rules, chains and sets are the same whatever bridges and links there are.
Wanted compile(const model::Topology& topology, const model::FirewallPolicy& policy, const HostFacts& host = {});

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
    // Tables of ours go with what others have put into them.
    bool force = false;
    // Our rules come to stand above an obstacle.
    bool moves = true;
    // Chains of ours that have lost their mark are made anew, so that they have it again; those of each port's rules
    // aside, which may be large.
    bool marks = false;
};

// In a chain of somebody else's, what others have done to the place of our rules.
struct Obstacle {
    std::string chain;  // `ip filter FORWARD`
    std::string rule;   // that stands above ours and changes what becomes of a packet; or that ours have gone

    bool operator==(const Obstacle&) const = default;
};

// `obstacles` gets those that the change puts right, or, without `moves`, leaves.
// Where nothing is wanted: deletes every table of `have` that is ours, those that hold what is somebody else's only by
// force; and our rules in other chains.
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

// Sets that are in the kernel under their other name, `links4.b`: those that once grew and were too large to be made
// anew in one transaction. By their plain names.
using OtherNames = std::set<std::pair<nft::Family, std::string>>;

// What one transaction may have.
struct Room {
    std::size_t bytes = 0;
    std::size_t elements = 20'000;  // and rules, where there are many
};

// The same change as transactions, to be applied in order, every one guarded by the generation that the one before it
// left. One, where there is room. Otherwise in pieces: what is permitted no longer goes first, one piece changes the
// rules, what is permitted newly comes last. What takes another's place (a larger set, another table or layout) is
// filled before that piece, which switches to it. What neither side permits doesn't pass at any time.
struct Transactions {
    std::vector<nft::Batch> batches;
    OtherNames other_names;                // after the change
    std::vector<Obstacle> obstacles = {};  // of diff()
};
// `deletes_last`: the tables that are to go have a transaction of their own, the last one.
Transactions transactions(const nft::Ruleset& have, const Wanted& want, Room room, Manner manner = {},
                          bool deletes_last = false);
// The change back to what was ours in `before`, from a change that was made in part.
Transactions take_back(const nft::Ruleset& have, const nft::Ruleset& before, std::string_view name, Room room);

// Gives the sets of `have`, which were read without them, the elements that the ruleset is known to have: `want`. Their
// counts are 0. Sets of others stay without. False when an element must be known for the change to `next` and isn't.
bool fill_elements(nft::Ruleset& have, const Wanted& want, const Wanted& next);

// What makes the wanted tables out of nothing without a link, but for those that are there: what isn't linked is
// denied.
nft::Batch frame(const Wanted& want, const std::vector<const nft::Table*>& there = {});

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

// What of the wanted rules nft's own language can say, as a script that `nft -f` loads: our tables, and `insert rule`
// for what is attached. `left_out` gets, one each, what it can't say.
std::string render(const Wanted& want, std::vector<std::string>& left_out);
std::string render_json(const Wanted& want, std::vector<std::string>& left_out);

}  // namespace nftlink::firewall
