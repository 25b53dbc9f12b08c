#include "enforcer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <set>
#include <system_error>
#include <tuple>
#include <utility>

#include "nftlink/base/suggestion.hpp"
#include "nftlink/base/utf8.hpp"

namespace nftlink::service {

using std::chrono::steady_clock;

namespace {

constexpr std::chrono::seconds retry_interval{1};
// After a repair that cost so much of the processor, others get so many times as much.
constexpr int share_of_others = 3;

// What this thread has had of the processor: on a busy host much less than has passed.
std::chrono::nanoseconds processor_time() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// Whether the generation comes after the other one; they wrap around.
bool is_later(std::uint32_t generation, std::uint32_t other) {
    return static_cast<std::int32_t>(generation - other) > 0;
}

bool is_next(std::uint32_t generation, std::uint32_t other) {
    return generation == (other + 1 == 0 ? 1 : other + 1);  // the kernel leaves 0 out
}

std::size_t operation_count(const reconcile::Plan& plan) {
    std::size_t count = 0;
    for (const nft::Batch& batch : plan.transactions)
        count += batch.size();
    return count;
}

Cause cause_of(const kernel::Change& change) {
    if (change.overrun)
        return {.reason = "after changes that could not be followed"};
    if (change.process == 0)
        return {.reason = "after a change by another program"};
    // The kernel cuts names at 15 bytes, also within a character.
    const std::string program = base::utf8(change.program);
    return {fmt::format("after a change by {} (pid {})", base::escape(program), change.process), program,
            change.process};
}

Cause of_bridges() {
    return {.reason = "after a change of a bridge", .of = Cause::Of::bridges};
}

}  // namespace

Enforcer::Enforcer(boost::asio::any_io_executor executor, kernel::Kernel& kernel, const Desired& desired,
                   Listener listener)
    : kernel_(kernel), listener_(std::move(listener)), desired_(desired), timer_(std::move(executor)) {}

std::expected<Enforced, std::string> Enforcer::adopt() {
    repair_first();
    // What is desired goes back too when this fails.
    reconcile::Target old_target = std::move(target_);
    firewall::HostFacts old_facts = facts_;
    const bool was_current = is_current_;
    kernel::Bridges old_bridges = bridges_;
    const std::uint64_t old_revision = looked_revision_;
    const std::uint32_t known = generation_;
    is_current_ = false;
    const auto made = make_target();
    auto enforced = made ? apply(was_current ? &old_target : nullptr) : std::unexpected(made.error());
    if (!enforced) {
        target_ = std::move(old_target);
        facts_ = std::move(old_facts);
        is_current_ = was_current;
        bridges_ = std::move(old_bridges);
        looked_revision_ = old_revision;
        // Some of it may be there all the same: where it took several transactions, or a bridge's switch was refused.
        sets_.reset();
        heal_later({.reason = "after a change that was refused", .of = Cause::Of::ourselves},
                   steady_clock::now() + retry_interval, true);
    } else if (known != 0 && read_generation_ != known) {
        absorbed_.push_back({known, read_generation_, *enforced});
    }
    return enforced;
}

std::expected<Enforced, std::string> Enforcer::adopt(const firewall::Before& before) {
    if (auto changed = change_sets(before))
        return std::move(*changed);
    sets_.reset();
    return adopt();
}

void Enforcer::switched_on(const std::vector<reconcile::Switch>& switches) {
    for (const reconcile::Switch& done : switches)
        if (const auto bridge = std::ranges::lower_bound(bridges_.bridges, done.bridge, {}, &kernel::Bridge::name);
            bridge != bridges_.bridges.end() && bridge->name == done.bridge) {
            bridge->own.ipv4 |= done.on.ipv4;
            bridge->own.ipv6 |= done.on.ipv6;
        }
}

std::vector<std::string> Enforcer::warnings() const {
    std::vector<std::string> all = warnings_;
    std::ranges::copy(bridge_warnings_, std::back_inserter(all));
    return all;
}

// Without a guard: when it isn't the next generation, others have come in between, and their events, and ours, are
// still to be read.
void Enforcer::made_commit(std::uint32_t generation) {
    if (is_next(generation, generation_))
        generation_ = own_generation_ = generation;
}

const reconcile::Target& Enforcer::target() {
    if (!is_current_ && sets_) {
        target_ = reconcile::make_target(desired_.topology(), desired_.config().firewall, facts_);
        is_current_ = true;
    }
    return target_;
}

// What others have changed is repaired apart from a change of ours, so that it can be told what was done about it when
// their events come. Not with a target that has been left behind, which would take back what came since.
void Enforcer::repair_first() try {
    if (generation_ == 0 || !is_current_ || kernel_.generation() == generation_)
        return;
    const std::uint32_t known = generation_;
    if (const auto enforced = apply(); enforced && enforced->operation_count != 0)
        absorbed_.push_back({known, read_generation_, *enforced});
} catch (const std::system_error&) {
    // The change itself will say so.
}

void Enforcer::take_back() {
    is_current_ = false;
    const auto made = make_target();
    if (auto enforced = made ? apply() : std::unexpected(made.error()); !enforced) {
        error_ = enforced.error();
        listener_.failed({.reason = "taking back a change that could not be kept", .of = Cause::Of::ourselves}, error_);
        heal_later({.reason = "after a change that could not be kept", .of = Cause::Of::ourselves},
                   steady_clock::now() + retry_interval, true);
    }
}

// Looks at the host, and makes the target anew if there is a difference to it.
std::expected<void, std::string> Enforcer::make_target(std::optional<reconcile::Target>* replaced) try {
    const model::FirewallPolicy& policy = desired_.config().firewall;
    const kernel::Bridges& bridges = kernel_.bridges(kernel::Kernel::Look::closely);
    auto facts = reconcile::host_facts(kernel_, desired_.topology(), policy, bridges);
    if (!facts)
        return std::unexpected(facts.error());
    if (!is_current_ || *facts != facts_) {
        facts_ = std::move(*facts);
        if (replaced != nullptr)
            *replaced = std::move(target_);
        target_ = reconcile::make_target(desired_.topology(), policy, facts_);
        is_current_ = true;
    }
    bridges_ = relevant(bridges);
    looked_revision_ = bridges.revision;
    return {};
} catch (const std::system_error& error) {
    return std::unexpected(error.what());
}

reconcile::Means Enforcer::means(const reconcile::Target* known) const {
    reconcile::Means means{.bridges = &bridges_,
                           .strangers = reconcile::Strangers::leave,
                           .moves = first_place_.may_take(steady_clock::now()),
                           .has_meanwhile = has_meanwhile_,
                           .marks = true,
                           .known = {}};
    if (known != nullptr && known->want.attached.empty() && in_force() && sets_)
        means.known = reconcile::Known{&known->want, generation_};
    return means;
}

bool Enforcer::is_whole() {
    return in_force() && sets_ && missing_chains_.empty() && contest_.empty() && kernel_.generation() == generation_;
}

// `known`: the target that the kernel has been made to match, as long as nobody has changed it.
std::expected<Enforced, std::string> Enforcer::apply(const reconcile::Target* known) try {
    const auto begin = steady_clock::now();
    auto outcome = reconcile::apply(kernel_, target_, means(known));
    if (!outcome)
        return std::unexpected(outcome.error());
    switched_on(outcome->done.switches);
    generation_ = outcome->generation;
    read_generation_ = outcome->done.generation;
    // Guarded each by the one before it, so that all from there on are ours.
    if (!outcome->done.transactions.empty())
        own_generation_ = generation_;
    if (outcome->again_in == std::chrono::milliseconds::zero())
        sets_.emplace(target_.want, outcome->done.other_names, desired_.topology(), desired_.config().firewall, facts_);
    else
        sets_.reset();
    warnings_ = outcome->done.warnings;
    bridge_warnings_ = outcome->done.bridge_warnings;
    missing_chains_ = outcome->done.missing_chains;
    unmet_chains_ = outcome->done.unmet_chains;
    has_meanwhile_ = outcome->done.has_meanwhile;
    tables_ = std::move(outcome->done.tables);
    judge_place(outcome->done);
    error_.clear();
    is_behind_ = false;
    if (outcome->again_in > std::chrono::milliseconds::zero())
        heal_later({.reason = "after a second of seeing the connections there are", .of = Cause::Of::ourselves},
                   steady_clock::now() + outcome->again_in);
    return Enforced{operation_count(outcome->done), steady_clock::now() - begin, std::move(outcome->done.switches)};
} catch (const std::system_error& error) {
    return std::unexpected(error.what());
}

// Counts what others have done to the place of ours, and says it once they aren't fought any more.
void Enforcer::judge_place(const reconcile::Plan& done) {
    const auto now = steady_clock::now();
    const bool could_move = first_place_.may_take(now);
    contest_.clear();
    if (could_move) {
        contest_warning_.clear();
        if (!done.obstacles.empty())
            first_place_.taken(now);
    } else if (!done.obstacles.empty()) {
        const firewall::Obstacle& obstacle = done.obstacles.front();
        contest_ =
            fmt::format("rules of others stand above nftlink's in chain {}, or in their place, and decide first: {}",
                        obstacle.chain, obstacle.rule);
        if (contest_warning_.empty())
            contest_warning_ = fmt::format(
                "chain {} is changed again and again so that nftlink's rules don't come first (the last time by {}): "
                "they "
                "are left where they are for an hour, or until nftlink reload; let the others stand elsewhere, or "
                "attach "
                "to a chain that comes before",
                obstacle.chain, rival_.empty() ? "an unknown program" : base::escape(rival_));
    }
    if (contest_warning_.empty())
        return;
    warnings_.push_back(contest_warning_);
    heal_later({.reason = "after an hour below rules of others"}, first_place_.rests_until(), true);
}

void Enforcer::forget_contest() {
    first_place_ = {};
}

bool Enforcer::concerns_us(const kernel::Change& change) const {
    return std::ranges::any_of(change.tables, [&](const kernel::TableName& table) {
        return std::ranges::find(tables_, std::pair(table.family, table.name)) != tables_.end();
    });
}

void Enforcer::ruleset_changed(const kernel::Change& change) {
    if (change.overrun)
        return heal(cause_of(change));
    if (change.generation == own_generation_)
        own_process_ = change.process;
    if (!is_later(change.generation, generation_))
        return report_absorbed(change);
    const bool is_ours = own_process_ != 0 && change.process == own_process_;
    if ((is_ours || !concerns_us(change)) && is_next(change.generation, generation_))
        generation_ = change.generation;
    else
        heal(cause_of(change));
}

// A change that came before one of ours: that one has repaired it on the way.
void Enforcer::report_absorbed(const kernel::Change& change) {
    while (!absorbed_.empty() && is_later(change.generation, absorbed_.front().last))
        absorbed_.pop_front();
    if (own_process_ != 0 && change.process == own_process_)
        return;
    if (!absorbed_.empty() && is_later(change.generation, absorbed_.front().before) && concerns_us(change))
        listener_.healed(cause_of(change), absorbed_.front().enforced);
}

// What of the bridges makes a difference: those that are policed, and of the ports, which come and go with every
// container, those that the rules name.
kernel::Bridges Enforcer::relevant(const kernel::Bridges& bridges) const {
    const model::FirewallPolicy& policy = desired_.config().firewall;
    auto target = target_.bridges.begin();
    const auto is_target = [&](const std::string& name) {  // each name comes after the last one
        while (target != target_.bridges.end() && target->name < name)
            ++target;
        return target != target_.bridges.end() && target->name == name;
    };
    kernel::Bridges found{.bridges = {}, .module_loaded = bridges.module_loaded, .global = bridges.global};
    found.bridges.reserve(target_.bridges.size());
    for (const kernel::Bridge& bridge : bridges.bridges)
        if (is_target(bridge.name) || policy.polices(bridge.name)) {
            found.bridges.push_back({bridge.name, bridge.index, bridge.own});
            if (facts_.frames == firewall::Frames::by_port && !bridge.ports.empty() &&
                policy.closes_other_frames(policy.bridge(bridge.name)))
                found.bridges.back().ports = bridge.ports;
        }
    target = target_.bridges.begin();
    std::ranges::copy_if(bridges.others, std::back_inserter(found.others), is_target);
    return found;
}

void Enforcer::bridges_changed(kernel::Kernel::Look look) try {
    const kernel::Bridges& now = kernel_.bridges(look);
    if (now.revision == looked_revision_)
        return;
    if (relevant(now) != bridges_)
        return heal(of_bridges());
    looked_revision_ = now.revision;
} catch (const std::system_error&) {
    // They change faster than they can be read: the next message, or the next look, will tell.
}

void Enforcer::heal(const Cause& cause) {
    const auto now = steady_clock::now();
    if (scheduled_ && !is_retry_) {
        const bool is_of_bridges = scheduled_->of == Cause::Of::bridges;
        bridges_wait_ |= is_of_bridges || cause.of == Cause::Of::bridges;
        is_behind_ |= cause.of != Cause::Of::bridges;
        if (is_of_bridges)
            scheduled_ = cause;
        return;
    }
    scheduled_.reset();  // of a retry: something is different now
    timer_.cancel();
    if (now < earliest_) {
        is_behind_ |= cause.of != Cause::Of::bridges;
        return heal_later(cause, earliest_);
    }
    if (!cause.program.empty())
        rival_ = cause.program;
    const auto begin = processor_time();
    const auto enforced = repair(cause);
    const auto end = steady_clock::now();
    earliest_ = end + share_of_others * (processor_time() - begin);
    if (!enforced) {
        error_ = enforced.error();
        listener_.failed(cause, error_);
        return heal_later(cause, end + retry_interval, true);
    }
    listener_.healed(cause, *enforced);
}

// The bridges are as they were when others have changed rules alone.
std::expected<Enforced, std::string> Enforcer::repair(const Cause& cause) try {
    if (cause.of == Cause::Of::rules)
        reconcile::deny_first(kernel_, target_);
    if (cause.of == Cause::Of::rules && is_current_)
        return apply();
    if (cause.of == Cause::Of::bridges)
        if (auto changed = change_bridges())
            return std::move(*changed);
    const bool was_current = is_current_;
    std::optional<reconcile::Target> before;
    if (const auto made = make_target(&before); !made)
        return std::unexpected(made.error());
    return apply(was_current ? before ? &*before : &target_ : nullptr);
} catch (const std::system_error& error) {
    return std::unexpected(error.what());
}

void Enforcer::heal_later(const Cause& cause, steady_clock::time_point when, bool is_retry) {
    scheduled_ = cause;
    is_retry_ = is_retry;
    timer_.expires_at(when);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (error || !scheduled_)
            return;
        heal(*std::exchange(scheduled_, {}));
        if (std::exchange(bridges_wait_, false))
            heal(of_bridges());
    });
}

// A change of ours has seen others than its own, of which no message is to come any more.
void Enforcer::look_at_bridges_soon() {
    if (scheduled_)
        bridges_wait_ = true;
    else
        heal_later(of_bridges(), steady_clock::now());
}

// A change that is still to be dealt with is told as it is.
kernel::Bridges Enforcer::bridges_of_now() const try {
    const bool is_due = bridges_wait_ || (scheduled_ && scheduled_->of == Cause::Of::bridges);
    return is_due ? relevant(kernel_.bridges()) : bridges_;
} catch (const std::system_error&) {
    return bridges_;
}

std::vector<reconcile::BridgeState> Enforcer::bridges() const {
    auto states = reconcile::bridge_states(target_, bridges_of_now());
    std::string obstacle = error_;
    if (obstacle.empty() && is_behind_)
        obstacle = "the rules have just been changed by others, and are repaired in a moment";
    if (obstacle.empty() && !missing_chains_.empty())
        obstacle = fmt::format("chain {} does not exist", fmt::join(missing_chains_, ", "));
    if (obstacle.empty() && !unmet_chains_.empty())
        obstacle = fmt::format("no forwarded packet comes to chain {}", fmt::join(unmet_chains_, ", "));
    if (obstacle.empty())
        obstacle = contest_;
    if (!obstacle.empty())
        for (reconcile::BridgeState& state : states)
            state.not_enforced(obstacle);
    return states;
}

}  // namespace nftlink::service
