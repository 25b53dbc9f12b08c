#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "configuration.hpp"
#include "nftlink/config/fragment.hpp"

namespace nftlink::cli {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view suffix = ".yaml";

std::map<std::string, model::Container, std::less<>> read_containers(const fs::path& folder, Report& report,
                                                                     std::error_code& error) {
    std::map<std::string, model::Container, std::less<>> containers;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        const std::string file = entry->path().filename().string();
        if (file.starts_with('.') || !file.ends_with(suffix))
            continue;
        const std::string name = file.substr(0, file.size() - suffix.size());
        std::ifstream stream(entry->path(), std::ios::binary);
        auto parsed = config::parse_container({entry->path().string(), {std::istreambuf_iterator<char>(stream), {}}},
                                              name, config::Unplaced::allowed);
        if (parsed)
            containers.emplace(name, std::move(*parsed));
        else
            for (const base::Error& fault : parsed.error())
                report.warn(fault);
    }
    return containers;
}

}  // namespace

bool add_stored_containers(config::Loaded& loaded, Report& report) {
    const fs::path folder = fs::path(loaded.config.state.directory) / "containers";
    std::error_code error;
    auto stored = read_containers(folder, report, error);
    if (error == std::errc::no_such_file_or_directory)
        error.clear();
    if (error) {
        report.fail(
            fmt::format("cannot read {}, where nftlinkd keeps its containers: {}", folder.string(), error.message()));
        return false;
    }
    const config::Joined joined = config::join(
        loaded.config.topology, loaded.config.firewall, loaded.places, std::move(stored),
        loaded.config.sources.docker ? config::Unplaced::allowed : config::Unplaced::refused, loaded.config.limits);
    for (const auto& [container, message, is_of_limits] : joined.conflicts)
        report.fail(
            fmt::format("a reload would be refused: {} (nftlink rm {} removes that container)", message, container));
    for (const auto& [parent, link] : joined.ended)
        report.warn(fmt::format("link {} would end: its child is gone", model::link_name(parent, link.alias)));
    return joined.conflicts.empty();
}

}  // namespace nftlink::cli
