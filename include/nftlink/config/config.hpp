// The configuration as values, and how it is read from YAML.
//
// Every key, its type and its default are in nftlink.yaml(5). A key of a later version is refused as not supported; its
// default value (`attach: []`, `table_owner: false` …) is accepted, since it asks for nothing.
#pragma once

#include <cstddef>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "nftlink/base/error.hpp"
#include "nftlink/model/environment_options.hpp"
#include "nftlink/model/policy.hpp"
#include "nftlink/model/topology.hpp"

namespace nftlink::config {

enum class OnExit { keep, remove };
enum class LogLevel { debug, info, warning, error };
enum class LogFormat { text, json };

struct LogSettings {
    LogLevel level = LogLevel::info;
    LogFormat format = LogFormat::text;

    bool operator==(const LogSettings&) const = default;
};

struct Config {
    model::FirewallPolicy firewall;
    OnExit on_exit = OnExit::keep;
    model::Topology topology;
    model::EnvironmentOptions env;
    LogSettings log;

    bool operator==(const Config&) const = default;
};

// A configuration that holds, and what in it may surprise. Warnings are no errors.
struct Loaded {
    Config config;
    base::Errors warnings;
};

// One YAML text and the name it has in messages.
struct Source {
    std::string name;
    std::string text;
};

// All errors of all sources at once, in the order of source, line and column; never a part of a configuration. Columns
// count characters. An error of a file as a whole has line 0 and comes after its others.
using Result = std::expected<Loaded, base::Errors>;

// Merges the sources in their order: maps merge, the same container or setting given twice is an error naming both
// places.
Result parse(const std::vector<Source>& sources);

// Reads `file`, then conf.d/*.yaml beside it in name order. A missing or unreadable file is an error of that file.
Result load(const std::filesystem::path& file);

}  // namespace nftlink::config
