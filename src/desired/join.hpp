// Containers that came through the control API, beside those of the files.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "nftlink/base/error.hpp"
#include "nftlink/desired/edit.hpp"
#include "nftlink/model/fit.hpp"
#include "nftlink/model/limits.hpp"
#include "nftlink/model/policy.hpp"
#include "nftlink/model/topology.hpp"

namespace nftlink::desired {

// The result of joining containers to a topology.
struct Joined {
    std::vector<Conflict> conflicts;  // left out: they contradict what was there before, or one another
    // Taken off their parents: the child isn't there.
    std::vector<std::pair<std::string, model::Link>> ended;
};

// Adds containers that came through the control API to those of the configuration's files, whose places are given.
// Where all together are over the host's limit, that is a conflict of the last of them by name, and none is left out.
Joined join(model::Topology& topology, const model::FirewallPolicy& policy,
            const std::map<std::string, base::Position, std::less<>>& places,
            std::map<std::string, model::Container, std::less<>> more, model::Unplaced unplaced,
            const model::Limits& limits);

}  // namespace nftlink::desired
