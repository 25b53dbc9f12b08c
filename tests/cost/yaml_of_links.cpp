#include "yaml_of_links.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace nftlink {

std::string yaml_of_links(std::size_t links) {
    constexpr std::size_t links_each = 5;
    const std::size_t containers = std::max<std::size_t>(2, links / links_each);
    std::string text = "bridges:\n  docker0: {icc: deny}\ncontainers:\n";
    for (std::size_t index = 0, left = links; index < containers; ++index) {
        text += fmt::format("  c{:05}:\n    bridge: docker0\n    addresses: [10.{}.{}.{}]\n    expose: [6379/tcp]\n",
                            index, index >> 16 & 255, index >> 8 & 255, index & 255);
        const std::size_t count = std::min({links_each, left, containers - 1});
        text += count == 0 ? "" : "    links:\n";
        for (std::size_t link = 0; link < count; ++link)
            text += fmt::format("      - c{:05}:db{}\n", (index + link * 37 % (containers - 1) + 1) % containers, link);
        left -= count;
    }
    return text;
}

}  // namespace nftlink
