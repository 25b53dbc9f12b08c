// The section `containers`: each container by itself. How they fit together is checked in topology_checks.hpp.
#pragma once

#include <vector>

#include "nftlink/model/fit.hpp"
#include "nftlink/model/topology.hpp"
#include "node.hpp"
#include "report.hpp"

namespace nftlink::config {

// A container as the configuration states it, and the places of what other containers may contradict.
struct StatedContainer {
    Place place;  // its name
    model::Container value;
    std::vector<Place> addresses;  // of each address, network after network
    std::vector<Place> links;      // of each link
    bool placed = false;           // it has bridges and addresses, free of errors and all there
    bool sound = false;            // all of it is
};

// In the order given; also those with errors, so that links to them aren't called unknown.
std::vector<StatedContainer> read_containers(const Node& section, model::Unplaced unplaced, Report& report);

}  // namespace nftlink::config
