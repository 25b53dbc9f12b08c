// The verbs. Each says what it has to say to the report and gives the exit status.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nftlink/linkenv/environment.hpp"
#include "report.hpp"

namespace nftlink::cli {

// What was asked for on the command line.
struct Request {
    std::string file = "/etc/nftlink/nftlink.yaml";
    bool json = false;
    std::string container;
    linkenv::Format format = linkenv::Format::env;
    std::optional<model::Dialect> dialect;
    std::vector<std::string> command;  // of run
};

// On the configuration alone.
int check(const Request& request, Report& report);
int env(const Request& request, Report& report);
int hosts(const Request& request, Report& report);
// Returns only when the command could not be started.
int run_command(const Request& request, Report& report);

// On the kernel; render only looks at what it can do.
int render(const Request& request, Report& report);
int plan(const Request& request, Report& report);
int apply(const Request& request, Report& report);
int clear(const Request& request, Report& report);

}  // namespace nftlink::cli
