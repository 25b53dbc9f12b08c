#include "engine_follower.hpp"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <utility>

#include "log.hpp"
#include "nftlink/engine/client.hpp"

namespace nftlink::service {

namespace {

// The start waits so long for an engine: when systemd starts one and waits for us, it won't answer.
constexpr std::chrono::milliseconds start_patience{2000};

}  // namespace

EngineFollower::EngineFollower(boost::asio::any_io_executor executor, Reporter& reporter)
    : executor_(std::move(executor)), reporter_(reporter) {}

EngineFollower::~EngineFollower() {
    leave();
}

desired::State::Inventory EngineFollower::ask(const desired::State& state) {
    auto inventory = engine::fetch(state.config().sources.docker->socket, start_patience);
    if (inventory)
        return std::make_shared<const engine::Inventory>(std::move(*inventory));
    log(config::LogLevel::warning,
        fmt::format("{}: {}; its links are not in force until it answers", state.engine_name(), inventory.error()));
    return nullptr;
}

void EngineFollower::leave() {
    if (watcher_ != nullptr)
        watcher_->stop();
    watcher_.reset();
}

void EngineFollower::follow(const desired::State& state, std::function<void()> changed) {
    leave();
    if (!state.has_engine())
        return;
    const auto contacted = [this, &state] {
        if (is_followed(state))
            reporter_.engine_contacted(state.engine_name(), watcher_->socket(), watcher_->contact(),
                                       state.inventory() != nullptr);
    };
    // News that come in one go are one change.
    const auto is_told = std::make_shared<bool>(false);
    const auto tell = [this, changed = std::move(changed), is_told] {
        if (std::exchange(*is_told, true))
            return;
        boost::asio::post(executor_, [changed, is_told, watcher = watcher_] {
            *is_told = false;
            if (!watcher->is_stopped())
                changed();
        });
    };
    watcher_ = std::make_shared<engine::Watcher>(executor_, state.config().sources.docker->socket,
                                                 engine::Watcher::Listener{tell, contacted}, engine::Watcher::Pauses{});
    watcher_->start();
}

bool EngineFollower::is_followed(const desired::State& state) const {
    return watcher_ != nullptr && state.has_engine() && state.config().sources.docker->socket == watcher_->socket();
}

desired::State::Inventory EngineFollower::inventory(const desired::State& state) const {
    if (!is_followed(state) || !watcher_->has_inventory())
        return nullptr;
    return std::make_shared<const engine::Inventory>(watcher_->inventory());
}

}  // namespace nftlink::service
