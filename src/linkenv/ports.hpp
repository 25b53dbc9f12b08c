// The order of ports and the runs among them, as each dialect has them.
#pragma once

#include <vector>

#include "nftlink/model/environment_options.hpp"
#include "nftlink/model/port.hpp"

namespace nftlink::linkenv {

// Consecutive ports of one protocol.
struct Run {
    model::Port first;
    model::Port last;
};

std::vector<model::Port> ordered(std::vector<model::Port> ports, model::Dialect dialect);

// The runs that the dialect gives extra variables for.
std::vector<Run> runs(std::vector<model::Port> ports, model::Dialect dialect);

}  // namespace nftlink::linkenv
