// The containers of the engine that a configuration names, where no service is to be asked.
#include <fmt/format.h>

#include "configuration.hpp"
#include "nftlink/engine/client.hpp"

namespace nftlink::cli {

namespace {

engine::United unite(const config::Loaded& loaded, const engine::Inventory& inventory) {
    const auto origin = [&](std::string_view container) {
        const auto place = loaded.places.find(container);
        return place != loaded.places.end() ? place->second.to_string() : "given through the API";
    };
    return engine::unite(loaded.config.topology, loaded.config.firewall, loaded.config.limits, inventory, origin,
                         "the engine at " + loaded.config.sources.docker.value_or(config::DockerSource{}).socket);
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

std::optional<engine::United> ask_engine(const config::Loaded& loaded, Report& report) {
    const auto inventory = fetch(loaded);
    if (inventory)
        return unite(loaded, *inventory);
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
    engine::United united = unite(loaded, inventory.value_or(engine::Inventory{}));
    for (const engine::Complaint& complaint : united.complaints)
        report.warn(complaint.message);
    loaded.config.topology = std::move(united.topology);
    return inventory.has_value();
}

model::Topology without_engine(const config::Loaded& loaded) {
    return loaded.config.sources.docker ? unite(loaded, {}).topology : loaded.config.topology;
}

}  // namespace nftlink::cli
