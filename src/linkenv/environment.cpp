#include "nftlink/linkenv/environment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "identifier.hpp"
#include "nftlink/base/suggestion.hpp"
#include "ports.hpp"

namespace nftlink::linkenv {

namespace {

using model::Container;
using model::Dialect;
using model::EnvironmentOptions;
using model::Ip;
using model::Link;
using model::Topology;

char upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

std::string make_prefix(std::string alias, Dialect dialect) {
    std::ranges::transform(alias, alias.begin(), upper);
    if (dialect != Dialect::docker_0_10)
        std::ranges::replace(alias, '-', '_');
    return alias;
}

// True if a container has, or may still get, such addresses there.
bool may_have(const model::Network& network, Ip ip) {
    return network.addresses.empty() ||
           std::ranges::find(network.addresses, ip, &model::Address::ip) != network.addresses.end();
}

// The child's first IPv4 address that the parent may reach from one of its kind, else its first IPv6 one.
std::optional<model::Address> address_of(const Container& child, const Container& parent) {
    std::set<std::pair<const model::Network*, Ip>> reachable;  // the child's networks
    model::for_each_way(parent, child, [&](const model::Network& from, const model::Network& to) {
        for (const Ip ip : model::both_ips)
            if (may_have(from, ip))
                reachable.emplace(&to, ip);
    });
    for (const Ip ip : model::both_ips)
        for (const model::Network& network : child.networks)
            if (reachable.contains({&network, ip}))
                for (const model::Address& address : network.addresses)
                    if (address.ip() == ip)
                        return address;
    return {};
}

// The variables of one link, as they are put together.
class LinkVariables {
public:
    LinkVariables(const Container& parent, const Link& link, const EnvironmentOptions& options)
        : parent_(parent), link_(link), options_(options), prefix_(make_prefix(link.alias, options.dialect)) {}

    void add_ports(const std::vector<model::Port>& exposed, const model::Address& address) {
        const std::string bare = address.to_string();
        const std::string host = address.ip() == Ip::v4 ? bare : "[" + bare + "]";
        const auto ports = ordered(exposed, options_.dialect);
        if (ports.empty())
            return;
        add(prefix_ + "_PORT", url(ports.front(), host));
        for (const model::Port& port : ports) {
            const std::string name = port_name(port);
            add(name, url(port, host));
            add(name + "_ADDR", bare);
            add(name + "_PORT", fmt::to_string(port.number));
            add(name + "_PROTO", std::string(model::to_string(port.protocol)));
        }
        for (const Run& run : runs(exposed, options_.dialect)) {
            const std::string name = port_name(run.first);
            add(name + "_START", url(run.first, host));
            add(name + "_END", url(run.last, host));
            add(name + "_PORT_START", fmt::to_string(run.first.number));
            add(name + "_PORT_END", fmt::to_string(run.last.number));
        }
    }

    void add_name() { add(prefix_ + "_NAME", model::link_name(parent_.name, link_.alias)); }

    void add_child_environment(const std::vector<std::string>& entries) {
        if (!options_.child_environment)
            return;
        for (const std::string& entry : entries)
            add_child_variable(entry);
    }

    // A name that a shell has no word for is no error, only hard to use.
    void check_prefix() {
        if (is_identifier(prefix_))
            return;
        const bool dialect_helps = is_identifier(make_prefix(link_.alias, Dialect::docker_27));
        warn(fmt::format("the variables' prefix {} is no shell identifier: {}", prefix_,
                         dialect_helps ? "dialects docker-27 and docker-28 write _ for -"
                                       : "a shell cannot name them; choose another alias, or read them with --format "
                                         "json or null"));
    }

    Environment take() { return std::move(environment_); }

private:
    void add(std::string name, std::string value) {
        environment_.variables.push_back({std::move(name), std::move(value)});
    }

    void warn(std::string text) {
        environment_.warnings.push_back({"link " + model::link_name(parent_.name, link_.alias), std::move(text)});
    }

    static std::string url(const model::Port& port, const std::string& host) {
        return fmt::format("{}://{}:{}", model::to_string(port.protocol), host, port.number);
    }

    std::string port_name(const model::Port& port) const {
        std::string protocol(model::to_string(port.protocol));
        std::ranges::transform(protocol, protocol.begin(), upper);
        return fmt::format("{}_PORT_{}_{}", prefix_, port.number, protocol);
    }

    void add_child_variable(const std::string& entry) {
        const std::size_t equals = entry.find('=');
        const std::string name = entry.substr(0, equals);
        if (name == "HOME" || name == "PATH")
            return;
        if (equals == std::string::npos) {
            warn(fmt::format("variable {} of {} has no value and is left out", base::escape(name), link_.child));
            return;
        }
        if (options_.dialect == Dialect::docker_0_10 && entry.find('=', equals + 1) != std::string::npos) {
            warn(
                fmt::format("variable {} of {} is left out, since its value has a =: dialects docker-27 and "
                            "docker-28 keep it",
                            base::escape(name), link_.child));
            return;
        }
        add(fmt::format("{}_ENV_{}", prefix_, name), entry.substr(equals + 1));
    }

    const Container& parent_;
    const Link& link_;
    const EnvironmentOptions& options_;
    std::string prefix_;
    Environment environment_;
};

}  // namespace

std::string Warning::to_string() const {
    return links + ": " + text;
}

Environment link_environment(const Container& parent, const Link& link, const Topology& topology,
                             const EnvironmentOptions& options) {
    LinkVariables variables(parent, link, options);
    const Container* child = topology.find(link.child);
    if (child == nullptr)
        return {};
    variables.check_prefix();
    if (const auto address = address_of(*child, parent))
        variables.add_ports(child->expose, *address);
    variables.add_name();
    variables.add_child_environment(child->environment);
    return variables.take();
}

Environment environment(const Container& parent, const Topology& topology, const EnvironmentOptions& options) {
    Environment all;
    // The child that gives a name; null is the parent itself.
    std::map<std::string, const Link*> givers;
    std::map<std::string, const Link*> prefixes;
    for (const std::string& entry : parent.environment)
        givers.emplace(entry.substr(0, entry.find('=')), nullptr);
    for (const Link& link : parent.links) {
        Environment one = link_environment(parent, link, topology, options);
        std::ranges::move(one.warnings, std::back_inserter(all.warnings));
        std::set<const Link*> rivals{prefixes.emplace(make_prefix(link.alias, options.dialect), &link).first->second};
        for (Variable& variable : one.variables) {
            const auto [giver, is_new] = givers.emplace(variable.name, &link);
            if (is_new)
                all.variables.push_back(std::move(variable));
            else
                rivals.insert(giver->second);
        }
        rivals.erase(nullptr);
        rivals.erase(&link);
        for (const Link* rival : rivals)
            all.warnings.push_back({fmt::format("links {} and {}", model::link_name(parent.name, rival->alias),
                                                model::link_name(parent.name, link.alias)),
                                    "they give variables of the same names, and those of the first win: choose another "
                                    "alias for one of them"});
    }
    return all;
}

std::string hosts(const Container& parent, const Topology& topology, HostsFormat format) {
    std::string lines;
    std::set<std::string> known;
    const auto add = [&](std::string line) {
        if (known.insert(line).second)
            lines += line + "\n";
    };
    for (const Link& link : parent.links) {
        const Container* child = topology.find(link.child);
        const auto address = child == nullptr ? std::nullopt : address_of(*child, parent);
        if (!address)
            continue;
        if (format == HostsFormat::hosts)
            add(fmt::format("{}\t{} {}", address->to_string(), link.alias, child->name));
        else
            for (const std::string& name : {link.alias, child->name})
                add(fmt::format("--add-host={}:{}", name, address->to_string()));
    }
    return lines;
}

}  // namespace nftlink::linkenv
