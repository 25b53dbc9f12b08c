#include "nftlink/service/service.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "daemon.hpp"
#include "log.hpp"
#include "nftlink/config/load.hpp"
#include "nftlink/kernel/netlink_kernel.hpp"

namespace nftlink::service {

namespace {

constexpr int wrong_usage = 64;

int serve(const std::string& file) {
    auto loaded = config::load(file);
    if (!loaded) {
        for (const base::Error& error : loaded.error())
            std::fprintf(stderr, "%s\n", error.to_string().c_str());
        return 1;
    }
    set_up_log(loaded->config.log);
    for (const base::Error& warning : loaded->warnings)
        log(config::LogLevel::warning, warning.to_string());
    const auto kernel = kernel::make_netlink_kernel();
    return Daemon(*kernel, file, std::move(*loaded)).run();
}

}  // namespace

int run(int argc, char** argv) {
    CLI::App app("Keeps container links in force in nftables, as a YAML configuration says.", "nftlinkd");
    std::string file = "/etc/nftlink/nftlink.yaml";
    app.add_option("-c", file, "The configuration; conf.d/*.yaml beside it is read too")
        ->type_name("FILE")
        ->capture_default_str();
    app.set_version_flag("--version", "nftlinkd " NFTLINK_VERSION);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : wrong_usage;
    }
    try {
        return serve(file);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "nftlinkd: %s\n", error.what());
        return 1;
    }
}

}  // namespace nftlink::service
