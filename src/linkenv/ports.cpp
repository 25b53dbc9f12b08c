#include "ports.hpp"

#include <algorithm>
#include <tuple>

namespace nftlink::linkenv {

namespace {

using model::Dialect;
using model::Port;

// docker-28: all tcp first, then the other protocols by name; by number within each.
bool precedes_in_28(const Port& a, const Port& b) {
    const auto rank = [](const Port& port) {
        return std::tuple(port.protocol != model::Protocol::tcp, model::to_string(port.protocol), port.number);
    };
    return rank(a) < rank(b);
}

}  // namespace

std::vector<Port> ordered(std::vector<Port> ports, Dialect dialect) {
    if (dialect == Dialect::docker_28)
        std::ranges::sort(ports, precedes_in_28);
    else
        std::ranges::sort(ports);  // by number, tcp first on a tie
    return ports;
}

std::vector<Run> runs(std::vector<Port> ports, Dialect dialect) {
    if (dialect == Dialect::docker_0_10)
        return {};
    const int shortest = dialect == Dialect::docker_27 ? 3 : 2;
    std::ranges::sort(ports, precedes_in_28);
    std::vector<Run> found;
    for (const Port& port : ports) {
        const bool continues = !found.empty() && found.back().last.protocol == port.protocol &&
                               found.back().last.number + 1 == port.number;
        if (continues)
            found.back().last = port;
        else
            found.push_back({port, port});
    }
    std::erase_if(found, [&](const Run& run) { return run.last.number - run.first.number + 1 < shortest; });
    return found;
}

}  // namespace nftlink::linkenv
