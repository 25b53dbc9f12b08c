#include <fmt/format.h>

#include "configuration.hpp"
#include "nftlink/config/fragment.hpp"
#include "nftlink/state/stored.hpp"

namespace nftlink::cli {

bool add_stored_containers(config::Loaded& loaded, Report& report) {
    const std::string& directory = loaded.config.state.directory;
    const auto contents = state::read_contents(directory);
    if (!contents) {
        report.fail(fmt::format("the containers of nftlinkd: {}", contents.error()));
        return false;
    }
    state::Stored stored = state::parse(directory, *contents);
    for (const std::string& error : stored.errors)
        report.warn(error);
    for (const auto& [container, errors] : stored.damaged)
        for (const base::Error& error : errors)
            report.warn(error);
    const config::Joined joined = config::join(
        loaded.config.topology, loaded.config.firewall, loaded.places, std::move(stored.containers),
        loaded.config.sources.docker ? config::Unplaced::allowed : config::Unplaced::refused, loaded.config.limits);
    for (const auto& [container, message, is_of_limits] : joined.conflicts)
        report.fail(
            fmt::format("a reload would be refused: {} (nftlink rm {} removes that container)", message, container));
    for (const auto& [parent, link] : joined.ended)
        report.warn(fmt::format("link {} would end: its child is gone", model::link_name(parent, link.alias)));
    return joined.conflicts.empty();
}

}  // namespace nftlink::cli
