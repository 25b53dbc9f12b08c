#include "keeper.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <system_error>

#include "link_changes.hpp"
#include "log.hpp"
#include "nftlink/base/words.hpp"
#include "nftlink/config/fragment.hpp"

namespace nftlink::service {

namespace asio = boost::asio;
using config::LogLevel;
using std::chrono::system_clock;

namespace {

std::vector<std::string> to_strings(const base::Errors& errors) {
    std::vector<std::string> lines;
    std::ranges::transform(errors, std::back_inserter(lines), &base::Error::to_string);
    return lines;
}

// How long the links' counters may be shown as they were read: many readers shall not keep the service from its work.
constexpr std::chrono::milliseconds links_last{50};

// What of a new configuration only a new start can bring.
std::vector<std::string> needs_restart(const config::Config& now, const config::Config& next) {
    std::vector<std::string> warnings;
    if (!(now.control == next.control))
        warnings.push_back("control is used as it was until nftlinkd is started again");
    if (!(now.state == next.state))
        warnings.push_back("state.directory is used as it was until nftlinkd is started again");
    return warnings;
}

}  // namespace

Keeper::Keeper(asio::any_io_executor executor, kernel::Kernel& kernel, std::string file, config::Loaded loaded)
    : executor_(executor),
      kernel_(kernel),
      file_(std::move(file)),
      desired_(std::make_shared<const config::Loaded>(std::move(loaded))),
      events_(executor),
      enforcer_(executor, kernel, desired_,
                {[this](const Cause& cause, const Enforced& enforced) { healed(cause, enforced); },
                 [this](const Cause& cause, const std::string& error) { failed(cause, error); }}),
      store_(desired_.config().state.directory),
      turn_(executor),
      loaded_at_(system_clock::now()) {}

Keeper::~Keeper() {
    if (watcher_ != nullptr)
        watcher_->stop();
}

bool Keeper::start() {
    ask_engine();
    Edit ended;
    const auto conflicts = desired_.add(read_state(), ended);
    // What was told lasts: a limit is no reason to set it aside.
    for (const auto& [container, message, is_of_limits] : conflicts)
        if (is_of_limits)
            trouble({fmt::format("{}: {}; nothing was changed: raise the limit, or move what is too much out of there",
                                 store_.file(container).string(), message)});
    if (std::ranges::any_of(conflicts, &Desired::Conflict::is_of_limits))
        return false;
    set_aside(conflicts);
    for (const std::string& link : ended.ended)
        log(LogLevel::warning, fmt::format("link {} has ended: its child is gone", link));
    if (!ended.empty())
        if (auto kept = store_.prepare(to_stored(ended.containers)); !kept || !(kept = store_.publish()))
            log(LogLevel::error, kept.error());
    const auto enforced = enforcer_.adopt();
    if (!enforced) {
        log(LogLevel::error, "at start: " + enforced.error());
        return false;
    }
    applied("at start", *enforced);
    const Variables variables = all_variables();
    variables_written(variables, write(variables));
    report_complaints();
    follow_engine();
    return true;
}

// The containers on disk that can be read; the others are named in the log and set aside.
Desired::Stored Keeper::read_state() {
    state::Stored stored = state::parse(store_.directory(), store_.read());
    trouble(std::move(stored.errors));
    std::vector<Desired::Conflict> damaged;
    for (const auto& [container, errors] : stored.damaged)
        damaged.push_back({container, fmt::format("{}", fmt::join(to_strings(errors), "; "))});
    set_aside(damaged);
    return std::move(stored.containers);
}

void Keeper::set_aside(const std::vector<Desired::Conflict>& conflicts) {
    for (const auto& [container, message, is_of_limits] : conflicts) {
        const auto moved = store_.set_aside(container);
        trouble({fmt::format("{}: {}; {}", store_.file(container).string(), message,
                             moved ? "the file is set aside as " + moved->string() : moved.error())});
    }
}

asio::awaitable<std::expected<Changed, Faults>> Keeper::reload() {
    co_return co_await asio::co_spawn(co_await asio::this_coro::executor, reload_now(), asio::use_awaitable);
}

asio::awaitable<std::expected<Changed, Faults>> Keeper::reload_now() {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    const auto turn = co_await turn_.take();
    std::function<config::Result()> load = [file = file_] { return config::load(file); };
    auto loaded = co_await disk_.run(std::move(load));
    if (!loaded)
        co_return std::unexpected(refuse_configuration(422, "invalid", to_strings(loaded.error())));
    co_return co_await replace(std::move(*loaded));
}

asio::awaitable<std::expected<Changed, Faults>> Keeper::replace(config::Loaded loaded) {
    Changed changed{.anything = loaded.hash != desired_.files().hash,
                    .ended_links = {},
                    .warnings = needs_restart(desired_.config(), loaded.config)};
    for (const std::string& warning : to_strings(loaded.warnings))
        changed.warnings.push_back(warning);
    Desired next(std::make_shared<const config::Loaded>(std::move(loaded)));
    const bool same_engine = desired_.config().sources == next.config().sources;
    if (same_engine)
        next.set_inventory(desired_.inventory());
    Edit ended;
    std::vector<std::string> errors;
    for (const auto& [container, message, is_of_limits] : next.add(desired_.stored(), ended))
        errors.push_back(
            fmt::format("{} (that container came through the API: nftlink rm {} removes it)", message, container));
    if (!errors.empty())
        co_return std::unexpected(refuse_configuration(422, "invalid", std::move(errors)));
    const auto prepared = co_await prepare(to_stored(ended.containers));
    if (!prepared)
        co_return std::unexpected(refuse_configuration(503, "not_stored", {prepared.error()}));

    const auto exchange = [&] {
        std::swap(desired_, next);
        desired_.set_inventory(desired_.inventory());  // the engine goes on meanwhile
    };
    exchange();
    enforcer_.forget_contest();
    const auto enforced = enforcer_.adopt();
    std::expected<void, std::string> published;
    if (enforced)
        published = co_await publish();
    if (!enforced || !published) {
        exchange();
        engine_changed();  // news that came for it meanwhile
        if (enforced)
            enforcer_.take_back();
        else
            co_await discard();
        co_return std::unexpected(enforced ? refuse_configuration(503, "not_stored", {published.error()})
                                           : refuse_configuration(503, "kernel_refused", {enforced.error()}));
    }
    const config::Config& config = desired_.config();
    set_up_log(config.log);
    refused_configuration_.reset();
    loaded_at_ = system_clock::now();
    applied("after a reload", *enforced);
    for (const std::string& warning : changed.warnings)
        log(LogLevel::warning, warning);
    std::ranges::move(enforcer_.warnings(), std::back_inserter(changed.warnings));  // logged already
    publish_links(link_changes(next.topology(), desired_.topology()), "reload", "the configuration was reloaded");
    report_complaints();
    if (!same_engine)
        follow_engine();
    events_.publish("reloaded", {{"hash", desired_.files().hash}, {"changed", changed.anything}});
    co_await write_all_variables();
    if (!variables_whole_)
        changed.warnings.push_back("the files with link variables could not all be written: " +
                                   last_error_->messages.front());
    changed.ended_links = std::move(ended.ended);
    changed.generation = enforcer_.generation();
    co_return changed;
}

// On the disk's thread, unless there is no disk to wait for: going there and back takes longer than the work. The work
// has a name: g++ 12 destroys what a lambda within an await has captured twice.
template <typename T>
asio::awaitable<T> Keeper::on_disk(std::function<T()> work) {
    if (store_.is_in_memory())
        co_return work();
    co_return co_await disk_.run(std::move(work));
}

asio::awaitable<Keeper::Done> Keeper::prepare(state::StoredChange change) {
    std::function<Done()> work = [this, change = std::move(change)] { return store_.prepare(change); };
    co_return co_await on_disk(std::move(work));
}

asio::awaitable<Keeper::Done> Keeper::publish() {
    std::function<Done()> work = [this] { return store_.publish(); };
    co_return co_await on_disk(std::move(work));
}

asio::awaitable<void> Keeper::discard() {
    std::function<void()> work = [this] { store_.discard(); };
    co_await on_disk(std::move(work));
}

std::vector<firewall::LinkCount> Keeper::links() {
    const auto now = std::chrono::steady_clock::now();
    const std::uint32_t generation = kernel_.generation();
    if (now - links_.read > links_last || links_.generation != generation || links_.loaded != loaded_at_) {
        const firewall::Wanted& want = enforcer_.frame().want;
        const nft::Ruleset have = kernel_.snapshot([&](const nft::Table& table, const nft::Ruleset& listing) {
            return firewall::is_relevant(table, listing, want);
        });
        links_ = {firewall::link_counts(have, desired_.topology(), desired_.config().firewall), now, have.generation,
                  loaded_at_};
    }
    return links_.counts;
}

Keeper::LinkTotals Keeper::link_totals() {
    LinkTotals totals;
    if (enforcer_.is_whole()) {
        for (const auto& [name, container] : desired_.topology().containers)
            totals.desired += container.links.size();
        totals.installed = totals.desired;
        return totals;
    }
    const auto counts = links();
    totals.desired = counts.size();
    totals.installed = static_cast<std::size_t>(std::ranges::count(counts, true, &firewall::LinkCount::installed));
    return totals;
}

Faults Keeper::refuse(unsigned status, const std::string& code, const std::string& message) {
    ++counts_.refused_changes;
    trouble({message});
    events_.publish("refused", {{"message", message}});
    return {{status, code, message, ""}};
}

Faults Keeper::refuse_configuration(unsigned status, const std::string& code, std::vector<std::string> errors) {
    Faults faults;
    boost::json::array list;
    for (const std::string& error : errors) {
        faults.push_back({status, code, error, ""});
        list.emplace_back(error);
    }
    log(LogLevel::error, "the new configuration is refused, the old one stays in force");
    trouble(errors);
    ++counts_.refused_changes;
    events_.publish("reload_refused", {{"errors", std::move(list)}});
    refused_configuration_ = Trouble{system_clock::now(), std::move(errors)};
    return faults;
}

// Says what was done to the kernel, and what of the bridges is different now.
void Keeper::applied(const std::string& reason, const Enforced& enforced, LogLevel level) {
    counts_.last_success = system_clock::now();
    failing_.clear();
    links_ = {};
    if (enforced.operation_count != 0) {
        counts_.apply.add(enforced.took);
        log(level, fmt::format("{}: made the ruleset as configured with {}", reason,
                               base::count(enforced.operation_count, "operation")));
    }
    for (const reconcile::Switch& done : enforced.switches) {
        log(LogLevel::info, fmt::format("bridge {}: switched its netfilter hooks on", done.bridge));
        events_.publish(
            "bridge",
            {{"bridge", done.bridge}, {"enforced", true}, {"reason", "its netfilter hooks were off until now"}});
    }
    if (auto warnings = enforcer_.warnings(); warnings != known_warnings_) {
        known_warnings_ = std::move(warnings);
        for (const std::string& warning : known_warnings_)
            log(LogLevel::warning, warning);
    }
    publish_bridges();
}

void Keeper::healed(const Cause& cause, const Enforced& enforced) {
    // With every container a port comes or goes.
    applied(cause.reason, enforced, enforced.is_of_ports ? LogLevel::debug : LogLevel::info);
    if (cause.of != Cause::Of::rules || enforced.operation_count == 0)
        return;
    ++counts_.heals;
    last_heal_ = Heal{system_clock::now(), cause, enforced};
    events_.publish("healed", {{"program", cause.program},
                               {"pid", cause.process},
                               {"operations", enforced.operation_count},
                               {"seconds", std::chrono::duration<double>(enforced.took).count()},
                               {"reason", cause.reason}});
}

void Keeper::failed(const Cause& cause, const std::string& error) {
    const std::string message = fmt::format("{}: {}", cause.reason, error);
    publish_bridges();
    if (std::exchange(failing_, message) == message)
        return;  // tried again every second
    trouble({message});
    events_.publish("refused", {{"message", message}});
}

void Keeper::trouble(std::vector<std::string> messages) {
    if (messages.empty())
        return;
    for (const std::string& message : messages)
        log(LogLevel::error, message);
    last_error_ = Trouble{system_clock::now(), std::move(messages)};
}

void Keeper::publish_links(const std::vector<LinkChange>& changes, std::string_view by, const std::string& reason) {
    for (const LinkChange& change : changes) {
        boost::json::object fields{{"link", model::link_name(change.parent, change.link.alias)},
                                   {"parent", change.parent},
                                   {"child", change.link.child},
                                   {"alias", change.link.alias},
                                   {"by", by}};
        if (!reason.empty())
            fields["reason"] = reason;
        events_.publish(change.added ? "link_added" : "link_removed", std::move(fields));
    }
}

void Keeper::publish_bridges() {
    auto states = enforcer_.bridges();
    auto known = known_bridges_.begin();  // both are sorted by name
    for (const reconcile::BridgeState& state : states) {
        while (known != known_bridges_.end() && known->bridge < state.bridge)
            ++known;
        if (known == known_bridges_.end() || known->bridge != state.bridge || known->enforced != state.enforced ||
            known->reason != state.reason)
            events_.publish("bridge",
                            {{"bridge", state.bridge}, {"enforced", state.enforced}, {"reason", state.reason}});
    }
    known_bridges_ = std::move(states);
}

}  // namespace nftlink::service
