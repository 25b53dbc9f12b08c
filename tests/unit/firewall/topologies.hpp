// Small topologies, for tests.
#pragma once

#include <string>
#include <vector>

#include "nftlink/model/topology.hpp"

namespace nftlink::firewall {

inline model::Container container(const std::string& name, std::vector<model::Network> networks,
                                  const std::vector<std::string>& expose = {}, std::vector<model::Link> links = {}) {
    model::Container made;
    made.name = name;
    made.networks = std::move(networks);
    for (const std::string& text : expose) {
        const auto ports = model::parse_ports(text).value();
        made.expose.insert(made.expose.end(), ports.begin(), ports.end());
    }
    made.links = std::move(links);
    return made;
}

inline model::Network on(const std::string& bridge, const std::vector<std::string>& addresses) {
    model::Network made{bridge, {}};
    for (const std::string& address : addresses)
        made.addresses.push_back(model::Address::parse(address).value());
    return made;
}

inline model::Topology topology(const std::vector<model::Container>& containers) {
    model::Topology made;
    for (const model::Container& one : containers)
        made.containers[one.name] = one;
    return made;
}

// The seed's link, over both kinds of addresses.
inline model::Topology seed() {
    return topology({container("redis", {on("docker0", {"172.17.0.2", "fd00::2"})}, {"6379/tcp"}),
                     container("client", {on("docker0", {"172.17.0.3", "fd00::3"})}, {}, {{"redis", "db"}})});
}

}  // namespace nftlink::firewall
