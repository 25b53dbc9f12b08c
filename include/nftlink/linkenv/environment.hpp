// The environment that a link gives its parent: Docker's own variables, in three dialects.
//
// Pure and free of netlink and YAML; installed as a library of its own (pkg-config nftlink-linkenv).
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nftlink/model/environment_options.hpp"
#include "nftlink/model/topology.hpp"

namespace nftlink::linkenv {

struct Variable {
    std::string name;
    std::string value;

    bool operator==(const Variable&) const = default;
};

// The things that were left out or may surprise, and the remedy.
struct Warning {
    std::string links;  // whose variables: `link /web/db`, or two that meet
    std::string text;   // the same for every link that it holds for, of whichever parent

    // `link /web/db: …`
    std::string to_string() const;
    bool operator==(const Warning&) const = default;
};

struct Environment {
    std::vector<Variable> variables;  // in Docker's order
    std::vector<Warning> warnings;
};

// The variables of one link. The parent must be in the topology and the link among its links. A link that waits has
// what is known: nothing where its child isn't there, none of its ports where no address of the child's can be reached.
Environment link_environment(const model::Container& parent, const model::Link& link, const model::Topology& topology,
                             const model::EnvironmentOptions& options);

// The variables of all links of a parent, in the order of its links. A name that the parent's own environment has is
// left out; a name that two links give stands once, with the first link's value and a warning.
Environment environment(const model::Container& parent, const model::Topology& topology,
                        const model::EnvironmentOptions& options);

// The ways to tell a parent the addresses of its links' children:
//   hosts   `ADDRESS<TAB>alias child-name`, a line of hosts(5) for each link
//   docker  `--add-host=NAME:ADDRESS`, a word of `docker run` for each alias and each child's name, on lines of their
//   own
enum class HostsFormat { hosts, docker };

std::optional<HostsFormat> parse_hosts_format(std::string_view text);

// In the order of its links, each line once and ended by a newline. A link whose child isn't there, or has no address
// on a bridge of the parent's, has none.
std::string hosts(const model::Container& parent, const model::Topology& topology,
                  HostsFormat format = HostsFormat::hosts);

enum class Format { env, shell, json, null };

std::optional<Format> parse_format(std::string_view text);

// The variables as text:
//   env    KEY=VALUE lines, as `docker run --env-file` reads them; refuses a value with a newline
//   shell  export KEY='VALUE' lines, safe to eval whatever the value; refuses a name that is no shell identifier
//   json   one object, its members in order, and a newline
//   null   KEY=VALUE ended by NUL bytes, as `xargs -0` and `env -0` have it
// The error names the variable and a format or dialect that can carry it.
std::expected<std::string, std::string> format(const std::vector<Variable>& variables, Format format);

}  // namespace nftlink::linkenv
