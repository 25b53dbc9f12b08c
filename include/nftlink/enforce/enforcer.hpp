// Keeps one target in force: makes the kernel match, and again when somebody else has changed it.
//
// It awaits nothing: its owner hands it the kernel's news, and wakes it when something is due. Any exception of a
// change is an error of that change, and leaves the target of before.
#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nftlink/enforce/backoff.hpp"
#include "nftlink/enforce/generations.hpp"
#include "nftlink/enforce/plan.hpp"
#include "nftlink/enforce/repair.hpp"
#include "nftlink/firewall/link_sets.hpp"
#include "nftlink/kernel/kernel.hpp"

namespace nftlink::enforce {

class Contest;

// The sources of the target. Both must live, and stay as they are, until the next one is adopted.
struct Goal {
    const model::Topology* topology = nullptr;
    const model::FirewallPolicy* policy = nullptr;
};

// The time, and what this thread has had of the processor: on a busy host much less than has passed.
struct Clock {
    std::function<Backoff::Time()> now;
    std::function<std::chrono::nanoseconds()> processor_time;

    static Clock real();
};

class Enforcer {
public:
    // The kernel must outlive it.
    explicit Enforcer(kernel::Kernel& kernel, Clock clock = Clock::real());
    ~Enforcer();

    // Makes the kernel match the goal. When that is refused, the goal and the target of before stay.
    std::expected<Enforced, std::string> adopt(const Goal& goal);
    // The same where the goal differs from the last one in these containers alone, given as they were. Where it only
    // takes elements, only those are written: nothing is read, and others' commits meanwhile don't matter.
    std::expected<Enforced, std::string> adopt(const Goal& goal, const firewall::Before& before);
    // Goes back to a goal that was in force before one that can't be kept, and goes on trying when the kernel refuses:
    // then the cause and its error.
    std::optional<Repair> take_back(const Goal& goal);
    // Lets our rules take the first place again, whoever has taken it from them.
    void forget_contest();

    // News of the kernel: a commit, by whomever; a bridge that may be different, since a message says so, or since it
    // is time to look closely (the global switches of bridge netfilter send none, nor does loading its module, nor do
    // those of a bridge that is down). What was repaired at once, or was on the way of a change before, is said.
    std::optional<Repair> ruleset_changed(const kernel::Change& change);
    std::optional<Repair> bridges_changed(kernel::Kernel::Look look = kernel::Kernel::Look::as_told);
    // When there is something to do whatever comes; nothing: never.
    std::optional<Backoff::Time> due() const { return backoff_.due(); }
    // Does what is due by now.
    std::vector<Repair> repair_due();

    bool in_force() const { return error_.empty() && !backoff_.is_behind(); }
    // Of the goal as it is now. Changes the target, if it has been left behind, and not the kernel.
    const Target& target();
    // For a comparison of the kernel with the target.
    Means means() const { return means(aim_.is_current ? &aim_.target : nullptr); }
    // The kernel has what is wished for, and nobody has changed it: nothing has to be read to know that.
    bool is_whole();
    // The tables and the bridges of the target, which are always those of now.
    const Target& frame() const { return aim_.target; }
    const firewall::HostFacts& facts() const { return aim_.facts; }
    std::uint32_t generation() const { return generations_.current(); }
    // Of each that is policed, by its name or by a pattern, as of the last time that the kernel was made to match.
    std::vector<BridgeState> bridges() const;
    std::vector<std::string> warnings() const;

private:
    // The target, and what of the host it was made for.
    struct Aim {
        Target target;
        firewall::HostFacts facts;
        bool is_current = false;            // the target is of the goal as it is now
        kernel::Bridges bridges;            // the relevant ones; read before the facts, so that no change is missed
        std::uint64_t looked_revision = 0;  // the bridges' when all of them were dealt with last
    };
    class Keep;

    std::expected<Enforced, std::string> apply(const Target* known = nullptr);
    Means means(const Target* known) const;
    std::optional<Enforced> change_sets(const firewall::Before& before);
    std::optional<Enforced> change_bridges();
    std::vector<std::string> update_ports(const kernel::Bridges& bridges, firewall::LinkSets::Update& update);
    bool commit(firewall::LinkSets::Update& update);
    std::vector<Switch> see_to_bridges(const firewall::LinkSets::Update& update, const kernel::Bridges& bridges);
    void exchange_policed(const std::vector<std::string>& gone, const std::vector<std::string>& come);
    void switched_on(const std::vector<Switch>& switches);
    std::expected<void, std::string> make_target(std::optional<Target>* replaced = nullptr);
    kernel::Bridges relevant(const kernel::Bridges& bridges) const;
    kernel::Bridges bridges_of_now() const;
    std::optional<Repair> heal(const Cause& cause);
    std::expected<Enforced, std::string> repair(const Cause& cause);
    void repair_first();

    kernel::Kernel& kernel_;
    Clock clock_;
    Goal goal_;
    Aim aim_;
    std::optional<firewall::LinkSets> sets_;  // in the kernel; none when that isn't known
    // The findings of the last comparison that can't be put right; see Plan.
    struct Standing {
        std::vector<std::string> warnings, bridge_warnings, missing_chains, unmet_chains;
        bool has_meanwhile = false;
        std::vector<std::pair<nft::Family, std::string>> tables;
    } standing_;
    std::unique_ptr<Contest> contest_;
    std::string error_ = "not applied yet";  // why the kernel couldn't be made to match; empty when it could
    Generations generations_;
    Backoff backoff_;
};

}  // namespace nftlink::enforce
