// What becomes of a packet: the part of the kernel's machine that our tables' rules need, in memory.
#pragma once

#include <string>
#include <vector>

#include "nftlink/model/address.hpp"
#include "nftlink/model/port.hpp"
#include "nftlink/nft/ruleset.hpp"

namespace nftlink::firewall {

struct Packet {
    std::string from, to;  // bridges
    model::Address source, destination;
    model::Protocol protocol = model::Protocol::tcp;
    std::uint16_t source_port = 0, destination_port = 0;
    bool is_answer = false;  // in a connection that the other end has begun; else the first of a new one

    std::string to_string() const;
};

// Whether all tables that it meets let it through. What stays on a bridge meets those of the bridge family too.
bool passes(const nft::Ruleset& ruleset, const Packet& packet);

}  // namespace nftlink::firewall
