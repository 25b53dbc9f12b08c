#include "kernel/same_reading.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "nftlink/nft/build.hpp"

namespace nftlink::kernel {
namespace {

nft::Ruleset reading() {
    nft::Element element;
    element.key.append(std::array<std::uint8_t, 4>{10, 0, 0, 1});
    element.counters = nft::Counters{};
    nft::Set set;
    set.name = "s";
    set.elements = {element};
    nft::Chain chain;
    chain.name = "c";
    chain.hook = nft::Hook{"filter", 2, 0, 1};
    chain.rules = {nft::RuleBuilder(nft::Family::inet).counter().accept().build()};
    chain.rules[0].handle = 7;
    nft::Table table;
    table.name = "t";
    table.chains = {chain};
    table.sets = {set};
    return {{table}, 3};
}

TEST(SameReading, CountsAndTheGenerationDontMatter) {
    auto other = reading();
    other.generation = 4;
    other.tables[0].sets[0].elements[0].counters->packets = 9;
    nft::counters(other.tables[0].chains[0].rules[0])->bytes = 9;
    EXPECT_TRUE(same_reading(reading(), other));
}

TEST(SameReading, EverythingElseDoes) {
    const std::vector<std::function<void(nft::Table&)>> changes{
        [](nft::Table& t) { t.family = nft::Family::ip; },
        [](nft::Table& t) { t.name = "x"; },
        [](nft::Table& t) { t.comment = "x"; },
        [](nft::Table& t) { t.unknown = {1}; },
        [](nft::Table& t) { t.other_object_count = 1; },
        [](nft::Table& t) { t.chains.emplace_back(); },
        [](nft::Table& t) { t.sets.emplace_back(); },
        [](nft::Table& t) { t.chains[0].name = "x"; },
        [](nft::Table& t) { t.chains[0].comment = "x"; },
        [](nft::Table& t) { t.chains[0].unknown = {1}; },
        [](nft::Table& t) { t.chains[0].hook->policy = 0; },
        [](nft::Table& t) { t.chains[0].rules.clear(); },
        [](nft::Table& t) { t.chains[0].rules[0].handle = 8; },
        [](nft::Table& t) { t.chains[0].rules[0].comment = "x"; },
        [](nft::Table& t) { t.chains[0].rules[0].owner = "x"; },
        [](nft::Table& t) { t.chains[0].rules[0].expressions.pop_back(); },
        [](nft::Table& t) { t.sets[0].name = "x"; },
        [](nft::Table& t) { t.sets[0].key = nft::interface_key(); },
        [](nft::Table& t) { t.sets[0].size = 5; },
        [](nft::Table& t) { t.sets[0].counter = true; },
        [](nft::Table& t) { t.sets[0].anonymous = true; },
        [](nft::Table& t) { t.sets[0].comment = "x"; },
        [](nft::Table& t) { t.sets[0].unknown = {1}; },
        [](nft::Table& t) { t.sets[0].elements.clear(); },
        [](nft::Table& t) { t.sets[0].elements[0].key = nft::interface_key("x"); },
        [](nft::Table& t) { t.sets[0].elements[0].comment = "x"; },
        [](nft::Table& t) { t.sets[0].elements[0].unknown = {1}; },
        [](nft::Table& t) { t.sets[0].elements[0].counters.reset(); },
    };
    for (std::size_t index = 0; index < changes.size(); ++index) {
        auto other = reading();
        changes[index](other.tables[0]);
        EXPECT_FALSE(same_reading(reading(), other)) << index;
    }
    EXPECT_FALSE(same_reading(reading(), {}));
}

}  // namespace
}  // namespace nftlink::kernel
