#include "configuration.hpp"

#include <fmt/format.h>

#include "nftlink/config/load.hpp"
#include "nftlink/engine/client.hpp"
#include "nftlink/state/stored.hpp"

namespace nftlink::cli {

namespace {

desired::State unite(const config::Loaded& loaded, engine::Inventory inventory) {
    desired::State state(std::make_shared<const config::Loaded>(loaded));
    state.set_inventory(std::make_shared<const engine::Inventory>(std::move(inventory)));
    return state;
}

std::expected<engine::Inventory, std::string> fetch(const config::Loaded& loaded) {
    constexpr std::chrono::seconds patience{10};
    const std::string& socket = loaded.config.sources.docker->socket;
    auto inventory = engine::fetch(socket, patience);
    if (!inventory)
        return std::unexpected(fmt::format("no answer from the container engine at {}: {}", socket, inventory.error()));
    return inventory;
}

}  // namespace

std::optional<config::Loaded> load(const Request& request, Report& report) {
    auto loaded = config::load(request.file, config::Hashed::no);
    if (loaded)
        return std::move(*loaded);
    for (const base::Error& error : loaded.error())
        report.fail(error);
    return {};
}

void say_warnings(const config::Loaded& loaded, Report& report) {
    for (const base::Error& warning : loaded.warnings)
        report.warn(warning);
}

bool add_stored_containers(config::Loaded& loaded, Report& report) {
    const std::string& directory = loaded.config.state.directory;
    const auto contents = state::read_contents(directory);
    if (!contents) {
        report.fail(fmt::format("the containers that nftlinkd keeps can't be read: {}", contents.error()));
        return false;
    }
    state::Stored stored = state::parse(directory, *contents);
    for (const std::string& error : stored.errors)
        report.warn(error);
    for (const auto& [container, errors] : stored.damaged)
        for (const base::Error& error : errors)
            report.warn(error);
    desired::State state(std::make_shared<const config::Loaded>(loaded));
    const desired::State::Joined joined = state.add(std::move(stored.containers));
    for (const auto& [container, message, is_of_limits] : joined.conflicts)
        report.fail(
            fmt::format("a reload would be refused: {} (nftlink rm {} removes that container)", message, container));
    for (const std::string& link : joined.ended_links)
        report.warn(fmt::format("a reload would end link {}: its child is gone", link));
    loaded.config.topology = state.stated();
    return joined.conflicts.empty();
}

std::optional<desired::State> ask_engine(const config::Loaded& loaded, Report& report) {
    auto inventory = fetch(loaded);
    if (inventory)
        return unite(loaded, std::move(*inventory));
    report.fail(inventory.error());
    return {};
}

bool add_engine_containers(config::Loaded& loaded, Report& report, EngineGone gone) {
    if (!loaded.config.sources.docker)
        return true;
    const auto inventory = fetch(loaded);
    if (!inventory && gone == EngineGone::refused)
        report.fail(inventory.error());
    else if (!inventory)
        report.warn(inventory.error() + "; its containers are left out");
    const desired::State state = unite(loaded, inventory.value_or(engine::Inventory{}));
    for (const desired::Complaint& complaint : state.complaints())
        report.warn(complaint.message);
    loaded.config.topology = state.topology();
    return inventory.has_value();
}

model::Topology without_engine(const config::Loaded& loaded) {
    return loaded.config.sources.docker ? unite(loaded, {}).topology() : loaded.config.topology;
}

}  // namespace nftlink::cli
