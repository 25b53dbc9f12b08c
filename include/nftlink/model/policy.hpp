// The configuration's part about the firewall.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nftlink/model/ip.hpp"

namespace nftlink::model {

enum class Family { inet, ip, bridge };
enum class Layout { sets, rules };
enum class Replies { established, source_port };
// Packets are counted: by each link and each bridge's drops, by the latter alone, not at all.
enum class Counters { none, bridges, links };
// Inter-container communication: deny lets only linked ports pass.
enum class Icc { deny, allow };
// Traffic routed onto a bridge from another one that is policed: as links permit; by DNAT too; any.
enum class Routed { deny, published, allow };
std::string_view to_string(Icc icc);
std::string_view to_string(Routed routed);
// Frames that no rule about IP sees: tagged ones, and those of any other ethertype.
enum class OtherFrames { deny, allow };

// The end of the name of the table against other frames, after that of ours, which can't end so.
inline constexpr std::string_view frames_ending = "-frames";

struct BridgePolicy {
    Icc icc = Icc::deny;
    bool base_rules = false;                       // Docker's three base rules, for chains whose policy is drop
    Routed routed = Routed::deny;                  // the other chain's business with `attach`
    std::optional<OtherFrames> other_frames = {};  // what stands for nothing: FirewallPolicy::closes_other_frames()

    bool operator==(const BridgePolicy&) const = default;
};

// Stands for every bridge of the host whose name fits, whether one of our containers is on it or not.
struct BridgePattern {
    std::string pattern;  // `*` is any run of characters, also none
    BridgePolicy policy;

    bool fits(std::string_view bridge) const;
    bool operator==(const BridgePattern&) const = default;
};

// A chain of somebody else's on top of which the rules are put.
struct AttachPoint {
    enum class Family { inet, ip, ip6 };
    Family family = Family::ip;
    std::string table;
    std::string chain;

    bool operator==(const AttachPoint&) const = default;
};

struct FirewallPolicy {
    Family family = Family::inet;
    std::string table = "nftlink";
    std::optional<std::int32_t> priority;  // of the forward chain; nft's `filter` of that family when it isn't said
    Layout layout = Layout::sets;
    Replies replies = Replies::established;
    Counters counters = Counters::links;
    bool log_drops = false;
    std::optional<std::uint32_t> accept_mark;
    // Not empty: there, instead of in a chain of our own. `layout: rules` then, and `family`, `priority` say nothing.
    std::vector<AttachPoint> attach = {};
    // The bridges named in the configuration. A bridge that only a container names has the policy of the first pattern
    // that fits, or the default one.
    std::map<std::string, BridgePolicy, std::less<>> bridges;
    std::vector<BridgePattern> bridge_patterns = {};  // in the order given

    bool operator==(const FirewallPolicy&) const = default;

    // True when some rules are about that kind of packets.
    bool covers(Ip ip) const;
    // True when the configuration says that this bridge is ours to police: by its name, or by a pattern.
    bool polices(std::string_view bridge) const;
    // The policy given to that name, else that of the first pattern that fits, else the default.
    BridgePolicy bridge(std::string_view name) const;
    // True when frames that no rule about IP sees are dropped on that bridge.
    bool closes_other_frames(const BridgePolicy& bridge) const;
    // True when any bridge may be one of those.
    bool may_close_other_frames() const;
};

}  // namespace nftlink::model
