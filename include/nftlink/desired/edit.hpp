// A change of what is wanted, as a value.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "nftlink/model/topology.hpp"

namespace nftlink::desired {

// Containers as they are to be; nothing: deleted.
using Containers = std::map<std::string, std::optional<model::Container>, std::less<>>;
// Containers as they were; null: not there.
using Before = std::map<std::string_view, const model::Container*>;

struct LinkChange {
    std::string parent;
    model::Link link;
    bool added = false;

    bool operator==(const LinkChange&) const = default;
};

// Checked against all there is.
struct Edit {
    Containers containers;
    std::int64_t permissions = 0;  // how many more the host's links ask for then

    bool empty() const { return containers.empty(); }
};

// A container that can't be kept beside the others.
struct Conflict {
    std::string container;
    std::string message;
    bool is_of_limits = false;  // nothing is wrong with it, but there is too much
};

}  // namespace nftlink::desired
