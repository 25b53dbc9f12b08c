#include "nftlink/enforce/enforcer.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ctime>
#include <new>
#include <system_error>
#include <utility>

#include "contest.hpp"
#include "elements.hpp"
#include "nftlink/base/suggestion.hpp"
#include "nftlink/base/utf8.hpp"

namespace nftlink::enforce {

namespace {

constexpr std::chrono::seconds retry_interval{1};

std::size_t operation_count(const Plan& plan) {
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

// The error of a change that threw.
std::string in_words(const std::exception& error) {
    return dynamic_cast<const std::bad_alloc*>(&error) != nullptr ? "there is not enough memory for it" : error.what();
}

}  // namespace

Clock Clock::real() {
    return {[] { return std::chrono::steady_clock::now(); },
            [] {
                timespec time{};
                ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
                return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
            }};
}

// Puts the goal and the aim back, unless they are kept.
class Enforcer::Keep {
public:
    Keep(Enforcer& of, const Goal& goal)
        : of_(of), goal_(std::exchange(of.goal_, goal)), aim_(std::exchange(of.aim_, {})) {}
    Keep(const Keep&) = delete;
    Keep& operator=(const Keep&) = delete;
    ~Keep() {
        if (is_kept_)
            return;
        of_.goal_ = goal_;
        of_.aim_ = std::move(aim_);
    }

    // The target that the kernel has, if it is known.
    const Target* known() const { return aim_.is_current ? &aim_.target : nullptr; }
    void keep() { is_kept_ = true; }

private:
    Enforcer& of_;
    Goal goal_;
    Aim aim_;
    bool is_kept_ = false;
};

Enforcer::Enforcer(kernel::Kernel& kernel, Clock clock)
    : kernel_(kernel), clock_(std::move(clock)), contest_(std::make_unique<Contest>()) {}

Enforcer::~Enforcer() = default;

std::expected<Enforced, std::string> Enforcer::adopt(const Goal& goal) {
    repair_first();
    const std::uint32_t known = generations_.current();
    std::string error;
    try {
        Keep old(*this, goal);
        const auto made = make_target();
        const auto enforced = made ? apply(old.known()) : std::unexpected(made.error());
        if (enforced) {
            old.keep();
            generations_.absorbed(known, *enforced);
            return enforced;
        }
        error = enforced.error();
    } catch (const std::exception& thrown) {
        error = in_words(thrown);
    }
    // Some of it may be there all the same: where it took several transactions, or a bridge's switch was refused.
    sets_.reset();
    backoff_.retry({.reason = "after a change that was refused", .of = Cause::Of::ourselves},
                   clock_.now() + retry_interval);
    return std::unexpected(std::move(error));
}

std::expected<Enforced, std::string> Enforcer::adopt(const Goal& goal, const firewall::Before& before) {
    const Goal old = std::exchange(goal_, goal);
    if (auto changed = change_sets(before))
        return std::move(*changed);
    goal_ = old;
    sets_.reset();
    return adopt(goal);
}

std::optional<Repair> Enforcer::take_back(const Goal& goal) {
    goal_ = goal;
    aim_.is_current = false;
    const auto made = make_target();
    const auto enforced = made ? apply() : std::unexpected(made.error());
    if (enforced)
        return {};
    error_ = enforced.error();
    backoff_.retry({.reason = "after a change that could not be kept", .of = Cause::Of::ourselves},
                   clock_.now() + retry_interval);
    return Repair{{.reason = "taking back a change that could not be kept", .of = Cause::Of::ourselves},
                  std::unexpected(error_)};
}

void Enforcer::forget_contest() {
    contest_->forget();
}

void Enforcer::switched_on(const std::vector<Switch>& switches) {
    auto& bridges = aim_.bridges.bridges;
    for (const Switch& done : switches)
        if (const auto bridge = std::ranges::lower_bound(bridges, done.bridge, {}, &kernel::Bridge::name);
            bridge != bridges.end() && bridge->name == done.bridge) {
            bridge->own.ipv4 |= done.on.ipv4;
            bridge->own.ipv6 |= done.on.ipv6;
        }
}

std::vector<std::string> Enforcer::warnings() const {
    std::vector<std::string> all = standing_.warnings;
    std::ranges::copy(standing_.bridge_warnings, std::back_inserter(all));
    return all;
}

const Target& Enforcer::target() {
    if (!aim_.is_current && sets_) {
        aim_.target = enforce::make_target(*goal_.topology, *goal_.policy, aim_.facts);
        aim_.is_current = true;
    }
    return aim_.target;
}

// The changes of others are repaired apart from a change of ours, so that it can be told what was done about it when
// their events come. Not with a target that has been left behind, which would take back what came since.
void Enforcer::repair_first() try {
    const std::uint32_t known = generations_.current();
    if (known == 0 || !aim_.is_current || kernel_.generation() == known)
        return;
    if (const auto enforced = apply(); enforced && enforced->operation_count != 0)
        generations_.absorbed(known, *enforced);
} catch (const std::exception&) {
    // The change itself will say so.
}

// Looks at the host, and makes the target anew if there is a difference to it.
std::expected<void, std::string> Enforcer::make_target(std::optional<Target>* replaced) try {
    const kernel::Bridges& bridges = kernel_.bridges(kernel::Kernel::Look::closely);
    auto facts = host_facts(kernel_, *goal_.topology, *goal_.policy, bridges);
    if (!facts)
        return std::unexpected(facts.error());
    if (!aim_.is_current || *facts != aim_.facts) {
        aim_.facts = std::move(*facts);
        if (replaced != nullptr)
            *replaced = std::move(aim_.target);
        aim_.target = enforce::make_target(*goal_.topology, *goal_.policy, aim_.facts);
        aim_.is_current = true;
    }
    aim_.bridges = relevant(bridges);
    aim_.looked_revision = bridges.revision;
    return {};
} catch (const std::exception& error) {
    aim_.is_current = false;
    return std::unexpected(in_words(error));
}

Means Enforcer::means(const Target* known) const {
    Means means{.bridges = &aim_.bridges,
                .strangers = Strangers::leave,
                .moves = contest_->may_move(clock_.now()),
                .has_meanwhile = standing_.has_meanwhile,
                .marks = true,
                .known = {}};
    if (known != nullptr && known->want.attached.empty() && in_force() && sets_)
        means.known = Known{&known->want, generations_.current()};
    return means;
}

bool Enforcer::is_whole() {
    return in_force() && sets_ && standing_.missing_chains.empty() && contest_->obstacle().empty() &&
           kernel_.generation() == generations_.current();
}

// `known`: the target that the kernel has been made to match, as long as nobody has changed it.
std::expected<Enforced, std::string> Enforcer::apply(const Target* known) try {
    const auto begin = clock_.now();
    auto outcome = enforce::apply(kernel_, aim_.target, means(known));
    if (!outcome)
        return std::unexpected(outcome.error());
    Plan& done = outcome->done;
    switched_on(done.switches);
    // Guarded each by the one before it, so that all from there on are ours.
    generations_.compared(done.generation, outcome->generation, !done.transactions.empty());
    if (outcome->again_in == std::chrono::milliseconds::zero())
        sets_.emplace(aim_.target.want, done.other_names, *goal_.topology, *goal_.policy, aim_.facts);
    else
        sets_.reset();
    const auto now = clock_.now();
    contest_->judge(done.obstacles, now);
    Enforced enforced{operation_count(done), now - begin, std::move(done.switches)};
    standing_ = {std::move(done.warnings),
                 std::move(done.bridge_warnings),
                 std::move(done.missing_chains),
                 std::move(done.unmet_chains),
                 done.has_meanwhile,
                 std::move(done.tables)};
    error_.clear();
    backoff_.caught_up();
    if (!contest_->warning().empty()) {
        standing_.warnings.push_back(contest_->warning());
        backoff_.retry({.reason = "after an hour below rules of others"}, contest_->rests_until());
    }
    if (outcome->again_in > std::chrono::milliseconds::zero())
        backoff_.later({.reason = "after a second of seeing the connections there are", .of = Cause::Of::ourselves},
                       now + outcome->again_in);
    return enforced;
} catch (const std::exception& error) {
    sets_.reset();
    return std::unexpected(in_words(error));
}

std::optional<Repair> Enforcer::ruleset_changed(const kernel::Change& change) {
    const auto judged = generations_.judge(change, standing_.tables);
    if (judged.meaning == Generations::Meaning::absorbed)
        return Repair{cause_of(change), *judged.by};
    return judged.meaning == Generations::Meaning::news ? heal(cause_of(change)) : std::nullopt;
}

// The bridges that make a difference: those that are policed, and of the ports, which come and go with every
// container, those that the rules name.
kernel::Bridges Enforcer::relevant(const kernel::Bridges& bridges) const {
    const model::FirewallPolicy& policy = *goal_.policy;
    auto policed = aim_.target.bridges.begin();
    const auto is_target = [&](const std::string& name) {  // each name comes after the last one
        while (policed != aim_.target.bridges.end() && policed->name < name)
            ++policed;
        return policed != aim_.target.bridges.end() && policed->name == name;
    };
    kernel::Bridges found{.bridges = {}, .module_loaded = bridges.module_loaded, .global = bridges.global};
    found.bridges.reserve(aim_.target.bridges.size());
    for (const kernel::Bridge& bridge : bridges.bridges)
        if (is_target(bridge.name) || policy.polices(bridge.name)) {
            found.bridges.push_back({bridge.name, bridge.index, bridge.own});
            if (aim_.facts.frames == firewall::Frames::by_port && !bridge.ports.empty() &&
                policy.closes_other_frames(policy.bridge(bridge.name)))
                found.bridges.back().ports = bridge.ports;
        }
    policed = aim_.target.bridges.begin();
    std::ranges::copy_if(bridges.others, std::back_inserter(found.others), is_target);
    return found;
}

std::optional<Repair> Enforcer::bridges_changed(kernel::Kernel::Look look) try {
    const kernel::Bridges& now = kernel_.bridges(look);
    if (now.revision == aim_.looked_revision)
        return {};
    if (relevant(now) != aim_.bridges)
        return heal(of_bridges());
    aim_.looked_revision = now.revision;
    return {};
} catch (const std::system_error&) {
    return {};  // they change faster than they can be read: the next message, or the next look, will tell
}

std::vector<Repair> Enforcer::repair_due() {
    std::vector<Repair> repairs;
    const auto cause = backoff_.take(clock_.now());
    if (!cause)
        return repairs;
    if (auto repair = heal(*cause))
        repairs.push_back(std::move(*repair));
    if (backoff_.take_bridges())
        if (auto repair = heal(of_bridges()))
            repairs.push_back(std::move(*repair));
    return repairs;
}

// Nothing: it is made later.
std::optional<Repair> Enforcer::heal(const Cause& cause) {
    if (!backoff_.may_repair(cause, clock_.now()))
        return {};
    if (!cause.program.empty())
        contest_->changed_by(cause.program);
    const auto begin = clock_.processor_time();
    auto enforced = repair(cause);
    const auto end = clock_.now();
    backoff_.repaired(end, clock_.processor_time() - begin);
    if (!enforced) {
        error_ = enforced.error();
        backoff_.retry(cause, end + retry_interval);
    }
    return Repair{cause, std::move(enforced)};
}

// The bridges are as they were when others have changed rules alone.
std::expected<Enforced, std::string> Enforcer::repair(const Cause& cause) try {
    if (cause.of == Cause::Of::rules)
        deny_first(kernel_, aim_.target);
    if (cause.of == Cause::Of::rules && aim_.is_current)
        return apply();
    if (cause.of == Cause::Of::bridges)
        if (auto changed = change_bridges())
            return std::move(*changed);
    const bool was_current = aim_.is_current;
    std::optional<Target> before;
    if (const auto made = make_target(&before); !made)
        return std::unexpected(made.error());
    return apply(was_current ? before ? &*before : &aim_.target : nullptr);
} catch (const std::exception& error) {
    return std::unexpected(in_words(error));
}

// Only elements are written, and nothing is read, so that others' commits meanwhile don't matter.
std::optional<Enforced> Enforcer::change_sets(const firewall::Before& before) try {
    const auto begin = clock_.now();
    if (!in_force() || !sets_)
        return {};
    auto update = sets_->update(*goal_.topology, before, *goal_.policy);
    if (!update)
        return {};
    const bool is_of_bridges = !update->bridges_come.empty() || !update->bridges_gone.empty();
    const kernel::Bridges* bridges = is_of_bridges ? &kernel_.bridges() : nullptr;
    auto ports = bridges != nullptr ? update_ports(*bridges, *update) : aim_.facts.ports;
    if (!commit(*update))
        return {};
    aim_.facts.ports = std::move(ports);
    aim_.is_current = false;
    Enforced enforced{update->batch.size(), clock_.now() - begin};
    if (bridges == nullptr)
        return enforced;
    const bool others_may_have_changed = bridges->revision != aim_.looked_revision;
    enforced.switches = see_to_bridges(*update, *bridges);
    if (others_may_have_changed)
        backoff_.look_at_bridges({.reason = "after a change of a bridge", .of = Cause::Of::bridges}, clock_.now());
    return enforced;
} catch (const std::exception&) {
    return {};  // a comparison will tell what is there
}

// Those that are policed may have become others, and bridges that fit a pattern may have come or gone.
std::optional<Enforced> Enforcer::change_bridges() try {
    const auto begin = clock_.now();
    if (!in_force() || !sets_)
        return {};
    const model::FirewallPolicy& policy = *goal_.policy;
    const kernel::Bridges& bridges = kernel_.bridges();
    auto fitting = bridges_by_pattern(bridges, policy);
    auto update = sets_->update(fitting, policy);
    auto ports = update ? update_ports(bridges, *update) : aim_.facts.ports;
    if (!update || !commit(*update)) {
        sets_.reset();
        return {};
    }
    aim_.facts.bridges = std::move(fitting);
    aim_.facts.ports = std::move(ports);
    aim_.is_current &= update->batch.empty();
    const bool is_of_ports = update->bridges_come.empty() && update->bridges_gone.empty();
    auto switches = see_to_bridges(*update, bridges);
    aim_.looked_revision = bridges.revision;
    return Enforced{update->batch.size(), clock_.now() - begin, std::move(switches), is_of_ports};
} catch (const std::exception&) {
    sets_.reset();
    return {};
}

// The ports that the rules name then.
std::vector<std::string> Enforcer::update_ports(const kernel::Bridges& bridges, firewall::LinkSets::Update& update) {
    if (aim_.facts.frames != firewall::Frames::by_port)
        return {};
    auto ports =
        closed_ports(bridges, *goal_.policy, [this](const std::string& bridge) { return sets_->polices(bridge); });
    sets_->update_ports(ports, update);
    return ports;
}

// False when others have changed what it builds on.
bool Enforcer::commit(firewall::LinkSets::Update& update) {
    if (update.renames && goal_.policy->counters == model::Counters::links)
        keep_counts(kernel_, update.batch);
    if (update.batch.empty())
        return true;
    const auto committed = kernel_.apply(update.batch, {});
    if (committed)
        generations_.committed(committed->generation);
    return committed.has_value();
}

// Follows the bridges that are policed now, and has their packets come to the rules.
std::vector<Switch> Enforcer::see_to_bridges(const firewall::LinkSets::Update& update, const kernel::Bridges& bridges) {
    exchange_policed(update.bridges_gone, update.bridges_come);
    auto bridges_before = std::exchange(aim_.bridges, {});
    aim_.bridges = relevant(bridges);
    auto plan = plan_bridges(aim_.target.bridges, aim_.bridges);
    if (const auto done = turn_on(kernel_, plan.switches); !done) {
        exchange_policed(update.bridges_come, update.bridges_gone);
        aim_.bridges = std::move(bridges_before);
        throw std::system_error(EPERM, std::generic_category(), done.error());
    }
    follow_bridges(aim_.target.want, update.batch);
    switched_on(plan.switches);
    standing_.bridge_warnings = std::move(plan.warnings);
    return std::move(plan.switches);
}

void Enforcer::exchange_policed(const std::vector<std::string>& gone, const std::vector<std::string>& come) {
    const auto place = [&](const std::string& name) {
        return std::ranges::lower_bound(aim_.target.bridges, name, {}, &PolicedBridge::name);
    };
    for (const std::string& name : gone)
        if (const auto found = place(name); found != aim_.target.bridges.end() && found->name == name)
            aim_.target.bridges.erase(found);
    for (const std::string& name : come)
        aim_.target.bridges.insert(place(name), policed_bridge(name, *goal_.policy, aim_.facts.frames));
}

// A change that is still to be dealt with is told as it is.
kernel::Bridges Enforcer::bridges_of_now() const try {
    return backoff_.waits_for_bridges() ? relevant(kernel_.bridges()) : aim_.bridges;
} catch (const std::system_error&) {
    return aim_.bridges;
}

std::vector<BridgeState> Enforcer::bridges() const {
    auto states = bridge_states(aim_.target.bridges, bridges_of_now());
    std::string obstacle = error_;
    if (obstacle.empty() && backoff_.is_behind())
        obstacle = "the rules have just been changed by others, and are repaired in a moment";
    if (obstacle.empty() && !standing_.missing_chains.empty())
        obstacle = fmt::format("chain {} does not exist", fmt::join(standing_.missing_chains, ", "));
    if (obstacle.empty() && !standing_.unmet_chains.empty())
        obstacle = fmt::format("no forwarded packet comes to chain {}", fmt::join(standing_.unmet_chains, ", "));
    if (obstacle.empty())
        obstacle = contest_->obstacle();
    if (!obstacle.empty())
        for (BridgeState& state : states)
            state.not_enforced(obstacle);
    return states;
}

}  // namespace nftlink::enforce
