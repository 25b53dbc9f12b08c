#include "reporter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "log.hpp"
#include "nftlink/base/words.hpp"

namespace nftlink::service {

using config::LogLevel;
using std::chrono::system_clock;

void Reporter::applied(const std::string& reason, const enforce::Enforced& enforced, LogLevel level) {
    counts_.last_success = system_clock::now();
    failing_.clear();
    if (enforced.operation_count != 0) {
        counts_.apply.add(enforced.took);
        log(level, fmt::format("{}: made the ruleset as configured with {}", reason,
                               base::count(enforced.operation_count, "operation")));
    }
    for (const enforce::Switch& done : enforced.switches) {
        log(LogLevel::info, fmt::format("bridge {}: switched its netfilter hooks on", done.bridge));
        events_.publish(api::BridgeChanged{done.bridge, true, "its netfilter hooks were off until now"});
    }
    if (auto warnings = enforcer_.warnings(); warnings != known_warnings_) {
        known_warnings_ = std::move(warnings);
        for (const std::string& warning : known_warnings_)
            log(LogLevel::warning, warning);
    }
    publish_bridges();
}

void Reporter::repaired(const enforce::Repair& repair) {
    const auto& [cause, result] = repair;
    if (!result) {
        const std::string message = fmt::format("{}: {}", cause.reason, result.error());
        publish_bridges();
        if (std::exchange(failing_, message) == message)
            return;  // tried again every second
        tell_errors({message});
        events_.publish(api::Refused{message});
        return;
    }
    // With every container a port comes or goes.
    applied(cause.reason, *result, result->is_of_ports ? LogLevel::debug : LogLevel::info);
    if (cause.of != enforce::Cause::Of::rules || result->operation_count == 0)
        return;
    ++counts_.heals;
    last_heal_ = Heal{system_clock::now(), cause, *result};
    events_.publish(api::Healed{.program = cause.program,
                                .pid = cause.process,
                                .operations = result->operation_count,
                                .seconds = std::chrono::duration<double>(result->took).count(),
                                .reason = cause.reason});
}

void Reporter::tell_errors(std::vector<std::string> messages) {
    if (messages.empty())
        return;
    for (const std::string& message : messages)
        log(LogLevel::error, message);
    last_error_ = DatedErrors{system_clock::now(), std::move(messages)};
}

void Reporter::refused(const std::string& message) {
    ++counts_.refused_changes;
    tell_errors({message});
    events_.publish(api::Refused{message});
}

void Reporter::configuration_refused(const std::vector<std::string>& errors) {
    log(LogLevel::error, "the new configuration is refused, the old one stays in force");
    tell_errors(errors);
    ++counts_.refused_changes;
    events_.publish(api::ReloadRefused{errors});
    refused_configuration_ = DatedErrors{system_clock::now(), errors};
}

void Reporter::reloaded(const std::string& hash, bool is_another, const std::vector<std::string>& warnings) {
    refused_configuration_.reset();
    for (const std::string& warning : warnings)
        log(LogLevel::warning, warning);
    events_.publish(api::ConfigurationReloaded{hash, is_another});
}

void Reporter::links_changed(const std::vector<desired::LinkChange>& changes, std::string_view by,
                             const std::string& reason) {
    for (const desired::LinkChange& change : changes) {
        api::LinkEvent event{.link = model::link_name(change.parent, change.link.alias),
                             .parent = change.parent,
                             .child = change.link.child,
                             .alias = change.link.alias,
                             .by = std::string(by),
                             .reason = {}};
        if (!reason.empty())
            event.reason = reason;
        if (change.added)
            events_.publish(api::LinkAdded{std::move(event)});
        else
            events_.publish(api::LinkRemoved{std::move(event)});
    }
}

void Reporter::complaints(const std::vector<desired::Complaint>& all) {
    std::vector<desired::Complaint> news;
    std::ranges::set_difference(all, known_complaints_, std::back_inserter(news));
    known_complaints_ = all;
    for (const auto& [container, message] : news) {
        log(LogLevel::warning, message);
        events_.publish(api::ConflictFound{container, message});
    }
}

void Reporter::engine_contacted(const std::string& name, const std::string& socket, const engine::Contact& contact,
                                bool lasts) {
    if (contact.connected)
        log(LogLevel::info, fmt::format("following {}: {}, API {}", name, contact.engine, contact.api));
    else
        tell_errors(
            {fmt::format("{}: {}; {}", name, contact.error,
                         lasts ? "what it said last stays in force" : "its links are not in force until it answers")});
    events_.publish(api::SourceChanged{.source = "docker",
                                       .socket = socket,
                                       .connected = contact.connected,
                                       .engine = contact.engine,
                                       .reason = contact.error});
}

void Reporter::stopping() {
    events_.publish(api::Stopping{});
    events_.close();
}

void Reporter::publish_bridges() {
    auto states = enforcer_.bridges();
    auto known = known_bridges_.begin();  // both are sorted by name
    for (const enforce::BridgeState& state : states) {
        while (known != known_bridges_.end() && known->bridge < state.bridge)
            ++known;
        if (known == known_bridges_.end() || known->bridge != state.bridge || known->enforced != state.enforced ||
            known->reason != state.reason)
            events_.publish(api::BridgeChanged{state.bridge, state.enforced, state.reason});
    }
    known_bridges_ = std::move(states);
}

}  // namespace nftlink::service
