// One container as a YAML document of its own, for those that don't come from the configuration's files.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "nftlink/base/error.hpp"
#include "nftlink/config/config.hpp"
#include "nftlink/model/fit.hpp"
#include "nftlink/model/topology.hpp"

namespace nftlink::config {

// A document in the configuration's own form, with this container alone. parse_container() of it gives the container
// back, whatever its values are.
std::string to_yaml(const model::Container& container);

// Reads such a document: `containers:` with exactly one container, called `name`, and nothing else. The container is
// checked by itself, not against others.
std::expected<model::Container, base::Errors> parse_container(const Source& source, std::string_view name,
                                                              model::Unplaced unplaced = model::Unplaced::refused);

}  // namespace nftlink::config
