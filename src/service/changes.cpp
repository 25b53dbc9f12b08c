#include "changes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <iterator>
#include <new>
#include <optional>
#include <utility>
#include <variant>

#include "log.hpp"
#include "nftlink/config/load.hpp"
#include "nftlink/desired/differences.hpp"

namespace nftlink::service {

namespace asio = boost::asio;
using api::Code;
using config::LogLevel;
using desired::State;
using enforce::Enforced;

// The difference that is asked for.
struct Changes::Proposal {
    state::StoredChange stored;                 // on disk
    std::variant<desired::Edit, State> wanted;  // in memory
    bool needs_disk = true;                     // it isn't made when the disk refuses
};

// The progress of a change, and what there was before it.
struct Changes::Undo {
    bool is_prepared = false;
    std::optional<State::Past> past;  // of an edit
    std::optional<State> state;       // that another one has taken the place of
    bool is_adopted = false;
};

namespace {

std::vector<std::string> to_strings(const base::Errors& errors) {
    std::vector<std::string> lines;
    std::ranges::transform(errors, std::back_inserter(lines), &base::Error::to_string);
    return lines;
}

// The warnings of a new configuration, and of its keys that only a new start can bring into force.
base::Errors warnings_of(const config::Config& now, const config::Loaded& next) {
    base::Errors warnings;
    if (!(now.control == next.config.control))
        warnings.push_back({{}, "control is used as it was until nftlinkd is started again"});
    if (!(now.state == next.config.state))
        warnings.push_back({{}, "state.directory is used as it was until nftlinkd is started again"});
    std::ranges::copy(next.warnings, std::back_inserter(warnings));
    return warnings;
}

void log_failure(const char* what) noexcept {
    try {
        log(LogLevel::error, fmt::format("a change was made, and could not be told whole: {}", what));
    } catch (const std::exception&) {
        // There is nobody left to tell.
    }
}

// Runs what comes after a change that is made: no exception takes that back.
template <typename Work>
void tell(Work work) noexcept {
    try {
        work();
    } catch (const std::exception& error) {
        log_failure(error.what());
    }
}

}  // namespace

Changes::Changes(asio::any_io_executor executor, const Parts& parts, std::string file, config::Loaded loaded)
    : executor_(executor),
      parts_(parts),
      file_(std::move(file)),
      state_(std::make_shared<const config::Loaded>(std::move(loaded))),
      loaded_at_(std::chrono::system_clock::now()),
      wake_(executor, asio::steady_timer::time_point::max()) {}

asio::awaitable<bool> Changes::start(State::Inventory inventory) {
    const state::Store& store = parts_.journal.store();
    state::Stored stored = state::parse(store.directory(), parts_.journal.store().read());
    parts_.reporter.tell_errors(std::move(stored.errors));
    std::vector<desired::Conflict> damaged;
    for (const auto& [container, errors] : stored.damaged)
        damaged.push_back({container, fmt::format("{}", fmt::join(to_strings(errors), "; "))});
    set_aside(damaged);

    State next(state_.shared_files());
    next.set_inventory(std::move(inventory));
    const State::Joined joined = next.add(std::move(stored.containers));
    // An answer that was given lasts: a limit is no reason to set it aside.
    for (const auto& [container, message, is_of_limits] : joined.conflicts)
        if (is_of_limits)
            parts_.reporter.tell_errors(
                {fmt::format("{}: {}; nothing was changed: raise the limit, or move what is too much out of there",
                             store.file(container).string(), message)});
    if (std::ranges::any_of(joined.conflicts, &desired::Conflict::is_of_limits))
        co_return false;
    set_aside(joined.conflicts);
    for (const std::string& link : joined.ended_links)
        log(LogLevel::warning, fmt::format("link {} has ended: its child is gone", link));

    Undo undo;
    Proposal proposal{state::to_change(joined.ended.containers), std::move(next), false};
    const auto made = co_await carry_out(std::move(proposal), undo);
    if (!made) {
        log(LogLevel::error, "at start: " + made.error().message);
        co_return false;
    }
    parts_.reporter.applied("at start", *made);
    parts_.variables.write_all_now(state_);
    parts_.reporter.complaints(state_.complaints());
    parts_.engine.follow(state_, [this] { engine_changed(); });
    co_return true;
}

void Changes::set_aside(const std::vector<desired::Conflict>& conflicts) {
    for (const auto& [container, message, is_of_limits] : conflicts) {
        const auto moved = parts_.journal.store().set_aside(container);
        parts_.reporter.tell_errors(
            {fmt::format("{}: {}; {}", parts_.journal.store().file(container).string(), message,
                         moved ? "the file is set aside as " + moved->string() : moved.error())});
    }
}

asio::awaitable<Answer> Changes::change(api::Transaction transaction) {
    return ask(std::make_shared<ChangeRequest>(executor_, std::move(transaction)));
}

asio::awaitable<Answer> Changes::reload() {
    return ask(std::make_shared<ChangeRequest>(executor_, std::nullopt));
}

asio::awaitable<Answer> Changes::ask(std::shared_ptr<ChangeRequest> request) {
    requests_.push(request);
    wake();
    co_await request->done.async_receive(asio::use_awaitable);
    if (!request->answer)
        throw std::bad_alloc();
    co_return std::move(*request->answer);
}

void Changes::wake() {
    if (is_at_work_) {
        wake_.cancel();
        return;
    }
    is_at_work_ = true;
    try {
        asio::co_spawn(executor_, work(), asio::detached);
    } catch (...) {
        is_at_work_ = false;
        throw;
    }
}

// The one writer. A reload and transactions keep their order. Whoever gets no answer, for want of memory, is told so.
asio::awaitable<void> Changes::work() {
    for (;;) {
        take_news();
        if (!requests_.empty()) {
            const Requests requests = requests_.take();
            try {
                co_await serve(requests);
            } catch (const std::bad_alloc&) {
                for (const auto& request : requests)
                    if (!request->answer)
                        request->wake();
            }
        } else if (!changed_by_engine_.empty()) {
            std::set<std::string> changed = std::exchange(changed_by_engine_, {});
            co_await write(parts_.variables.write(state_, std::move(changed), Dependents::parents));
        } else {
            break;
        }
    }
    is_at_work_ = false;
}

// Answers every request, whatever is thrown.
asio::awaitable<void> Changes::serve(Requests requests) {
    std::string failure;
    try {
        if (requests.front()->transaction)
            co_await change_together(requests);
        else
            requests.front()->finish(co_await reload_now());
    } catch (const std::exception& error) {
        failure = error.what();
    }
    for (const auto& request : requests)
        if (!request->answer)
            request->finish(
                std::unexpected(api::Faults{{Code::internal, "the service failed at this request: " + failure, ""}}));
}

asio::awaitable<void> Changes::change_together(Requests requests) {
    struct Part {
        std::shared_ptr<ChangeRequest> request;
        desired::Planned planned;
    };
    std::vector<Part> parts;
    desired::Draft draft(state_);
    for (const auto& request : requests)
        if (auto planned = draft.plan(*request->transaction))
            parts.push_back({request, std::move(*planned)});
        else
            request->finish(std::unexpected(std::move(planned.error())));
    desired::Edit edit = draft.take();
    Undo undo;
    if (!edit.empty()) {
        auto stored = state::to_change(edit.containers);
        Proposal proposal{std::move(stored), std::move(edit)};
        const auto made = co_await carry_out(std::move(proposal), undo);
        // The one at fault shows when each is made alone.
        if (!made && parts.size() > 1) {
            for (const Part& part : parts) {
                Requests alone{part.request};
                co_await change_together(std::move(alone));
            }
            co_return;
        }
        if (!made) {
            parts_.reporter.refused(made.error().message);
            parts.front().request->finish(std::unexpected(api::Faults{made.error()}));
            co_return;
        }
        std::set<std::string> names;
        Dependents dependents = Dependents::parents;
        tell([&] {
            parts_.reporter.applied("through the API", *made, LogLevel::debug);
            if (const model::Topology* before = undo.past->topology()) {
                parts_.reporter.links_changed(desired::link_changes(*before, state_.topology()), "api");
                parts_.reporter.complaints(state_.complaints());
            } else {
                for (const Part& part : parts)
                    parts_.reporter.links_changed(part.planned.links, "api");
            }
            const desired::Before before = undo.past->changed(state_);
            for (const auto& [name, container] : before)
                names.emplace(name);
            dependents = dependents_of(before, state_);
        });
        if (VariableFiles::are_wanted(state_))
            co_await write(parts_.variables.write(state_, std::move(names), dependents));
    }
    for (Part& part : parts)
        part.request->finish(
            Changed{part.planned.anything, std::move(part.planned.ended), {}, parts_.enforcer.generation()});
}

asio::awaitable<Answer> Changes::reload_now() {
    std::function<config::Result()> load = [file = file_] { return config::load(file); };
    auto loaded = co_await meanwhile(parts_.journal.run(std::move(load)));
    if (!loaded)
        co_return std::unexpected(refuse(Code::invalid, loaded.error()));
    co_return co_await replace(std::move(*loaded));
}

asio::awaitable<Answer> Changes::replace(config::Loaded loaded) {
    Changed changed{.anything = loaded.hash != state_.files().hash,
                    .ended_links = {},
                    .warnings = warnings_of(state_.config(), loaded)};
    State next(std::make_shared<const config::Loaded>(std::move(loaded)));
    State::Joined joined = next.add(state_.stored());
    base::Errors errors;
    for (const auto& [container, message, is_of_limits] : joined.conflicts)
        errors.push_back(
            {{},
             fmt::format("{} (that container came through the API: nftlink rm {} removes it)", message, container)});
    if (!errors.empty())
        co_return std::unexpected(refuse(Code::invalid, errors));

    const bool same_engine = state_.config().sources == next.config().sources;
    parts_.enforcer.forget_contest();
    Undo undo;
    Proposal proposal{state::to_change(joined.ended.containers), std::move(next)};
    const auto made = co_await carry_out(std::move(proposal), undo);
    if (!made)
        co_return std::unexpected(refuse(made.error().code, {{{}, made.error().message}}));
    tell([&] {
        set_up_log(state_.config().log);
        loaded_at_ = std::chrono::system_clock::now();
        parts_.reporter.applied("after a reload", *made);
        parts_.reporter.links_changed(desired::link_changes(undo.state->topology(), state_.topology()), "reload",
                                      "the configuration was reloaded");
        parts_.reporter.complaints(state_.complaints());
        parts_.reporter.reloaded(state_.files().hash, changed.anything, to_strings(changed.warnings));
        for (const std::string& warning : parts_.enforcer.warnings())  // logged already
            changed.warnings.push_back({{}, warning});
        if (!same_engine)
            parts_.engine.follow(state_, [this] { engine_changed(); });
    });
    co_await write(parts_.variables.write_all(state_));
    if (!parts_.variables.error().empty())
        changed.warnings.push_back(
            {{}, "the files with link variables could not all be written: " + parts_.variables.error()});
    changed.ended_links = std::move(joined.ended_links);
    changed.generation = parts_.enforcer.generation();
    co_return changed;
}

// The files come after a change that is made, and fail by themselves.
asio::awaitable<void> Changes::write(asio::awaitable<void> files) {
    std::string failure;
    try {
        co_await meanwhile(std::move(files));
    } catch (const std::exception& error) {
        failure = error.what();
    }
    if (!failure.empty())
        log(LogLevel::error, "the files with link variables could not be written: " + failure);
}

api::Faults Changes::refuse(Code code, const base::Errors& errors) {
    parts_.reporter.configuration_refused(to_strings(errors));
    api::Faults faults;
    for (const base::Error& error : errors)
        faults.push_back(api::to_fault(code, error));
    return faults;
}

// Makes the whole change, or none of it.
asio::awaitable<Changes::Made> Changes::carry_out(Proposal proposal, Undo& undo) {
    std::optional<Made> made;
    std::string failure;
    try {
        made = co_await make(std::move(proposal), undo);
    } catch (const std::bad_alloc&) {
        failure = "there is not enough memory for it";
    } catch (const std::exception& error) {
        failure = error.what();
    }
    parts_.repairs.rearm();
    if (made && *made)
        co_return std::move(*made);
    co_await take_back(std::move(undo));
    if (made)
        co_return std::move(*made);
    co_return std::unexpected(api::Fault{Code::internal, failure, ""});
}

asio::awaitable<Changes::Made> Changes::make(Proposal proposal, Undo& undo) {
    undo.is_prepared = true;
    auto kept = co_await on_disk(parts_.journal.prepare(std::move(proposal.stored)));
    if (!kept && proposal.needs_disk)
        co_return std::unexpected(api::Fault{Code::not_stored, kept.error(), ""});
    if (!kept)
        log(LogLevel::error, kept.error());

    if (auto* edit = std::get_if<desired::Edit>(&proposal.wanted)) {
        undo.past = state_.apply(std::move(*edit));
    } else {
        State& next = std::get<State>(proposal.wanted);
        if (state_.config().sources == next.config().sources && state_.inventory() != nullptr)
            next.set_inventory(state_.inventory());  // the engine has gone on meanwhile
        undo.state = std::exchange(state_, std::move(next));
    }
    const auto enforced = adopt(undo);
    if (!enforced)
        co_return std::unexpected(api::Fault{Code::kernel_refused, enforced.error(), ""});
    undo.is_adopted = true;

    kept = co_await on_disk(parts_.journal.publish());
    if (!kept && proposal.needs_disk)
        co_return std::unexpected(api::Fault{Code::not_stored, kept.error(), ""});
    if (!kept)
        log(LogLevel::error, kept.error());
    co_return *enforced;
}

std::expected<Enforced, std::string> Changes::adopt(const Undo& undo) {
    return undo.past ? parts_.enforcer.adopt(goal(), undo.past->changed(state_)) : parts_.enforcer.adopt(goal());
}

// The one way back: in memory, in the kernel, on disk. Nothing of it may be kept from the next by an exception.
asio::awaitable<void> Changes::take_back(Undo undo) {
    if (undo.past) {
        state_.restore(std::move(*undo.past));
    } else if (undo.state) {
        state_ = std::move(*undo.state);
        has_news_ = true;  // that came for the other one
    }
    if (undo.is_adopted)
        keep_trying();
    std::string failure;
    try {
        if (undo.is_prepared)
            co_await on_disk(parts_.journal.discard());
    } catch (const std::exception& error) {
        failure = error.what();
    }
    if (!failure.empty())
        log(LogLevel::error, "what was prepared on disk could not be thrown away: " + failure);
}

// Spawning a task costs more than what is done at once.
template <typename T>
asio::awaitable<T> Changes::on_disk(asio::awaitable<T> operation) {
    if (!parts_.journal.waits())
        co_return co_await std::move(operation);
    co_return co_await meanwhile(std::move(operation));
}

// Takes what the engine says while the disk is at work: a permission must not outlive its container for that.
template <typename T>
asio::awaitable<T> Changes::meanwhile(asio::awaitable<T> operation) {
    using Result = std::conditional_t<std::is_void_v<T>, std::monostate, T>;
    struct Outcome {
        std::exception_ptr failure;
        std::optional<Result> result;
    };
    const auto outcome = std::make_shared<Outcome>();
    const auto finish = [this, outcome](std::exception_ptr failure, auto... result) {
        outcome->failure = failure;
        outcome->result.emplace(std::move(result)...);
        wake_.cancel();
    };
    asio::co_spawn(executor_, std::move(operation), finish);
    for (;;) {
        take_news();
        if (outcome->result)
            break;
        boost::system::error_code woken;
        co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
    if (outcome->failure != nullptr)
        std::rethrow_exception(outcome->failure);
    if constexpr (!std::is_void_v<T>)
        co_return std::move(*outcome->result);
}

void Changes::engine_changed() {
    has_news_ = true;
    wake();
}

void Changes::take_news() {
    if (!std::exchange(has_news_, false) && !state_.is_stale())
        return;
    auto inventory = parts_.engine.inventory(state_);
    if (inventory == nullptr)
        return;
    bool is_taken = false;
    try {
        const desired::United before = state_.set_inventory(std::move(inventory));
        is_taken = true;
        parts_.reporter.complaints(state_.complaints());
        desired::add_changed(before.idle, state_.idle(), changed_by_engine_);
        std::set<std::string> changed;
        desired::add_changed(before.topology, state_.topology(), changed);
        changed_by_engine_.insert(changed.begin(), changed.end());
        if (changed.empty())
            return;
        const auto enforced = parts_.enforcer.adopt(goal(), desired::those_before(before.topology, changed));
        // It is a fact: there is nothing to go back to.
        if (enforced)
            parts_.reporter.applied(fmt::format("as {} says", state_.engine_name()), *enforced, LogLevel::debug);
        else
            keep_trying();
        parts_.repairs.rearm();
        parts_.reporter.links_changed(desired::link_changes(before.topology, state_.topology()), "docker");
    } catch (const std::exception& error) {
        has_news_ = !is_taken;
        if (is_taken)
            keep_trying();
        tell([&] {
            parts_.reporter.tell_errors({fmt::format("what {} says could not be taken in whole: {}; it is tried again",
                                                     state_.engine_name(), error.what())});
        });
    }
}

// Has the kernel match the state, however long that takes.
void Changes::keep_trying() {
    tell([&] {
        if (const auto failed = parts_.enforcer.take_back(goal()))
            parts_.reporter.repaired(*failed);
    });
    parts_.repairs.rearm();
}

}  // namespace nftlink::service
