#include "kernel/change_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "kernel/netlink.hpp"

namespace nftlink::kernel {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A message of the multicast group, as the kernel writes it.
class Event {
public:
    Event(std::uint16_t message, nft::Family family, std::uint16_t subsystem = NFNL_SUBSYS_NFTABLES)
        : type_(static_cast<std::uint16_t>(subsystem << 8 | message)) {
        netlink::MessageWriter(bytes_).begin(type_, 0, 0, static_cast<std::uint8_t>(family), 0);
    }

    Event& text(std::uint16_t type, std::string_view value) {
        netlink::MessageWriter(bytes_).put(type, value);
        return *this;
    }
    Event& number(std::uint16_t type, std::uint32_t value) {
        netlink::MessageWriter(bytes_).put_u32(type, value);
        return *this;
    }

    std::optional<Change> read_by(ChangeReader& reader) const {
        return reader.read({type_, 0, 0, netlink::Payload(bytes_).subspan(sizeof(nlmsghdr))});
    }

private:
    netlink::Bytes bytes_;
    std::uint16_t type_;
};

// A message about some object of that table; the table's name has the same number in all of them.
Event about(std::uint16_t message, nft::Family family, std::string_view table) {
    Event event(message, family);
    event.text(NFTA_TABLE_NAME, table).text(2, "something");
    return event;
}

std::optional<Change> end_of_commit(ChangeReader& reader, std::uint32_t generation) {
    Event event(NFT_MSG_NEWGEN, nft::Family::unspecified);
    event.number(NFTA_GEN_ID, generation).number(NFTA_GEN_PROC_PID, 99).text(NFTA_GEN_PROC_NAME, "nft");
    return event.read_by(reader);
}

TEST(ChangeReader, NamesEveryTableOnce) {
    ChangeReader reader;
    for (const std::uint16_t message :
         {NFT_MSG_NEWTABLE, NFT_MSG_DELTABLE, NFT_MSG_NEWCHAIN, NFT_MSG_DELCHAIN, NFT_MSG_NEWRULE, NFT_MSG_DELRULE,
          NFT_MSG_NEWSET, NFT_MSG_DELSET, NFT_MSG_NEWSETELEM, NFT_MSG_DELSETELEM, NFT_MSG_NEWOBJ, NFT_MSG_DELOBJ,
          NFT_MSG_NEWFLOWTABLE, NFT_MSG_DELFLOWTABLE}) {
        EXPECT_FALSE(about(message, nft::Family::inet, "nftlink").read_by(reader));
        EXPECT_FALSE(about(message, nft::Family::ip, "filter").read_by(reader));
        EXPECT_FALSE(about(message, nft::Family::ip6, "filter").read_by(reader));
        const auto change = end_of_commit(reader, 5);
        ASSERT_TRUE(change);
        EXPECT_THAT(change->tables,
                    ElementsAre(TableName{nft::Family::inet, "nftlink"}, TableName{nft::Family::ip, "filter"},
                                TableName{nft::Family::ip6, "filter"}))
            << message;
    }
}

TEST(ChangeReader, TellsTheGenerationAndWhoCommitted) {
    ChangeReader reader;
    for (std::string_view table : {"a", "b", "a", "a", "b"})
        about(NFT_MSG_NEWSETELEM, nft::Family::inet, table).read_by(reader);
    const auto change = end_of_commit(reader, 7);
    ASSERT_TRUE(change);
    EXPECT_EQ(change->generation, 7u);
    EXPECT_EQ(change->process, 99u);
    EXPECT_EQ(change->program, "nft");
    EXPECT_FALSE(change->overrun);
    EXPECT_EQ(change->tables.size(), 2u);
}

TEST(ChangeReader, TheNextCommitStartsAnew) {
    ChangeReader reader;
    about(NFT_MSG_NEWRULE, nft::Family::inet, "a").read_by(reader);
    EXPECT_TRUE(end_of_commit(reader, 1));
    EXPECT_THAT(end_of_commit(reader, 2)->tables, IsEmpty());
}

TEST(ChangeReader, ForgetsWhatItHasHalfOf) {
    ChangeReader reader;
    about(NFT_MSG_NEWRULE, nft::Family::inet, "a").read_by(reader);
    reader.forget();
    about(NFT_MSG_NEWRULE, nft::Family::inet, "b").read_by(reader);
    EXPECT_THAT(end_of_commit(reader, 1)->tables, ElementsAre(TableName{nft::Family::inet, "b"}));
}

TEST(ChangeReader, PassesOverWhatItCannotUse) {
    ChangeReader reader;
    Event(NFT_MSG_NEWRULE, nft::Family::inet).read_by(reader);
    Event(NFT_MSG_NEWRULE, nft::Family::inet, NFNL_SUBSYS_CTNETLINK).text(NFTA_RULE_TABLE, "a").read_by(reader);
    EXPECT_FALSE(Event(NFT_MSG_NEWGEN, nft::Family::unspecified, NFNL_SUBSYS_CTNETLINK).read_by(reader));
    EXPECT_FALSE(reader.read({NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE, 0, 0, {}}));
    EXPECT_THAT(end_of_commit(reader, 1)->tables, IsEmpty());
}

}  // namespace
}  // namespace nftlink::kernel
