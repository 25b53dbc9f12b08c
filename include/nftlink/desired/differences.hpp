// The differences between two topologies.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "nftlink/desired/edit.hpp"

namespace nftlink::desired {

// Those removed come first.
std::vector<LinkChange> link_changes(const model::Topology& before, const model::Topology& after);

// The containers that are in one of them alone, or another one in each.
void add_changed(const model::Topology& before, const model::Topology& after, std::set<std::string>& names);

// Containers as they were in that topology; both must outlive it.
Before those_before(const model::Topology& before, const std::set<std::string>& names);

}  // namespace nftlink::desired
