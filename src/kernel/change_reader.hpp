// Reads from the messages that nf_tables tells of a commit what it was about. Pure: messages in, values out.
#pragma once

#include <optional>
#include <vector>

#include "nftlink/kernel/change.hpp"
#include "nftlink/netlink/message.hpp"

namespace nftlink::kernel {

// The kernel tells of a commit object by object, one message each, and ends with its generation. A commit may have very
// many of them, so that of each nothing is read but the table's name.
class ChangeReader {
public:
    // The change that ends with this message, if one does. A message of another kind is passed over.
    std::optional<Change> read(const netlink::Message& message);

    // The part that was read of a commit whose end hasn't come: some of its messages were lost.
    void forget() { tables_.clear(); }

private:
    void add_table(nft::Family family, std::string_view name);

    std::vector<TableName> tables_;  // of the commit that hasn't ended yet; each once
};

}  // namespace nftlink::kernel
