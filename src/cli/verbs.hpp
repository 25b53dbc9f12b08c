// The verbs. Each says what it has to say to the report and gives the exit status.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "new_container.hpp"
#include "nftlink/linkenv/environment.hpp"
#include "report.hpp"

namespace nftlink::cli {

// What was asked for on the command line; each field is of the verbs that it says.
struct Request {
    std::string file = "/etc/nftlink/nftlink.yaml";
    bool json = false;
    std::string container;  // env, hosts, run; add, rm
    linkenv::Format format = linkenv::Format::env;
    linkenv::HostsFormat hosts_format = linkenv::HostsFormat::hosts;
    std::optional<model::Dialect> dialect;
    std::vector<std::string> command;  // run
    bool force = false;                // apply, clear
    std::string parent;                // link, unlink
    std::string alias;
    std::string child;                          // link
    NewContainer added;                         // add
    std::chrono::duration<double> interval{1};  // top
    std::optional<std::size_t> count;
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

// Of the service.
int status(const Request& request, Report& report);
int list(const Request& request, Report& report);
int link(const Request& request, Report& report);
int unlink(const Request& request, Report& report);
int add(const Request& request, Report& report);
int rm(const Request& request, Report& report);
int reload(const Request& request, Report& report);
// Until they are told to end.
int monitor(const Request& request, Report& report);
int top(const Request& request, Report& report);

}  // namespace nftlink::cli
