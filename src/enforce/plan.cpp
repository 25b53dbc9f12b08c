#include "nftlink/enforce/plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <span>
#include <system_error>

#include "nftlink/firewall/compile.hpp"
#include "nftlink/firewall/diff.hpp"
#include "nftlink/firewall/ownership.hpp"
#include "nftlink/firewall/transactions.hpp"

namespace nftlink::enforce {

namespace {

// The tries that one change takes. It is planned anew when another program has changed the ruleset meanwhile; after
// some of those it goes without the guard of its generation, or a busy host would starve us. Unguarded, the kernel
// refuses it where what it builds on has gone, or what it makes has come.
class Tries {
public:
    bool any_left() const { return count_ < max_count; }
    bool guarded() const { return stale_count_ < max_stale_count; }

    // True when it must be planned anew.
    bool again_after(const kernel::Refusal& refusal) {
        ++count_;
        last_refusal_ = refusal.to_string();
        const bool stale = refusal.reason == kernel::Refusal::Reason::stale || (!guarded() && is_outdated(refusal));
        stale_count_ += stale ? 1 : 0;
        return stale || refusal.reason == kernel::Refusal::Reason::unknown;
    }

    const std::string& last_refusal() const { return last_refusal_; }
    std::string gave_up() const { return fmt::format("gave up after {} attempts: {}", count_, last_refusal_); }

private:
    static constexpr int max_count = 20, max_stale_count = 3;

    static bool is_outdated(const kernel::Refusal& refusal) {
        return std::ranges::any_of(refusal.operations, [](const kernel::RefusedOperation& refused) {
            return refused.error_number == ENOENT || refused.error_number == EEXIST;
        });
    }

    int count_ = 0, stale_count_ = 0;
    std::string last_refusal_;
};

nft::Ruleset read(kernel::Kernel& kernel, const firewall::Wanted& want) {
    return kernel.snapshot([&](const nft::Table& table, const nft::Ruleset& listing) {
        return firewall::is_relevant(table, listing, want);
    });
}

bool is_empty(const nft::Table& table) {
    return table.chains.empty() && table.sets.empty() && table.other_object_count == 0;
}

// Somebody else's table under the wanted name; an empty one is free to take.
const nft::Table* taken(const nft::Ruleset& have, const firewall::Wanted& want) {
    for (const nft::Table& table : want.tables) {
        const nft::Table* found = have.table(table.family, table.name);
        if (found != nullptr && !firewall::is_ours(*found, want.name) && !is_empty(*found))
            return found;
    }
    return nullptr;
}

// The tables of ours that are to go and would take with them what is somebody else's.
std::vector<std::string> with_strangers(const nft::Ruleset& have, const firewall::Wanted& want) {
    std::vector<std::string> sentences;
    for (const nft::Table& table : have.tables) {
        if (!firewall::is_ours(table, want.name) || want.table(table.family, table.name) != nullptr)
            continue;
        if (const auto strangers = firewall::strangers(table); !strangers.empty())
            sentences.push_back(fmt::format("table {} {} holds what is not nftlink's: {}", nft::to_string(table.family),
                                            table.name, fmt::join(strangers, ", ")));
    }
    return sentences;
}

std::string refusal_of(const std::vector<std::string>& sentences) {
    return fmt::format(
        "{}: nothing was changed; move that elsewhere, or delete it with the table: nftlink apply --force, or nftlink "
        "clear --force",
        fmt::join(sentences, "; "));
}

// Says which chains no packet comes to, and what that means.
void plan_attachments(const std::vector<firewall::IdleChain>& idle, bool has_meanwhile, Plan& plan) {
    for (const auto& [attachment, is_there] : idle) {
        std::string name =
            fmt::format("{} {} {}", nft::to_string(attachment->family), attachment->table, attachment->chain);
        const std::string_view meanwhile =
            has_meanwhile ? "; until then nftlink's own table stays in force, with the links of now" : "";
        plan.warnings.push_back(
            is_there
                ? fmt::format("no forwarded packet comes to chain {}: its table is dormant, or it has no forward hook "
                              "and no rule leads "
                              "there from a chain that has: nothing is enforced there until one comes{}",
                              name, meanwhile)
                : fmt::format("chain {} does not exist: nothing is enforced there until it does and this is run again "
                              "(nftlinkd uses it as soon as it appears){}",
                              name, meanwhile));
        (is_there ? plan.unmet_chains : plan.missing_chains).push_back(std::move(name));
    }
}

// Says which tables may be leftovers of ours.
void plan_look_alikes(const nft::Ruleset& have, const firewall::Wanted& want, Plan& plan) {
    for (const nft::Table& table : have.tables)
        if (firewall::has_form_alone(table, want.name))
            plan.warnings.push_back(
                fmt::format("table {0} {1} has the form of nftlink's own, but neither its mark (nft's save and load "
                            "drops that) nor its "
                            "name: it stays in force; if it is a leftover, remove it with: nft delete table {0} {1}",
                            nft::to_string(table.family), table.name));
}

// Says for which bridges something is new when the rules of 0.1 go.
void plan_change_over(const nft::Ruleset& have, const Target& target, Plan& plan) {
    const bool has_old = std::ranges::any_of(have.tables, [&](const nft::Table& table) {
        return firewall::is_ours(table, target.want.name) && firewall::is_of_0_1(table);
    });
    if (!has_old || !target.want.attached.empty() || target.bridges.size() < 2)
        return;
    std::vector<std::string> names;
    for (const PolicedBridge& bridge : target.bridges)
        if (bridge.routed == model::Routed::deny)
            names.push_back(bridge.name);
    if (names.empty())
        return;
    plan.warnings.push_back(fmt::format(
        "these rules take the place of nftlink 0.1's, and what the host routes from one policed bridge onto "
        "another passes only by a link from now on (routed: deny): {}",
        fmt::join(names, ", ")));
}

// The policy of a table of ours meets packets now.
bool has_live_table(const nft::Ruleset& have, const firewall::Wanted& want) {
    return std::ranges::any_of(have.tables, [&](const nft::Table& table) {
        return firewall::is_ours(table, want.name) && !firewall::is_frames_table(table.family, table.name) &&
               std::ranges::any_of(table.chains, [](const nft::Chain& chain) { return chain.hook.has_value(); });
    });
}

std::vector<std::pair<nft::Family, std::string>> tables_of(const nft::Ruleset& have, const firewall::Wanted& want) {
    std::vector<std::pair<nft::Family, std::string>> tables;
    for (const nft::Table& table : want.tables)
        tables.emplace_back(table.family, table.name);
    for (const nft::Table& table : have.tables)
        if (!firewall::has_form_alone(table, want.name))
            tables.emplace_back(table.family, table.name);
    for (const firewall::Attachment& attachment : want.attached)
        tables.emplace_back(attachment.family, attachment.table);
    return tables;
}

// True if a policy in the bridge family goes, and packets are to meet it elsewhere from then on.
bool leaves_bridge_family(const std::vector<nft::Batch>& batches, const firewall::Wanted& want) {
    const auto is_policy = [](nft::Family family, std::string_view table) {
        return family == nft::Family::bridge && !firewall::is_frames_table(family, table);
    };
    const auto deletes = [&](const nft::Operation& operation) {
        return is_policy(operation.family, operation.table) &&
               std::holds_alternative<nft::DeleteTable>(operation.action);
    };
    return std::ranges::any_of(batches, [&](const nft::Batch& batch) { return std::ranges::any_of(batch, deletes); }) &&
           std::ranges::none_of(want.tables,
                                [&](const nft::Table& table) { return is_policy(table.family, table.name); });
}

// Undoes what was done of a plan that went no further. The sentence says so, or what is left to be done.
std::string take_back(kernel::Kernel& kernel, const nft::Ruleset& before, const firewall::Wanted& want) {
    const nft::Ruleset have = read(kernel, want);
    const auto back = firewall::take_back(have, before, want.name, firewall::Room{kernel.batch_limit()});
    for (const nft::Batch& batch : back.batches)
        if (const auto committed = kernel.apply(batch, {}); !committed)
            return "; taking back what was done already failed too (" + committed.error().to_string() +
                   "): what was denied is denied, some links may be missing: apply again";
    return "; what was done already is taken back";
}

// Applies one transaction after the other, guarded each by what the one before it left. Unguarded, the generation
// stays that of the plan. `done` gets how many were made.
std::expected<std::uint32_t, kernel::Refusal> commit(kernel::Kernel& kernel, std::span<const nft::Batch> transactions,
                                                     std::uint32_t generation, bool guarded, std::size_t& done) {
    for (const nft::Batch& batch : transactions) {
        const auto committed = kernel.apply(batch, guarded ? std::optional(generation) : std::nullopt);
        if (!committed)
            return std::unexpected(committed.error());
        if (guarded)
            generation = committed->generation;
        ++done;
    }
    return generation;
}

// Until the connections in use have been seen by the kernel's tracking.
constexpr std::chrono::milliseconds acquaintance{1000};

// Carries the plan out, or, with switches first, its first part; the rest is left out of it then. The outer error is
// final; the inner one is the kernel's word on a transaction, and `done` counts those that were made.
std::expected<std::expected<Outcome, kernel::Refusal>, std::string> carry_out(kernel::Kernel& kernel, Plan plan,
                                                                              bool guarded, std::size_t& done) {
    Outcome outcome;
    if (plan.switches_first) {
        plan.transactions.pop_back();
        outcome.again_in = acquaintance;
    }
    const auto generation = commit(kernel, plan.transactions, plan.generation, guarded, done);
    if (!generation)
        return std::expected<Outcome, kernel::Refusal>(std::unexpected(generation.error()));
    if (const auto switched = turn_on(kernel, plan.switches); !switched)
        return std::unexpected(switched.error() +
                               (plan.switches_first
                                    ? "; the rules in the bridge family stay in force"
                                    : "; the rules are in place, but the policy is not enforced there"));
    outcome.generation = *generation;
    outcome.done = std::move(plan);
    return outcome;
}

// The ruleset with handles and rules as they are now, and with elements as they are known to be, without their counts.
// Nothing when the generation, or a set, is another one than is known.
std::optional<nft::Ruleset> read_frame(kernel::Kernel& kernel, const firewall::Wanted& want, const Known& known) {
    nft::Ruleset have =
        kernel.snapshot([&](const nft::Table& table,
                            const nft::Ruleset& listing) { return firewall::is_relevant(table, listing, want); },
                        kernel::Elements::left_out);
    if (have.generation != known.generation)
        return {};
    if (!firewall::fill_elements(have, *known.want, want))
        return {};
    return have;
}

// True if elements come with counts, which somebody must have read, or might come back with them.
bool needs_counts(const Plan& plan) {
    return plan.transactions.size() > 1 || std::ranges::any_of(plan.transactions, [](const nft::Batch& batch) {
               return std::ranges::any_of(batch, [](const nft::Operation& operation) {
                   const auto* add = std::get_if<nft::AddElements>(&operation.action);
                   return add != nullptr && std::ranges::any_of(add->elements, [](const nft::Element& element) {
                              return element.counters.has_value();
                          });
               });
           });
}

std::expected<Plan, std::string> compare(kernel::Kernel& kernel, const Target& target, const Means& means,
                                         const nft::Ruleset& have) {
    const auto idle = firewall::idle_chains(have, target.want);
    std::optional<firewall::Wanted> both;
    if (!idle.empty() && target.meanwhile && (means.has_meanwhile || has_live_table(have, target.want)))
        both = firewall::joined(target.want, *target.meanwhile);
    const firewall::Wanted& want = both ? *both : target.want;
    if (const nft::Table* table = taken(have, want))
        return std::unexpected(
            fmt::format("table {0} {1} exists and is not nftlink's: nothing was changed; name another one with "
                        "firewall.table, or remove it with: nft delete table {0} {1}",
                        nft::to_string(table->family), table->name));
    const bool force = means.strangers == Strangers::remove;
    Plan plan;
    plan.generation = have.generation;
    plan.tables = tables_of(have, want);
    plan.has_meanwhile = both.has_value();
    plan_attachments(idle, both.has_value(), plan);
    plan_look_alikes(have, want, plan);
    plan_change_over(have, target, plan);
    if (!force)
        plan.left = with_strangers(have, want);
    if (means.strangers == Strangers::refuse && !plan.left.empty())
        return std::unexpected(refusal_of(plan.left));
    for (const std::string& sentence : plan.left)
        plan.warnings.push_back(sentence + ": it stays, and what it drops and accepts with it");
    auto bridges = plan_bridges(target.bridges, means.bridges == nullptr ? kernel.bridges() : *means.bridges);
    plan.switches = std::move(bridges.switches);
    plan.bridge_warnings = std::move(bridges.warnings);
    const firewall::Manner manner{.force = force, .moves = means.moves, .marks = means.marks};
    const firewall::Room room{kernel.batch_limit()};
    auto changes = firewall::transactions(have, want, room, manner);
    plan.switches_first = !plan.switches.empty() && leaves_bridge_family(changes.batches, want);
    if (plan.switches_first)
        changes = firewall::transactions(have, want, room, manner, true);
    plan.transactions = std::move(changes.batches);
    plan.other_names = std::move(changes.other_names);
    plan.obstacles = std::move(changes.obstacles);
    return plan;
}

}  // namespace

std::expected<Plan, std::string> plan(kernel::Kernel& kernel, const Target& target, const Means& means) {
    if (means.known)
        if (const auto have = read_frame(kernel, target.want, *means.known))
            if (auto planned = compare(kernel, target, means, *have); !planned || !needs_counts(*planned))
                return planned;
    nft::Ruleset have = read(kernel, target.want);
    auto planned = compare(kernel, target, means, have);
    if (planned && planned->transactions.size() > 1)
        planned->before = std::move(have);
    return planned;
}

std::expected<Outcome, std::string> apply(kernel::Kernel& kernel, const Target& target, const Means& means) {
    Tries tries;
    std::size_t done = 0;  // transactions, of all tries
    std::optional<nft::Ruleset> before;
    const auto refused = [&](std::string reason) {
        if (done != 0 && before)
            reason += take_back(kernel, *before, target.want);
        return std::unexpected(std::move(reason));
    };
    try {
        while (tries.any_left()) {
            auto planned = plan(kernel, target, means);
            if (!planned)
                return refused(planned.error());
            if (!before)
                before = std::move(planned->before);
            auto carried_out = carry_out(kernel, std::move(*planned), tries.guarded(), done);
            if (!carried_out)
                return std::unexpected(carried_out.error());
            if (*carried_out)
                return std::move(**carried_out);
            if (!tries.again_after(carried_out->error()))
                return refused(tries.last_refusal());
        }
        return refused(tries.gave_up());
    } catch (const std::system_error& error) {
        if (done == 0 || !before)
            throw;
        return refused(error.what());
    }
}

bool deny_first(kernel::Kernel& kernel, const Target& target) {
    constexpr std::size_t few = 64;  // so many links are there in the time of another commit
    std::size_t count = 0;
    for (const nft::Table& table : target.want.tables)
        for (const nft::Set& set : table.sets)
            count += set.name.starts_with("links") ? set.elements.size() : 0;
    if (count <= few || !target.want.attached.empty())
        return false;
    std::vector<const nft::Table*> there;
    const nft::Ruleset have = kernel.snapshot([&](const nft::Table& table, const nft::Ruleset&) {
        if (const nft::Table* wanted = target.want.table(table.family, table.name))
            there.push_back(wanted);
        return false;
    });
    const bool any_there = std::ranges::any_of(
        there, [](const nft::Table* table) { return !firewall::is_frames_table(table->family, table->name); });
    return !any_there && kernel.apply(firewall::frame(target.want, there), have.generation).has_value();
}

bool has_rules(kernel::Kernel& kernel, const std::string& name) {
    firewall::Wanted nothing;
    nothing.name = name;
    const nft::Ruleset have =
        kernel.snapshot([&](const nft::Table& table,
                            const nft::Ruleset& listing) { return firewall::is_relevant(table, listing, nothing); },
                        kernel::Elements::left_out);
    return std::ranges::any_of(have.tables, [&](const nft::Table& table) { return firewall::is_ours(table, name); });
}

std::expected<Cleared, std::string> clear(kernel::Kernel& kernel, std::string_view name, Strangers strangers) {
    firewall::Wanted nothing;
    nothing.name = name;
    Tries tries;
    while (tries.any_left()) {
        // All tables with their rules: some of ours may be attached to any of them.
        const nft::Ruleset have = kernel.snapshot([](const nft::Table&, const nft::Ruleset&) { return true; });
        Cleared cleared;
        if (strangers != Strangers::remove)
            cleared.left = with_strangers(have, nothing);
        if (strangers == Strangers::refuse && !cleared.left.empty())
            return std::unexpected(refusal_of(cleared.left));
        const auto changes = firewall::transactions(have, nothing, firewall::Room{kernel.batch_limit()},
                                                    {.force = strangers == Strangers::remove});
        std::size_t done = 0;
        const auto committed = commit(kernel, changes.batches, have.generation, tries.guarded(), done);
        for (const nft::Batch& batch : changes.batches)
            std::ranges::copy(batch, std::back_inserter(cleared.batch));
        if (committed)
            return cleared;
        if (!tries.again_after(committed.error()))
            return std::unexpected(tries.last_refusal());
    }
    return std::unexpected(tries.gave_up());
}

}  // namespace nftlink::enforce
