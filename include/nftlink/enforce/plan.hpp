// Making the kernel match a wanted ruleset: read, compare, write, and see to it that the bridges' packets reach the
// rules.
//
// The command and the service both do it with these functions. Nothing is printed here.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nftlink/enforce/target.hpp"
#include "nftlink/firewall/compile.hpp"
#include "nftlink/firewall/diff.hpp"
#include "nftlink/firewall/ownership.hpp"
#include "nftlink/firewall/transactions.hpp"
#include "nftlink/kernel/kernel.hpp"
#include "nftlink/nft/batch.hpp"

namespace nftlink::enforce {

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

// The steps that must be taken, and the findings that none can mend.
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

// The steps that were taken.
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

// True when any table of ours is there. `name`: the configured table's, see firewall::is_ours().
bool has_rules(kernel::Kernel& kernel, const std::string& name);

// Deletes every table that is ours, and our rules in other chains. `name`: the configured table's, see
// firewall::is_ours().
struct Cleared {
    nft::Batch batch;
    std::vector<std::string> left;  // as in a Plan
};
std::expected<Cleared, std::string> clear(kernel::Kernel& kernel, std::string_view name,
                                          Strangers strangers = Strangers::refuse);

}  // namespace nftlink::enforce
