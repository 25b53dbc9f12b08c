// Bridges and their netfilter switches, over rtnetlink.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "nftlink/kernel/kernel.hpp"
#include "nftlink/netlink/socket.hpp"

namespace nftlink::kernel {

// The bridges of the network namespace of the calling thread at construction. The links are read once, and followed by
// what the kernel says of them from then on: with thousands of them, reading them takes tens of milliseconds, and
// something is said with every container. They are read again when some of it was lost.
class BridgeTable {
public:
    struct Link {
        std::string name;
        bool is_bridge = false;
        std::uint32_t master = 0;  // index; 0: none
        BridgeNetfilter switches;  // of a bridge
        bool is_silent = false;    // a bridge that is down: the kernel tells no changes of its switches

        bool operator==(const Link&) const = default;
    };

    BridgeTable();

    // As of now; valid until the next call. Throws std::system_error.
    const Bridges& read(netlink::Socket& route_socket, Kernel::Look look);
    // We have switched those on, also of a bridge that is down.
    void switched_on(const std::string& bridge, BridgeNetfilter wanted);
    // Readable when there is something to follow.
    int descriptor() const { return news_.descriptor(); }

private:
    void read_module();
    bool read_links(netlink::Socket& route_socket);
    bool follow();
    void build();
    void replace(std::uint32_t index, std::optional<Link> now);
    std::vector<std::string> take_out(const Link& link);
    void put_in(std::uint32_t index, const Link& link, std::vector<std::string> ports);
    std::vector<Bridge>::iterator place_of(const std::string& name);
    Bridge* bridge_of(const Link& link);

    netlink::Socket news_;
    std::unordered_map<std::uint32_t, Link> links_;  // by index
    Bridges bridges_;                                // of these
    bool is_whole_ = false;                          // nothing has been lost since they were built
};

std::expected<void, std::string> enable_bridge_netfilter(netlink::Socket& route_socket, const std::string& bridge,
                                                         BridgeNetfilter wanted);

}  // namespace nftlink::kernel
