// Keeps one target in force: makes the kernel match, and again whenever somebody else changes it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "desired.hpp"
#include "first_place.hpp"
#include "nftlink/firewall/link_sets.hpp"
#include "nftlink/kernel/kernel.hpp"
#include "nftlink/reconcile/reconcile.hpp"

namespace nftlink::service {

// The kernel was made to match.
struct Enforced {
    std::size_t operation_count = 0;  // 0: it did already
    std::chrono::nanoseconds took{};
    std::vector<reconcile::Switch> switches = {};
    bool is_of_ports = false;  // nothing but ports of bridges came or went
};

// Why it had to be, and who changed the ruleset, as far as that is known.
struct Cause {
    std::string reason;  // `after a change by nft (pid 99)`
    std::string program = {};
    std::uint32_t process = 0;  // 0: unknown
    enum class Of { rules, bridges, ourselves };
    Of of = Of::rules;  // somebody changed the ruleset; bridges came or went; or it is time
};

class Enforcer {
public:
    // What an owner wants to hear of.
    struct Listener {
        std::function<void(const Cause&, const Enforced&)> healed;
        std::function<void(const Cause&, const std::string&)> failed;
    };

    // The kernel and what is desired must outlive it.
    Enforcer(boost::asio::any_io_executor executor, kernel::Kernel& kernel, const Desired& desired, Listener listener);

    // Makes the kernel match what is desired now. When that is refused, the target of before stays.
    std::expected<Enforced, std::string> adopt();
    // The same after a change of these containers alone, given as they were. Where it only takes elements, only those
    // are written: nothing is read, and others' commits meanwhile don't matter.
    std::expected<Enforced, std::string> adopt(const firewall::Before& before);
    // Lets our rules take the first place again, whoever has taken it from them.
    void forget_contest();
    // Goes back to what is desired now, and goes on trying when the kernel refuses.
    void take_back();

    // What the kernel's events say. Repairs at once; but after a repair it leaves others three times what that cost of
    // the processor, so that a storm of changes gets a quarter of it at most, and the last word is ours.
    void ruleset_changed(const kernel::Change& change);
    // A bridge may be different: a message says so, or it is time to look closely (the global switches of bridge
    // netfilter send none, nor does loading its module, nor do those of a bridge that is down).
    void bridges_changed(kernel::Kernel::Look look = kernel::Kernel::Look::as_told);

    bool in_force() const { return error_.empty() && !is_behind_; }
    // Of what is desired now. Changes the target, if it has been left behind, and not the kernel.
    const reconcile::Target& target();
    // For a comparison of the kernel with the target.
    reconcile::Means means() const { return means(is_current_ ? &target_ : nullptr); }
    // The kernel has what is desired now, and nobody has changed it: nothing has to be read to know that.
    bool is_whole();
    // The tables and the bridges of it, which are always those of now.
    const reconcile::Target& frame() const { return target_; }
    const firewall::HostFacts& facts() const { return facts_; }
    std::uint32_t generation() const { return generation_; }
    // Of each that is policed, by its name or by a pattern, as of the last time that the kernel was made to match.
    std::vector<reconcile::BridgeState> bridges() const;
    std::vector<std::string> warnings() const;

private:
    std::expected<Enforced, std::string> apply(const reconcile::Target* known = nullptr);
    reconcile::Means means(const reconcile::Target* known) const;
    void judge_place(const reconcile::Plan& done);
    std::optional<Enforced> change_sets(const firewall::Before& before);
    std::optional<Enforced> change_bridges();
    std::vector<std::string> update_ports(const kernel::Bridges& bridges, firewall::LinkSets::Update& update);
    bool commit(firewall::LinkSets::Update& update);
    std::vector<reconcile::Switch> see_to_bridges(const firewall::LinkSets::Update& update,
                                                  const kernel::Bridges& bridges);
    void exchange_policed(const std::vector<std::string>& gone, const std::vector<std::string>& come);
    void switched_on(const std::vector<reconcile::Switch>& switches);
    void keep_counts(nft::Batch& batch);
    void made_commit(std::uint32_t generation);
    std::expected<void, std::string> make_target(std::optional<reconcile::Target>* replaced = nullptr);
    kernel::Bridges relevant(const kernel::Bridges& bridges) const;
    void look_at_bridges_soon();
    kernel::Bridges bridges_of_now() const;
    bool concerns_us(const kernel::Change& change) const;
    void heal(const Cause& cause);
    std::expected<Enforced, std::string> repair(const Cause& cause);
    void heal_later(const Cause& cause, std::chrono::steady_clock::time_point when, bool is_retry = false);
    void repair_first();
    void report_absorbed(const kernel::Change& change);

    kernel::Kernel& kernel_;
    Listener listener_;
    const Desired& desired_;
    reconcile::Target target_;
    firewall::HostFacts facts_;               // what the target was made for
    bool is_current_ = false;                 // the target is of what is desired now
    std::optional<firewall::LinkSets> sets_;  // in the kernel; none when that isn't known
    kernel::Bridges bridges_;                 // the relevant ones; read before the facts, so that no change is missed
    std::uint64_t looked_revision_ = 0;       // the bridges' when all of them were dealt with last
    std::vector<std::string> warnings_, bridge_warnings_;
    std::vector<std::string> missing_chains_, unmet_chains_;
    bool has_meanwhile_ = false;                               // see reconcile::Plan
    std::vector<std::pair<nft::Family, std::string>> tables_;  // that are to be as they are; see reconcile::Plan
    FirstPlace first_place_;
    std::string rival_;                      // the program that changed the ruleset last; empty when it isn't known
    std::string contest_;                    // the rule of others that comes before ours; empty when none does
    std::string contest_warning_;            // why ours are left where they are; empty when they aren't
    std::string error_ = "not applied yet";  // why the kernel couldn't be made to match; empty when it could
    bool is_behind_ = false;                 // others have changed something since, and it is not the time to repair it
    std::uint32_t generation_ = 0;           // up to here all changes have been dealt with
    std::uint32_t read_generation_ = 0;      // what the last comparison was made with
    std::uint32_t own_generation_ = 0;       // of a commit that was ours for sure
    std::uint32_t own_process_ = 0;          // what the kernel calls us; 0: not known yet
    // Generations of others that a change of ours has repaired on the way; their events are still to come.
    struct Range {
        std::uint32_t before, last;
        Enforced enforced;
    };
    std::deque<Range> absorbed_;
    boost::asio::steady_timer timer_;
    std::optional<Cause> scheduled_;  // what the timer is set for
    bool bridges_wait_ = false;       // they have changed since that was set
    bool is_retry_ = false;           // of what the kernel has refused: any news are a reason to try at once
    std::chrono::steady_clock::time_point earliest_{};
};

}  // namespace nftlink::service
