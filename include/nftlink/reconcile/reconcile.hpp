// Making the kernel match a wanted ruleset: read, compare, write, and see to it that the bridges' packets reach the
// rules.
//
// The command and the service both do it with these functions. Nothing is printed here.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nftlink/firewall/compile.hpp"
#include "nftlink/firewall/diff.hpp"
#include "nftlink/firewall/ownership.hpp"
#include "nftlink/firewall/transactions.hpp"
#include "nftlink/kernel/kernel.hpp"
#include "nftlink/model/policy.hpp"
#include "nftlink/model/topology.hpp"
#include "nftlink/nft/batch.hpp"

namespace nftlink::reconcile {

// What a container may reach without a link where it is open: its neighbours by IPv4, by IPv6, containers on other
// policed bridges, its neighbours by any other frame; and what it could reach while a link stood that has ended.
enum class Aspect { ipv4, ipv6, between_bridges, other_frames, ended_links };

// `ipv4`, `between_bridges` …
std::string_view to_string(Aspect aspect);

struct Opening {
    Aspect aspect = Aspect::ipv4;
    std::string why;      // the setting, or what is missing on this host
    bool chosen = false;  // the configuration leaves it open

    bool operator==(const Opening&) const = default;
};

// What the configuration leaves open on that bridge, or on those of a pattern of the policy.
std::vector<Opening> left_open(const model::FirewallPolicy& policy, std::string_view bridge);

// A bridge that the policy or a container names, or that is there and fits a pattern of the policy.
struct PolicedBridge {
    std::string name;
    // The kinds of packets that must meet our rules. None with icc: allow: nothing is dropped there, so that nothing
    // needs to be seen.
    kernel::BridgeNetfilter needed;
    model::Icc icc = model::Icc::deny;
    model::Routed routed = model::Routed::deny;
    std::vector<Opening> open = {};  // by the configuration; or since this kernel can't close it

    bool operator==(const PolicedBridge&) const = default;
};

PolicedBridge policed_bridge(std::string name, const model::FirewallPolicy& policy, firewall::Frames frames);

// All of them, by name.
std::vector<PolicedBridge> policed_bridges(const model::Topology& topology, const model::FirewallPolicy& policy,
                                           const firewall::HostFacts& host);

// What the configuration asks of the kernel.
struct Target {
    firewall::Wanted want;
    std::vector<PolicedBridge> bridges;  // by name
    // With `attach`: the same links in a table of our own. It takes the place of one that is in force as long as no
    // packet comes to a chain that they are to be attached to.
    std::optional<firewall::Wanted> meanwhile = {};
};

// The bridges there are that the policy polices by a pattern alone; sorted.
std::vector<std::string> bridges_by_pattern(const kernel::Bridges& bridges, const model::FirewallPolicy& policy);

// The ports of those bridges there are that are policed, and whose other frames are dropped; sorted.
std::vector<std::string> closed_ports(const kernel::Bridges& bridges, const model::FirewallPolicy& policy,
                                      const std::function<bool(const std::string&)>& is_policed);

// What the rules of this policy depend on here: what the kernel can do in the bridge family, and which bridges there
// are. The error says what the policy asks for that this kernel can't do, and what to ask for instead.
std::expected<firewall::HostFacts, std::string> host_facts(kernel::Kernel& kernel, const model::Topology& topology,
                                                           const model::FirewallPolicy& policy,
                                                           const kernel::Bridges& bridges);

Target make_target(const model::Topology& topology, const model::FirewallPolicy& policy,
                   const firewall::HostFacts& host = {});

// How it is with one bridge's policy.
struct BridgeState {
    std::string bridge;
    model::Icc icc = model::Icc::deny;
    model::Routed routed = model::Routed::deny;
    bool present = false;
    // It is there, and nothing is open on it that the configuration doesn't leave open. Whether the rules are
    // installed, and whether a chain that they are attached to is there, is another matter: see Plan, and
    // not_enforced().
    bool enforced = false;
    std::string reason = {};         // why not, and what to do, as one sentence; empty when it is enforced
    std::vector<Opening> open = {};  // each aspect once

    // What of IPv4, IPv6, between bridges and other frames is closed.
    std::vector<Aspect> closed() const;
    // For that reason nothing is closed; a reason that there is stays.
    void not_enforced(const std::string& why);
    bool operator==(const BridgeState&) const = default;
};

// Of every bridge of the target, in its order.
std::vector<BridgeState> bridge_states(const Target& target, const kernel::Bridges& bridges);

// One bridge's switch that is to be turned on.
struct Switch {
    std::string bridge;
    kernel::BridgeNetfilter on;

    // As a command of ip(8): `ip link set docker0 type bridge nf_call_iptables 1 nf_call_ip6tables 1`
    std::string to_string() const;
    bool operator==(const Switch&) const = default;
};

// What must be done so that the bridges' packets come to the rules, and why some won't: a bridge that isn't there, a
// missing module. Those that are policed by name, as in a Target.
struct BridgePlan {
    std::vector<Switch> switches;
    std::vector<std::string> warnings;
};
BridgePlan plan_bridges(const std::vector<PolicedBridge>& policed, const kernel::Bridges& bridges);

// The error says which can't be turned on, and why.
std::expected<void, std::string> turn_on(kernel::Kernel& kernel, const std::vector<Switch>& switches);

// A table of ours that is to go may hold what others have put into it. Then:
enum class Strangers {
    refuse,  // nothing is done at all, and the error names it
    leave,   // it stays, and Plan::left names it
    remove,
};

// A ruleset that the kernel is known to have had at that generation. It must outlive this.
struct Known {
    const firewall::Wanted* want;
    std::uint32_t generation = 0;
};

struct Means {
    // The bridges that the target is about, as the caller has read them; null: they are read.
    const kernel::Bridges* bridges = nullptr;
    Strangers strangers = Strangers::refuse;
    // Our rules come to stand above others' that change what becomes of a packet; see firewall::Manner.
    bool moves = true;
    // Target::meanwhile was in force, whoever has taken it away since.
    bool has_meanwhile = false;
    // A table of ours that has lost its mark is made anew; see firewall::Manner.
    bool marks = false;
    // Where the generation is still that one, no set's elements are read, however many there are, unless their counts
    // are needed.
    std::optional<Known> known = {};
};

// What must be done, and what can't be.
struct Plan {
    std::vector<nft::Batch> transactions;  // one, or several of a large change; none when the ruleset is as wanted
    firewall::OtherNames other_names;      // of firewall::Transactions
    std::vector<Switch> switches;
    // From the bridge family to another: the switches come before the last transaction, which removes the rules that
    // stand meanwhile, and a pause between the two lets the kernel get to know the connections there are.
    bool switches_first = false;
    // Why a policy isn't enforced and won't be by this plan: a missing chain, say; those of a BridgePlan.
    std::vector<std::string> warnings, bridge_warnings;
    // Chains to be attached to, as `ip filter FORWARD`: that aren't there; that no forwarded packet comes to.
    std::vector<std::string> missing_chains, unmet_chains;
    bool has_meanwhile = false;                 // Target::meanwhile is in force then
    std::vector<std::string> left;              // tables that stay with what others have put into them, as sentences
    std::vector<firewall::Obstacle> obstacles;  // that are put right, or, without Means::moves, aren't
    // Those that the plan is about: a change of one of them by somebody else is a reason to plan anew.
    std::vector<std::pair<nft::Family, std::string>> tables;
    std::uint32_t generation = 0;             // of the ruleset that was read
    std::optional<nft::Ruleset> before = {};  // that ruleset, where there are several transactions

    bool empty() const { return transactions.empty() && switches.empty(); }
};

// Reads the kernel and compares. The error says why nothing can be planned: the wanted table's name is taken by
// somebody else's, or a table that is to go holds somebody else's objects.
std::expected<Plan, std::string> plan(kernel::Kernel& kernel, const Target& target, const Means& means = {});

// What was done.
struct Outcome {
    Plan done;
    // Of the ruleset now; or an older one, when others' commits came in between that were not looked at.
    std::uint32_t generation = 0;
    // Not zero: this was the first part of a plan with switches_first. All is prepared and switched on, the old rules
    // are still in force; apply() is to be called again after this time, and finishes then. Called earlier it finishes
    // too, but connections that have been silent since may be cut.
    std::chrono::milliseconds again_in{0};
};

// Plans and carries out, without waiting for anything. Starts again when the ruleset changes meanwhile; when it never
// stops changing, the change is made all the same. On an error no packet meets anything new,
// unless the error is that a bridge's switch was refused: switches come last, and it says that the rules are in place.
// (Coming from the bridge family switches come first, and stay on.)
// Of a change that takes several transactions, those that were made are taken back when a later one is refused.
std::expected<Outcome, std::string> apply(kernel::Kernel& kernel, const Target& target, const Means& means = {});

// Where none of the target's tables is there, makes them with their rules and without their links, and says whether it
// did: while many links are on their way, what isn't linked is denied already. apply() does the rest. Nothing is done
// where that is as quick, or where the kernel refuses: apply() will say why.
bool deny_first(kernel::Kernel& kernel, const Target& target);

// Deletes every table that is ours, and our rules in other chains. `name`: the configured table's, see
// firewall::is_ours().
struct Cleared {
    nft::Batch batch;
    std::vector<std::string> left;  // as in a Plan
};
std::expected<Cleared, std::string> clear(kernel::Kernel& kernel, std::string_view name,
                                          Strangers strangers = Strangers::refuse);

}  // namespace nftlink::reconcile
