// Everything that changes what is wanted, one after the other: the start, a reload, the control API's transactions, and
// what the container engine says.
//
// A change goes one way: it is prepared on disk, made in memory, put into force in the kernel, published on disk, told,
// and written to the files with link variables. What fails, or throws, before it is published is taken back in the
// reverse order. What the engine says has happened: it is taken in between, without a disk to wait for, and is never
// taken back.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <expected>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "change_request.hpp"
#include "engine_follower.hpp"
#include "nftlink/api/requests.hpp"
#include "nftlink/config/config.hpp"
#include "nftlink/desired/draft.hpp"
#include "nftlink/desired/state.hpp"
#include "nftlink/enforce/enforcer.hpp"
#include "nftlink/state/journal.hpp"
#include "repairs.hpp"
#include "reporter.hpp"
#include "variable_files.hpp"

namespace nftlink::service {

class Changes {
public:
    struct Parts {
        enforce::Enforcer& enforcer;
        Repairs& repairs;
        state::Journal& journal;
        Reporter& reporter;
        VariableFiles& variables;
        EngineFollower& engine;
    };

    // The parts must outlive it.
    Changes(boost::asio::any_io_executor executor, const Parts& parts, std::string file, config::Loaded loaded);

    // Adds the containers that came through the API and the engine's (null: not known yet), and makes the kernel match.
    // From then on the engine is followed. False, with the reason in the log, when it can't be.
    boost::asio::awaitable<bool> start(desired::State::Inventory inventory);

    // All of it, or nothing and why. It goes on to its end if the caller is cancelled. Those that come while one is
    // being made are made together, and fail each by itself.
    boost::asio::awaitable<Answer> change(api::Transaction transaction);
    // Reads the configuration again. Refused, the old one stays in force.
    boost::asio::awaitable<Answer> reload();

    const desired::State& state() const { return state_; }
    const std::string& file() const { return file_; }
    Time loaded_at() const { return loaded_at_; }

private:
    struct Proposal;
    struct Undo;
    using Made = std::expected<enforce::Enforced, api::Fault>;
    template <typename T>
    using Awaitable = boost::asio::awaitable<T>;

    Awaitable<Answer> ask(std::shared_ptr<ChangeRequest> request);
    void wake();
    Awaitable<void> work();
    Awaitable<void> serve(Requests requests);
    Awaitable<void> change_together(Requests requests);
    Awaitable<Answer> reload_now();
    Awaitable<Answer> replace(config::Loaded loaded);
    Awaitable<void> write(Awaitable<void> files);
    api::Faults refuse(api::Code code, const base::Errors& errors);

    Awaitable<Made> carry_out(Proposal proposal, Undo& undo);
    Awaitable<Made> make(Proposal proposal, Undo& undo);
    Awaitable<void> take_back(Undo undo);
    std::expected<enforce::Enforced, std::string> adopt(const Undo& undo);
    template <typename T>
    Awaitable<T> on_disk(Awaitable<T> operation);
    template <typename T>
    Awaitable<T> meanwhile(Awaitable<T> operation);

    enforce::Goal goal() const { return {&state_.topology(), &state_.config().firewall}; }
    void engine_changed();
    void take_news();
    void keep_trying();
    void set_aside(const std::vector<desired::Conflict>& conflicts);

    boost::asio::any_io_executor executor_;
    Parts parts_;
    std::string file_;
    desired::State state_;
    Time loaded_at_;
    RequestQueue requests_;
    std::set<std::string> changed_by_engine_;  // containers whose variables are to be written
    bool has_news_ = false;                    // of the engine
    bool is_at_work_ = false;                  // the one writer
    boost::asio::steady_timer wake_;           // cancelled when the writer, who waits for the disk, has something to do
};

}  // namespace nftlink::service
