// Making the kernel match a wanted ruleset: read, compare, write, and see to it that the bridges' packets reach the
// rules.
//
// The command and the service both do it with these functions. Nothing is printed here.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "nftlink/firewall/firewall.hpp"
#include "nftlink/kernel/kernel.hpp"
#include "nftlink/model/policy.hpp"
#include "nftlink/model/topology.hpp"
#include "nftlink/nft/batch.hpp"

namespace nftlink::reconcile {

// A bridge whose packets must meet our rules, and which kinds of packets.
struct PolicedBridge {
    std::string name;
    kernel::BridgeNetfilter needed;

    bool operator==(const PolicedBridge&) const = default;
};

// What the configuration asks of the kernel.
struct Target {
    firewall::Wanted want;
    // The bridges with icc: deny. On the others nothing is dropped, so that nothing needs to be seen.
    std::vector<PolicedBridge> bridges;
};

// What the rules of this policy depend on here. Nothing of it unless `family: bridge`. The error says what the policy
// asks for that this kernel can't do, and what to ask for instead.
std::expected<firewall::HostFacts, std::string> host_facts(kernel::Kernel& kernel, const model::FirewallPolicy& policy);

Target make_target(const model::Topology& topology, const model::FirewallPolicy& policy,
                   const firewall::HostFacts& host = {});

// One bridge's switch that is to be turned on.
struct Switch {
    std::string bridge;
    kernel::BridgeNetfilter on;

    // As a command of ip(8): `ip link set docker0 type bridge nf_call_iptables 1 nf_call_ip6tables 1`
    std::string to_string() const;
    bool operator==(const Switch&) const = default;
};

// What must be done, and what can't be.
struct Plan {
    std::vector<nft::Batch> transactions;  // nearly always one; none when the ruleset is as wanted
    std::vector<Switch> switches;
    // From the bridge family to another: the switches come before the last transaction, which removes the rules that
    // stand meanwhile, and a pause between the two lets the kernel get to know the connections there are.
    bool switches_first = false;
    // Why a bridge's policy isn't enforced and won't be by this plan: a missing bridge, a missing module.
    std::vector<std::string> warnings;
    std::uint32_t generation = 0;  // of the ruleset that was read

    bool empty() const { return transactions.empty() && switches.empty(); }
};

// Reads the kernel and compares. The error says why nothing can be planned: the wanted table's name is taken by
// somebody else's.
std::expected<Plan, std::string> plan(kernel::Kernel& kernel, const Target& target);

// What was done.
struct Outcome {
    Plan done;
    std::uint32_t generation = 0;  // of the ruleset now
};

// Plans and carries out. Starts again when the ruleset changes meanwhile. On an error no packet meets anything new,
// unless the error is that a bridge's switch was refused: switches come last, and it says that the rules are in place.
// (Coming from the bridge family switches come first, and stay on.)
// Of a change that took several transactions, what was prepared and isn't in use yet may stay until the next apply.
std::expected<Outcome, std::string> apply(kernel::Kernel& kernel, const Target& target);

// Deletes every table that is ours, and our rules in other chains; the batch says which.
std::expected<nft::Batch, std::string> clear(kernel::Kernel& kernel);

}  // namespace nftlink::reconcile
