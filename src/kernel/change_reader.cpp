#include "change_reader.hpp"

#include <algorithm>
#include <utility>

#include "netlink.hpp"
#include "nftlink/netlink/attribute.hpp"
#include "nftlink/nft/decode.hpp"

namespace nftlink::kernel {

namespace {

using netlink::Payload;

// The same number in the messages about every kind of object.
constexpr std::uint16_t table_attribute = 1;
static_assert(NFTA_TABLE_NAME == table_attribute && NFTA_CHAIN_TABLE == table_attribute &&
              NFTA_RULE_TABLE == table_attribute && NFTA_SET_TABLE == table_attribute &&
              NFTA_SET_ELEM_LIST_TABLE == table_attribute && NFTA_OBJ_TABLE == table_attribute &&
              NFTA_FLOWTABLE_TABLE == table_attribute);

// Without the NUL at its end; empty when there is none.
std::string_view table_name(Payload payload) {
    std::string_view name;
    netlink::for_each_attribute(payload, sizeof(nfgenmsg), [&](std::uint16_t type, Payload value) {
        if (type != table_attribute)
            return;
        name = {reinterpret_cast<const char*>(value.data()), value.size()};
        name = name.substr(0, name.find('\0'));
    });
    return name;
}

}  // namespace

std::optional<Change> ChangeReader::read(const netlink::Message& message) {
    if (message.type >> 8 != NFNL_SUBSYS_NFTABLES || message.payload.size() < sizeof(nfgenmsg))
        return {};
    if ((message.type & 0xff) != NFT_MSG_NEWGEN) {
        const auto* general = reinterpret_cast<const nfgenmsg*>(message.payload.data());
        add_table(static_cast<nft::Family>(general->nfgen_family), table_name(message.payload));
        return {};
    }
    auto generation = nft::decode_generation(message.payload);
    if (!generation)
        return {};
    return Change{generation->id, generation->process, std::move(generation->program), std::exchange(tables_, {}),
                  false};
}

void ChangeReader::add_table(nft::Family family, std::string_view name) {
    const auto is_it = [&](const TableName& table) { return table.family == family && table.name == name; };
    // Most messages are about the table of the one before.
    if (name.empty() || (!tables_.empty() && is_it(tables_.back())) || std::ranges::any_of(tables_, is_it))
        return;
    tables_.push_back({family, std::string(name)});
}

}  // namespace nftlink::kernel
