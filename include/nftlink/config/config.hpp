// The configuration as values, and how it is read from YAML.
//
// Every key, its type and its default are in nftlink.yaml(5). A key of a later version is refused as not supported; its
// default value (`table_owner: false`) is accepted, since it asks for nothing.
#pragma once

#include <expected>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "nftlink/base/error.hpp"
#include "nftlink/model/environment_options.hpp"
#include "nftlink/model/limits.hpp"
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

// The users who may read through the control API; root and the group may write in any case.
enum class Readers { group, all };

struct ControlSettings {
    std::string socket = "/run/nftlink/nftlink.sock";  // absolute
    std::string group = "nftlink";
    Readers readers = Readers::group;

    bool operator==(const ControlSettings&) const = default;
};

struct StateSettings {
    std::string directory = "/var/lib/nftlink";  // absolute

    bool operator==(const StateSettings&) const = default;
};

// Docker's Engine API, which Podman speaks too.
struct DockerSource {
    std::string socket = "/run/docker.sock";  // absolute

    bool operator==(const DockerSource&) const = default;
};

// The others who know containers and links. With any of them, a container of the files may be without networks, and a
// link's child may be no container of the files.
struct Sources {
    std::optional<DockerSource> docker;

    bool operator==(const Sources&) const = default;
};

struct Config {
    model::FirewallPolicy firewall;
    OnExit on_exit = OnExit::keep;
    model::Topology topology;
    model::EnvironmentOptions env;
    std::string env_directory;  // absolute; empty: none
    std::string cdi_directory;  // absolute; empty: none
    Sources sources;
    model::Limits limits;
    ControlSettings control;
    StateSettings state;
    LogSettings log;

    bool operator==(const Config&) const = default;
};

// A configuration that holds, and what in it may surprise. Warnings are no errors.
struct Loaded {
    Config config;
    base::Errors warnings;
    std::map<std::string, base::Position, std::less<>> places;  // where each container is stated
    // The same for the same texts in the same order, whatever the files are called: a version 5 UUID, which has SHA-1
    // inside. Empty where it wasn't asked for.
    std::string hash;
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

}  // namespace nftlink::config
