// A commit to the ruleset, as the kernel tells it to listeners.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nftlink/nft/ruleset.hpp"

namespace nftlink::kernel {

struct TableName {
    nft::Family family = nft::Family::unspecified;
    std::string name;

    bool operator==(const TableName&) const = default;
};

// One commit, by us or by another program.
struct Change {
    std::uint32_t generation = 0;
    std::uint32_t process = 0;  // 0: unknown
    std::string program;
    // The tables that it made, deleted or changed anything in; each once.
    std::vector<TableName> tables;
    // Events were lost, or were not listened to: anything may have changed.
    bool overrun = false;
};

}  // namespace nftlink::kernel
