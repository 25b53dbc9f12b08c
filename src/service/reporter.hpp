// Tells what happens: events for who listens, lines in the log, counts for metrics, and what was last.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "event_log.hpp"
#include "metrics.hpp"
#include "nftlink/config/config.hpp"
#include "nftlink/desired/edit.hpp"
#include "nftlink/desired/unite.hpp"
#include "nftlink/enforce/enforcer.hpp"
#include "nftlink/enforce/repair.hpp"
#include "nftlink/engine/watcher.hpp"

namespace nftlink::service {

using Time = std::chrono::system_clock::time_point;

// Messages of one moment.
struct DatedErrors {
    Time time;
    std::vector<std::string> messages;
};
struct Heal {
    Time time;
    enforce::Cause cause;
    enforce::Enforced enforced;
};

class Reporter {
public:
    // The enforcer, of whose bridges and warnings it tells, must outlive it.
    Reporter(const boost::asio::any_io_executor& executor, const enforce::Enforcer& enforcer)
        : enforcer_(enforcer), events_(executor) {}

    // The kernel was made to match for that reason (`at start`), and what of the bridges is different now.
    void applied(const std::string& reason, const enforce::Enforced& enforced,
                 config::LogLevel level = config::LogLevel::info);
    void repaired(const enforce::Repair& repair);
    // Something is wrong.
    void tell_errors(std::vector<std::string> messages);
    // A change that was asked for can't be made.
    void refused(const std::string& message);
    void configuration_refused(const std::vector<std::string>& errors);
    void reloaded(const std::string& hash, bool is_another, const std::vector<std::string>& warnings);
    // `by`: who has changed them, `api`, `reload` or `docker`.
    void links_changed(const std::vector<desired::LinkChange>& changes, std::string_view by,
                       const std::string& reason = "");
    // The complaints there are; each is said once.
    void complaints(const std::vector<desired::Complaint>& all);
    // Takes the contact with the engine as it is now. `lasts`: what it said before stays in force.
    void engine_contacted(const std::string& name, const std::string& socket, const engine::Contact& contact,
                          bool lasts);
    void stopping();

    EventLog& events() { return events_; }
    const EventLog& events() const { return events_; }
    const Counts& counts() const { return counts_; }
    const std::optional<DatedErrors>& refused_configuration() const { return refused_configuration_; }
    const std::optional<Heal>& last_heal() const { return last_heal_; }
    const std::optional<DatedErrors>& last_error() const { return last_error_; }

private:
    void publish_bridges();

    const enforce::Enforcer& enforcer_;
    EventLog events_;
    Counts counts_;
    std::optional<DatedErrors> refused_configuration_;
    std::optional<Heal> last_heal_;
    std::optional<DatedErrors> last_error_;
    std::string failing_;  // the message of what is being tried again, which isn't said twice
    std::vector<desired::Complaint> known_complaints_;
    std::vector<enforce::BridgeState> known_bridges_;
    std::vector<std::string> known_warnings_;
};

}  // namespace nftlink::service
