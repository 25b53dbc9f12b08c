#include "nftlink/firewall/wanted.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nftlink::firewall {
namespace {

using testing::ElementsAre;
using testing::Field;

nft::Table table_of(const std::string& name, std::vector<nft::Chain> chains) {
    nft::Table table;
    table.family = nft::Family::inet;
    table.name = name;
    table.chains = std::move(chains);
    return table;
}

nft::Chain chain(const std::string& name, const std::string& comment = "") {
    nft::Chain made;
    made.name = name;
    made.comment = comment;
    return made;
}

TEST(Attachment, IsFoundByFamilyTableAndChain) {
    nft::Ruleset have;
    have.tables.push_back(table_of("filter", {chain("FORWARD")}));
    EXPECT_EQ((Attachment{nft::Family::inet, "filter", "FORWARD", {}}.find(have)), &have.tables[0].chains[0]);
    EXPECT_EQ((Attachment{nft::Family::ip, "filter", "FORWARD", {}}.find(have)), nullptr);
    EXPECT_EQ((Attachment{nft::Family::inet, "filter", "forward", {}}.find(have)), nullptr);
}

TEST(Wanted, JoinedHasOurOwnChainsAndTheCopiesBesideThem) {
    Wanted attached, own;
    attached.attached.push_back({nft::Family::ip, "filter", "FORWARD", {}});
    attached.tables.push_back(table_of("nftlink", {chain("forward", "a copy"), chain("copies")}));
    own.tables.push_back(table_of("nftlink", {chain("forward", "ours")}));
    own.tables.push_back(table_of("other", {}));
    const Wanted both = joined(attached, own);
    EXPECT_EQ(both.attached.size(), 1u);
    EXPECT_THAT(both.tables, ElementsAre(Field(&nft::Table::name, "nftlink"), Field(&nft::Table::name, "other")));
    EXPECT_THAT(both.tables[0].chains,
                ElementsAre(Field(&nft::Chain::comment, "ours"), Field(&nft::Chain::name, "copies")));
}

}  // namespace
}  // namespace nftlink::firewall
