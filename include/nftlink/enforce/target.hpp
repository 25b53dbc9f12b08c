// The ruleset that the kernel is to have, on this host.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "nftlink/enforce/bridges.hpp"
#include "nftlink/firewall/compile.hpp"
#include "nftlink/firewall/wanted.hpp"
#include "nftlink/kernel/kernel.hpp"

namespace nftlink::enforce {

// A topology and its policy as rules, and the bridges whose packets must come to them.
struct Target {
    firewall::Wanted want;
    std::vector<PolicedBridge> bridges;  // by name
    // With `attach`: the same links in a table of our own. It takes the place of one that is in force as long as no
    // packet comes to a chain that they are to be attached to.
    std::optional<firewall::Wanted> meanwhile = {};
};

// The facts that the rules of this policy depend on here: what the kernel can do in the bridge family, and which
// bridges there are. The error says what the policy asks for that this kernel can't do, and what to ask for instead.
std::expected<firewall::HostFacts, std::string> host_facts(kernel::Kernel& kernel, const model::Topology& topology,
                                                           const model::FirewallPolicy& policy,
                                                           const kernel::Bridges& bridges);

Target make_target(const model::Topology& topology, const model::FirewallPolicy& policy,
                   const firewall::HostFacts& host = {});

}  // namespace nftlink::enforce
