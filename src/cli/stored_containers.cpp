#include <fmt/format.h>

#include "configuration.hpp"
#include "nftlink/desired/state.hpp"
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
    desired::State state(std::make_shared<const config::Loaded>(loaded));
    const desired::State::Joined joined = state.add(std::move(stored.containers));
    for (const auto& [container, message, is_of_limits] : joined.conflicts)
        report.fail(
            fmt::format("a reload would be refused: {} (nftlink rm {} removes that container)", message, container));
    for (const std::string& link : joined.ended_links)
        report.warn(fmt::format("link {} would end: its child is gone", link));
    loaded.config.topology = state.stated();
    return joined.conflicts.empty();
}

}  // namespace nftlink::cli
