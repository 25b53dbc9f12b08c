// What the configuration says about the firewall.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace nftlink::model {

enum class Family { inet, ip };
enum class Layout { sets, rules };
enum class Replies { established, source_port };
// Inter-container communication: deny lets only linked ports pass.
enum class Icc { deny, allow };

struct BridgePolicy {
    Icc icc = Icc::deny;
    bool base_rules = false;  // Docker's three base rules, for chains whose policy is drop

    bool operator==(const BridgePolicy&) const = default;
};

struct FirewallPolicy {
    Family family = Family::inet;
    std::string table = "nftlink";
    std::int32_t priority = 0;  // of the forward chain; 0 is nft's `filter`
    Layout layout = Layout::sets;
    Replies replies = Replies::established;
    bool counters = true;
    bool log_drops = false;
    std::optional<std::uint32_t> accept_mark;
    // The bridges named in the configuration. A bridge that only a container names has the default policy.
    std::map<std::string, BridgePolicy, std::less<>> bridges;

    bool operator==(const FirewallPolicy&) const = default;
};

}  // namespace nftlink::model
