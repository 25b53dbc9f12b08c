// What the keeper has to do with the container engine.
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <iterator>

#include "keeper.hpp"
#include "link_changes.hpp"
#include "log.hpp"
#include "nftlink/firewall/ownership.hpp"
#include "nftlink/firewall/transactions.hpp"

namespace nftlink::service {

namespace asio = boost::asio;
using config::LogLevel;

namespace {

// How long the start waits for an engine: when systemd starts one and waits for us, it won't answer.
constexpr std::chrono::milliseconds start_patience{2000};

bool has_rules_of_ours(kernel::Kernel& kernel, const std::string& name) {
    firewall::Wanted nothing;
    nothing.name = name;
    const nft::Ruleset have =
        kernel.snapshot([&](const nft::Table& table,
                            const nft::Ruleset& listing) { return firewall::is_relevant(table, listing, nothing); },
                        kernel::Elements::left_out);
    return std::ranges::any_of(have.tables, [&](const nft::Table& table) { return firewall::is_ours(table, name); });
}

}  // namespace

// Before the first application, so that links which are in the kernel stay there. Without any the engine's come as soon
// as it has answered.
void Keeper::ask_engine() {
    if (!desired_.has_engine() || !has_rules_of_ours(kernel_, desired_.config().firewall.table))
        return;
    auto inventory = engine::fetch(desired_.config().sources.docker->socket, start_patience);
    if (inventory)
        desired_.set_inventory(std::make_shared<const engine::Inventory>(std::move(*inventory)));
    else
        log(LogLevel::warning, fmt::format("{}: {}; its links are not in force until it answers",
                                           desired_.engine_name(), inventory.error()));
}

void Keeper::follow_engine() {
    if (watcher_ != nullptr)
        watcher_->stop();
    watcher_.reset();
    has_engine_news_ = false;
    if (!desired_.has_engine())
        return;
    watcher_ = std::make_shared<engine::Watcher>(
        executor_, desired_.config().sources.docker->socket,
        engine::Watcher::Listener{[this] { engine_changed(); }, [this] { engine_contacted(); }},
        engine::Watcher::Pauses{});
    watcher_->start();
}

// Not while a configuration with another engine, or none, is being put into force: its watcher comes with it.
bool Keeper::follows_configured_engine() const {
    return watcher_ != nullptr && desired_.has_engine() &&
           desired_.config().sources.docker->socket == watcher_->socket();
}

void Keeper::engine_contacted() {
    if (!follows_configured_engine())
        return;
    const engine::Contact& contact = watcher_->contact();
    const std::string name = desired_.engine_name();
    if (contact.connected)
        log(LogLevel::info, fmt::format("following {}: {}, API {}", name, contact.engine, contact.api));
    else
        trouble({fmt::format("{}: {}; {}", name, contact.error,
                             desired_.inventory() != nullptr ? "what it said last stays in force"
                                                             : "its links are not in force until it answers")});
    events_.publish("source", {{"source", "docker"},
                               {"socket", desired_.config().sources.docker->socket},
                               {"connected", contact.connected},
                               {"engine", contact.engine},
                               {"reason", contact.error}});
}

// What comes in one go is one change. It doesn't wait for a turn, as changes of others do that wait for the disk:
// a permission must not outlive its container for that.
void Keeper::engine_changed() {
    if (watcher_ == nullptr || std::exchange(has_engine_news_, true))
        return;
    asio::post(executor_, [this, watcher = watcher_] {
        if (watcher->is_stopped())
            return;
        has_engine_news_ = false;
        take_engine_news();
    });
}

void Keeper::take_engine_news() {
    if (!follows_configured_engine() || !watcher_->has_inventory())
        return;
    // The watcher's own, which is larger than what one wants to copy with each event.
    const engine::United before = desired_.set_inventory({watcher_, &watcher_->inventory()});
    report_complaints();
    add_changed(before.idle, desired_.idle(), changed_by_engine_);
    std::set<std::string> changed;
    add_changed(before.topology, desired_.topology(), changed);
    changed_by_engine_.insert(changed.begin(), changed.end());
    if (!changed.empty()) {
        const auto enforced = enforcer_.adopt(those_before(before.topology, changed));
        // It is a fact: there is nothing to go back to.
        if (enforced)
            applied(fmt::format("as {} says", desired_.engine_name()), *enforced, LogLevel::debug);
        else
            enforcer_.take_back();
        publish_links(link_changes(before.topology, desired_.topology()), "docker", "");
    }
    if (!changed_by_engine_.empty() && !std::exchange(writes_engines_variables_, true))
        asio::co_spawn(executor_, write_engines_variables(), [](std::exception_ptr) {});
}

asio::awaitable<void> Keeper::write_engines_variables() {
    const auto turn = co_await turn_.take();
    writes_engines_variables_ = false;
    co_await write_variables(std::exchange(changed_by_engine_, {}), Dependents::parents);
}

// Each is said once.
void Keeper::report_complaints() {
    std::vector<engine::Complaint> news;
    std::ranges::set_difference(desired_.complaints(), known_complaints_, std::back_inserter(news));
    known_complaints_ = desired_.complaints();
    for (const auto& [container, message] : news) {
        log(LogLevel::warning, message);
        events_.publish("conflict", {{"container", container}, {"message", message}});
    }
}

}  // namespace nftlink::service
