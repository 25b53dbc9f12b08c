// The kernel as nftlink sees it: a ruleset to read and change, and bridges with their netfilter switches.
//
// Not for several threads at once. Every function throws std::system_error when the environment is broken (no netlink,
// no permission to read); a change that the kernel refuses is a value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "nftlink/kernel/change.hpp"
#include "nftlink/nft/batch.hpp"

namespace nftlink::kernel {

struct RefusedOperation {
    std::size_t index = 0;       // in the batch, from 0
    std::string operation;       // in nft's words, shortened to one line
    std::string object;          // what the kernel was looking at, when its extended ack says so
    int error_number = 0;        // positive errno
    std::string kernel_message;  // extended-ack text; empty when there is none

    bool operator==(const RefusedOperation&) const = default;
};

// Nothing of the batch was done.
struct Refusal {
    enum class Reason {
        operations,  // the kernel refused those listed
        stale,       // the ruleset changed since the given generation
        too_large,   // the batch is over batch_limit()
        permission,  // the caller may not change the ruleset
        unknown,     // the kernel's answer was lost: whether it was done must be seen in a new snapshot
    };
    Reason reason = Reason::operations;
    std::size_t operation_count = 0;  // of the whole batch
    std::vector<RefusedOperation> operations;

    // `kernel refused 1 of 41: #19 add element inet nftlink links4 { … }: No such file or directory`
    std::string to_string() const;
};

// The generation that follows one, when one commit is made: 0 is left out.
constexpr std::uint32_t next_generation(std::uint32_t generation) {
    return generation + 1 == 0 ? 1 : generation + 1;
}

struct Commit {
    // Of the ruleset after the batch; a batch that changes nothing leaves it as it was. Without an expected generation
    // a commit that another program made right afterwards may be in it.
    std::uint32_t generation = 0;
};

// A bridge's own switches (nf_call_iptables, nf_call_ip6tables) beside the namespace's global ones.
struct BridgeNetfilter {
    bool ipv4 = false;
    bool ipv6 = false;

    bool operator==(const BridgeNetfilter&) const = default;
};

struct Bridge {
    std::string name;
    std::uint32_t index = 0;
    BridgeNetfilter own;
    std::vector<std::string> ports = {};  // sorted

    bool operator==(const Bridge&) const = default;
};

struct Bridges {
    std::vector<Bridge> bridges;           // sorted by name
    bool module_loaded = false;            // br_netfilter: without it no switch does anything
    BridgeNetfilter global;                // the namespace's sysctls, which switch it on for every bridge
    std::vector<std::string> others = {};  // the names of all other interfaces; sorted
    std::uint64_t revision = 0;            // of one Kernel's: as long as it is the same, so is everything else

    const Bridge* find(std::string_view name) const;
    // Tells of IPv4 and IPv6 if the packets of one bridge pass the inet and ip hooks.
    BridgeNetfilter effective(const Bridge& bridge) const;
    bool operator==(const Bridges&) const = default;
};

// The abilities of this kernel in a table of the bridge family.
struct BridgeFamily {
    bool names = false;      // meta ibrname: nft_meta_bridge
    bool conntrack = false;  // ct state: nf_conntrack_bridge
    bool tables = false;     // it can have any at all, with rules that name a port
};

// The elements of a table's named sets, of which there may be very many, are read by snapshot() or left out.
enum class Elements { read, left_out };

// Gets the table and the listing of all tables with their chains and sets.
using TableFilter = std::function<bool(const nft::Table&, const nft::Ruleset&)>;

class Kernel {
public:
    virtual ~Kernel() = default;

    virtual std::uint32_t generation() = 0;

    // The ruleset at one generation. Tables, with their chains and sets, are offered to the filter; of those that it
    // takes the rules and elements are read too. The others are left out.
    virtual nft::Ruleset snapshot(const TableFilter& wanted, Elements elements = Elements::read) = 0;

    // One element of a set as it is now; nothing when it isn't there.
    virtual std::optional<nft::Element> element(nft::Family family, const std::string& table, const std::string& set,
                                                const nft::Key& key) = 0;

    // Applies the batch in one transaction, all or nothing. An empty batch doesn't reach the kernel.
    virtual std::expected<Commit, Refusal> apply(const nft::Batch& batch,
                                                 std::optional<std::uint32_t> expected_generation) = 0;

    // The next commit that has been told of, ours too; nothing when there is none yet. Listening begins with the first
    // call of this or of changes_descriptor(). Large transactions of ours aren't listened to, since any listener makes
    // the kernel take several times as long for them: commits of others meanwhile show as an overrun.
    virtual std::optional<Change> next_change() = 0;
    // Readable when next_change() may have one.
    virtual int changes_descriptor() = 0;

    // The largest size of one transaction here, in bytes: the send buffer's room.
    virtual std::size_t batch_limit() = 0;

    // Asked once of the kernel, with a transaction that is made to fail: nothing is changed. Nothing when the caller
    // may not change the ruleset.
    virtual std::optional<BridgeFamily> bridge_family() = 0;

    // As of now, apart from the switches of a bridge that is down, of which the kernel says nothing until it comes up;
    // with Look::closely these too. Valid until the next call of this or of enable_bridge_netfilter().
    enum class Look { as_told, closely };
    virtual const Bridges& bridges(Look look) = 0;
    const Bridges& bridges() { return bridges(Look::as_told); }
    // Readable when a link has changed since the last call of bridges().
    virtual int bridges_descriptor() = 0;
    // Switches the bridge's own netfilter hooks on; never off, never the global ones. The error is the kernel's.
    virtual std::expected<void, std::string> enable_bridge_netfilter(const std::string& bridge,
                                                                     BridgeNetfilter wanted) = 0;
};

}  // namespace nftlink::kernel
