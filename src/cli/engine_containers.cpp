// The containers of the engine that a configuration names, where no service is to be asked.
#include <fmt/format.h>

#include "configuration.hpp"
#include "nftlink/engine/client.hpp"

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
        return std::unexpected(
            fmt::format("the container engine at {} cannot be asked: {}", socket, inventory.error()));
    return inventory;
}

}  // namespace

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
