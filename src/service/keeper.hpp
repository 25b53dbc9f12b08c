// The service without its sockets: what is wanted, kept in force and on disk, and changed by one task at a time.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cdi_file.hpp"
#include "desired.hpp"
#include "enforcer.hpp"
#include "env_files.hpp"
#include "event_log.hpp"
#include "metrics.hpp"
#include "nftlink/api/records.hpp"
#include "nftlink/config/config.hpp"
#include "nftlink/engine/watcher.hpp"
#include "nftlink/kernel/kernel.hpp"
#include "nftlink/linkenv/cdi.hpp"
#include "nftlink/state/disk.hpp"
#include "nftlink/state/store.hpp"
#include "turn.hpp"

namespace nftlink::service {

using Time = std::chrono::system_clock::time_point;
using Faults = std::vector<api::Fault>;

// A change that was made.
struct Changed {
    bool anything = false;
    std::vector<std::string> ended_links;  // that nobody asked to remove
    std::vector<std::string> warnings;
    std::uint32_t generation = 0;  // of the ruleset after it
};

// What was last wrong, or done.
struct Heal {
    Time time;
    Cause cause;
    Enforced enforced;
};
struct Trouble {
    Time time;
    std::vector<std::string> messages;
};

class Keeper {
public:
    // The kernel must outlive it. Throws std::runtime_error when the state directory can't be used.
    Keeper(boost::asio::any_io_executor executor, kernel::Kernel& kernel, std::string file, config::Loaded loaded);
    ~Keeper();
    Keeper(const Keeper&) = delete;
    Keeper& operator=(const Keeper&) = delete;

    // Adds the containers that came through the API and the engine's, and makes the kernel match; blocks meanwhile.
    // From then on it follows the engine. False, with the reason in the log, when the kernel refuses.
    bool start();

    // All of it, or nothing and why: in memory, in the kernel and on disk. It goes on to its end if the caller is
    // cancelled. Those that come while one is being made are made together, and fail each by itself.
    boost::asio::awaitable<std::expected<Changed, Faults>> change(api::Transaction transaction);
    // Reads the configuration again. Refused, the old one stays in force.
    boost::asio::awaitable<std::expected<Changed, Faults>> reload();

    Enforcer& enforcer() { return enforcer_; }
    EventLog& events() { return events_; }
    const Desired& desired() const { return desired_; }
    const std::string& file() const { return file_; }
    kernel::Kernel& kernel() { return kernel_; }

    // How it is with the container engine; null when there is none to follow.
    const engine::Contact* engine() const { return watcher_ == nullptr ? nullptr : &watcher_->contact(); }

    // What the kernel has of each link now.
    std::vector<firewall::LinkCount> links();
    // Their number, and that of those which the kernel has. Their counters aren't read.
    struct LinkTotals {
        std::size_t desired = 0, installed = 0;
    };
    LinkTotals link_totals();

    // The disk is at work for it, and may be for long.
    bool waits_for_disk() const { return disk_.is_busy(); }

    const Counts& counts() const { return counts_; }
    Time loaded_at() const { return loaded_at_; }
    const std::optional<Trouble>& refused_configuration() const { return refused_configuration_; }
    const std::optional<Heal>& last_heal() const { return last_heal_; }
    const std::optional<Trouble>& last_error() const { return last_error_; }

private:
    using Answer = std::expected<Changed, Faults>;
    struct Request;
    struct Merged;
    using Requests = std::vector<std::shared_ptr<Request>>;
    boost::asio::awaitable<void> answer_requests();
    boost::asio::awaitable<void> carry_out(Requests requests);
    Merged plan(const Requests& requests);
    boost::asio::awaitable<Faults> make(Merged& merged);
    void made(Merged& merged, const Enforced& enforced, const engine::United& before);
    boost::asio::awaitable<std::expected<Changed, Faults>> reload_now();
    boost::asio::awaitable<std::expected<Changed, Faults>> replace(config::Loaded loaded);
    using Done = std::expected<void, std::string>;
    template <typename T>
    boost::asio::awaitable<T> on_disk(std::function<T()> work);
    boost::asio::awaitable<Done> prepare(state::StoredChange change);
    boost::asio::awaitable<Done> publish();
    boost::asio::awaitable<void> discard();

    // Link variables in files.
    struct Variables {
        std::string env_directory, cdi_directory;
        EnvTexts env = {};
        linkenv::CdiSpecification cdi = {};
    };
    Variables all_variables() const;
    std::vector<std::string> write(const Variables& variables);
    boost::asio::awaitable<void> write_variables(std::set<std::string> changed, Dependents dependents);
    boost::asio::awaitable<void> write_all_variables();
    void variables_written(const Variables& variables, std::vector<std::string> errors);

    // The container engine.
    void ask_engine();
    void follow_engine();
    void engine_contacted();
    void engine_changed();
    bool follows_configured_engine() const;
    void take_engine_news();
    boost::asio::awaitable<void> write_engines_variables();
    void report_complaints();

    Desired::Stored read_state();
    void set_aside(const std::vector<Desired::Conflict>& conflicts);
    Faults refuse(unsigned status, const std::string& code, const std::string& message);
    Faults refuse_configuration(unsigned status, const std::string& code, std::vector<std::string> errors);
    void applied(const std::string& reason, const Enforced& enforced, config::LogLevel level = config::LogLevel::info);
    void healed(const Cause& cause, const Enforced& enforced);
    void failed(const Cause& cause, const std::string& error);
    void trouble(std::vector<std::string> messages);
    void publish_links(const std::vector<LinkChange>& changes, std::string_view by, const std::string& reason);
    void publish_bridges();

    boost::asio::any_io_executor executor_;
    kernel::Kernel& kernel_;
    std::string file_;
    Desired desired_;
    EventLog events_;
    Enforcer enforcer_;
    state::Store store_;
    EnvFiles env_files_;
    CdiFile cdi_file_;
    std::shared_ptr<engine::Watcher> watcher_;
    bool has_engine_news_ = false;             // that somebody is about to take
    std::set<std::string> changed_by_engine_;  // whose variables are to be written
    bool writes_engines_variables_ = false;    // somebody is about to
    std::vector<engine::Complaint> known_complaints_;
    Turn turn_;
    Requests requests_;              // not yet begun
    bool answers_requests_ = false;  // somebody is at it
    bool variables_whole_ = true;    // false: some files could not be written
    struct {
        std::vector<firewall::LinkCount> counts;
        std::chrono::steady_clock::time_point read;
        std::uint32_t generation = 0;
        Time loaded;
    } links_;              // as they were read last
    std::string failing_;  // what the kernel is being asked for again and again, and says
    Counts counts_;
    Time loaded_at_;
    std::optional<Trouble> refused_configuration_;
    std::optional<Heal> last_heal_;
    std::optional<Trouble> last_error_;
    std::vector<reconcile::BridgeState> known_bridges_;
    std::vector<std::string> known_warnings_;
    state::Disk disk_;  // last: its thread ends before what it works on
};

}  // namespace nftlink::service
