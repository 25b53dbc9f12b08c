// The container engine that the configuration names, if it names one.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>

#include "nftlink/desired/state.hpp"
#include "nftlink/engine/watcher.hpp"
#include "reporter.hpp"

namespace nftlink::service {

class EngineFollower {
public:
    // The reporter must outlive it.
    EngineFollower(boost::asio::any_io_executor executor, Reporter& reporter);
    ~EngineFollower();
    EngineFollower(const EngineFollower&) = delete;
    EngineFollower& operator=(const EngineFollower&) = delete;

    // The engine's inventory, asked for once, before it is followed; null, with the reason in the log, when it doesn't
    // answer soon. Blocks.
    desired::State::Inventory ask(const desired::State& state);

    // Follows the engine of that configuration from now on, and leaves any other. `changed` is called when there is a
    // new inventory, not from within a call of this class. The state must live, and be that one, until the next call.
    void follow(const desired::State& state, std::function<void()> changed);

    // The engine's inventory; null when it isn't the one that this state names, or hasn't said anything yet.
    desired::State::Inventory inventory(const desired::State& state) const;
    // The contact with the engine; null when there is none to follow.
    const engine::Contact* contact() const { return watcher_ == nullptr ? nullptr : &watcher_->contact(); }

private:
    void leave();
    bool is_followed(const desired::State& state) const;

    boost::asio::any_io_executor executor_;
    Reporter& reporter_;
    std::shared_ptr<engine::Watcher> watcher_;
};

}  // namespace nftlink::service
