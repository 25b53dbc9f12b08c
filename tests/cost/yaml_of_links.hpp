// The topology that the benchmark and the cost suite measure.
#pragma once

#include <cstddef>
#include <string>

namespace nftlink {

// So many links, five of each container to five others, each of which exposes one port, on the bridge docker0.
std::string yaml_of_links(std::size_t links);

}  // namespace nftlink
