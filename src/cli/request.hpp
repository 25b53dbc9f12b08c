// The wish on the command line, read into values.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "new_container.hpp"
#include "nftlink/linkenv/environment.hpp"

namespace nftlink::cli {

// Each field is of the verbs that it says.
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

}  // namespace nftlink::cli
