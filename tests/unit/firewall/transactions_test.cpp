// Changes in one transaction or in pieces: what a packet meets meanwhile, and what comes of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "nftlink/firewall/compile.hpp"
#include "nftlink/firewall/diff.hpp"
#include "nftlink/firewall/transactions.hpp"
#include "nftlink/kernel/fake_kernel.hpp"
#include "nftlink/nft/encode.hpp"
#include "nftlink/nft/text.hpp"
#include "packets.hpp"
#include "random_links.hpp"

namespace nftlink::firewall {
namespace {

using model::FirewallPolicy;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

bool every_table(const nft::Table&, const nft::Ruleset&) {
    return true;
}

constexpr Room plenty{1 << 24, 1'000'000};
// The two tables of the bridge family need 66,000 bytes before the first link.
constexpr Room little{80'000, 200};

std::size_t element_count(const nft::Batch& batch) {
    std::size_t count = 0;
    for (const nft::Operation& operation : batch)
        count += nft::element_count(operation) + (std::holds_alternative<nft::AddRule>(operation.action) ? 1 : 0);
    return count;
}

std::size_t size_of(const nft::Batch& batch) {
    std::size_t size = 0;
    for (const nft::Operation& operation : batch)
        size += nft::encoded_size(operation);
    return size;
}

model::Topology with_ports(const std::string& ports) {
    auto links = seed();
    links.containers["redis"].expose = model::parse_ports(ports).value();
    return links;
}

FirewallPolicy policy_of(model::Family family, model::Layout layout = model::Layout::sets) {
    FirewallPolicy policy;
    policy.family = family;
    policy.layout = layout;
    return policy;
}

// Everything that is there, sets by their plain names, in an order that doesn't depend on what came first.
std::string shape(nft::Ruleset ruleset) {
    std::map<std::string, int> texts;
    for (nft::Table& table : ruleset.tables) {
        std::ranges::sort(table.chains, {}, &nft::Chain::name);
        std::ranges::sort(table.sets, {}, &nft::Set::name);
        std::string text = nft::to_text(table);
        for (std::size_t at = 0;
             (at = text.find("s4.b")) != std::string::npos || (at = text.find("s6.b")) != text.npos;)
            text.erase(at + 2, 2);
        ++texts[text];
    }
    std::string all;
    for (const auto& [text, count] : texts)
        all += text;
    return all;
}

Packet packet(const std::string& bridge, const std::string& from, const std::string& to, std::uint16_t source_port,
              std::uint16_t destination_port, bool is_answer = false) {
    return {bridge,
            bridge,
            model::Address::parse(from).value(),
            model::Address::parse(to).value(),
            model::Protocol::tcp,
            source_port,
            destination_port,
            is_answer};
}

// Of seed().
Packet to_redis(std::uint16_t port) {
    return packet("docker0", "172.17.0.3", "172.17.0.2", 40000, port);
}
Packet from_redis(std::uint16_t port) {
    return packet("docker0", "172.17.0.2", "172.17.0.3", port, 40000, true);
}

class TransactionsTest : public testing::Test {
protected:
    nft::Ruleset have() { return kernel_.snapshot(every_table); }

    void apply(const std::vector<nft::Batch>& batches) {
        for (const nft::Batch& batch : batches) {
            const auto commit = kernel_.apply(batch, {});
            ASSERT_TRUE(commit) << commit.error().to_string() << "\n" << nft::to_text(batch);
        }
    }
    Transactions bring(const Wanted& want, Room room) {
        Transactions made = transactions(have(), want, room);
        apply(made.batches);
        return made;
    }
    bool lets(const Packet& packet) { return passes(kernel_.ruleset(), packet); }

    kernel::FakeKernel kernel_;
};

TEST_F(TransactionsTest, AreOneWhereThereIsRoomAndNoneWhereNothingIsToBeDone) {
    EXPECT_EQ(bring(compile(with_ports("1-1000"), {}), plenty).batches.size(), 1u);
    EXPECT_EQ(bring(compile(with_ports("2001-3000"), {}), plenty).batches.size(), 1u);
    EXPECT_THAT(transactions(have(), compile(with_ports("2001-3000"), {}), little).batches, IsEmpty());
}

TEST_F(TransactionsTest, DenyStandsFromTheFirstPieceOnAndLinksCome) {
    constexpr Room room{160'000, 60};  // for the whole frame, also for the two tables of the bridge family
    for (const auto layout : {model::Layout::sets, model::Layout::rules})
        for (const auto family : {model::Family::inet, model::Family::ip, model::Family::bridge}) {
            kernel_ = {};
            const auto pieces = transactions(have(), compile(with_ports("1-150"), policy_of(family, layout)), room);
            ASSERT_GT(pieces.batches.size(), 4u);
            EXPECT_TRUE(lets(packet("docker0", "172.17.0.9", "172.17.0.2", 40000, 80)));
            for (const nft::Batch& piece : pieces.batches) {
                apply({piece});
                EXPECT_FALSE(lets(packet("docker0", "172.17.0.9", "172.17.0.2", 40000, 80)));
                EXPECT_FALSE(lets(packet("docker0", "172.17.0.2", "172.17.0.3", 150, 40000))) << "of no connection";
            }
            EXPECT_TRUE(lets(to_redis(150)));
            EXPECT_TRUE(lets(from_redis(150)));
        }
}

TEST_F(TransactionsTest, WhatIsPermittedNoLongerGoesBeforeAnythingComes) {
    bring(compile(with_ports("1-1000"), {}), plenty);
    const auto pieces = transactions(have(), compile(with_ports("1001-2000"), {}), little).batches;
    bool has_come = false;
    for (const nft::Batch& piece : pieces)
        for (const nft::Operation& operation : piece) {
            has_come |= std::holds_alternative<nft::AddElements>(operation.action);
            EXPECT_FALSE(has_come && std::holds_alternative<nft::DeleteElements>(operation.action));
        }
    EXPECT_TRUE(has_come);
    apply(pieces);
    EXPECT_THAT(transactions(have(), compile(with_ports("1001-2000"), {}), little).batches, IsEmpty());
}

TEST_F(TransactionsTest, ASetThatGrowsInPiecesIsFilledUnderItsOtherNameAndBackTheNextTime) {
    bring(compile(with_ports("1-100"), {}), little);
    const nft::Family inet = nft::Family::inet;
    const OtherNames all{{inet, "links4"}, {inet, "links6"}, {inet, "replies4"}, {inet, "replies6"}};
    kernel_.ruleset().tables[0].sets[0].elements[0].counters = nft::Counters{7, 420};

    auto grown = transactions(have(), compile(with_ports("1-300"), {}), little);
    EXPECT_EQ(grown.other_names, all);
    for (const nft::Batch& piece : grown.batches) {
        apply({piece});
        EXPECT_TRUE(lets(to_redis(100)) && lets(from_redis(100))) << "all the time";
    }
    const nft::Table& table = kernel_.ruleset().tables[0];
    EXPECT_EQ(table.set("links4"), nullptr);
    ASSERT_NE(table.set("links4.b"), nullptr);
    EXPECT_EQ(table.set("links4.b")->elements.size(), 300u);
    EXPECT_EQ(table.set("links4.b")->elements[0].counters, (nft::Counters{7, 420}));
    EXPECT_TRUE(lets(to_redis(300)));

    // What is a change of some elements stays one.
    const auto fewer = transactions(have(), compile(with_ports("1-299"), {}), little);
    EXPECT_EQ(fewer.other_names, all);
    EXPECT_THAT(nft::to_text(fewer.batches.at(0)), HasSubstr("delete element inet nftlink links4.b {"));
    EXPECT_THAT(transactions(have(), compile(with_ports("1-300"), {}), little).batches, IsEmpty());

    EXPECT_THAT(bring(compile(with_ports("1-1000"), {}), little).other_names, IsEmpty());
    EXPECT_EQ(kernel_.ruleset().tables[0].set("links4.b"), nullptr);
    EXPECT_EQ(kernel_.ruleset().tables[0].set("links4")->elements.size(), 1000u);
    EXPECT_EQ(kernel_.ruleset().tables[0].set("links4")->elements[0].counters, (nft::Counters{7, 420}));
}

TEST_F(TransactionsTest, ASetInUseUnderItsOtherNameCanGrowInOneTransactionToo) {
    bring(compile(with_ports("1-100"), {}), little);
    bring(compile(with_ports("1-300"), {}), little);
    const auto once = bring(compile(with_ports("1-1000"), {}), plenty);
    EXPECT_EQ(once.batches.size(), 1u);
    EXPECT_TRUE(once.other_names.contains({nft::Family::inet, "links4"}));
    EXPECT_EQ(kernel_.ruleset().tables[0].set("links4.b")->elements.size(), 1000u);
    EXPECT_TRUE(lets(to_redis(1000)));
}

TEST_F(TransactionsTest, ATableOfAnotherFamilyIsFilledBeforeItsHook) {
    for (const auto layout : {model::Layout::sets, model::Layout::rules}) {
        kernel_ = {};
        bring(compile(with_ports("1-250"), policy_of(model::Family::ip, layout)), plenty);
        const auto pieces =
            transactions(have(), compile(with_ports("1-250"), policy_of(model::Family::inet, layout)), little).batches;
        ASSERT_GT(pieces.size(), 4u);
        bool has_hook = false;
        for (const nft::Batch& piece : pieces) {
            for (const nft::Operation& operation : piece) {
                const auto* chain = std::get_if<nft::AddChain>(&operation.action);
                has_hook |= chain != nullptr && chain->chain.hook;
                EXPECT_FALSE(has_hook && std::holds_alternative<nft::AddElements>(operation.action));
            }
            apply({piece});
            EXPECT_TRUE(lets(to_redis(1)) && lets(to_redis(250)) && lets(from_redis(250)));
            EXPECT_FALSE(lets(to_redis(251)));
        }
        EXPECT_EQ(kernel_.ruleset().tables.size(), 2u) << "and that of frames";
    }
}

TEST_F(TransactionsTest, AnotherLayoutIsFilledBeforeItIsSwitchedTo) {
    for (const auto layout : {model::Layout::rules, model::Layout::sets}) {
        kernel_ = {};
        bring(compile(with_ports("1-250"), policy_of(model::Family::inet, layout)), plenty);
        const auto other = layout == model::Layout::sets ? model::Layout::rules : model::Layout::sets;
        const auto want = compile(with_ports("1-250"), policy_of(model::Family::inet, other));
        for (const nft::Batch& piece : transactions(have(), want, little).batches) {
            apply({piece});
            EXPECT_TRUE(lets(to_redis(1)) && lets(to_redis(250)) && lets(from_redis(250)));
            EXPECT_FALSE(lets(to_redis(251)));
        }
        EXPECT_THAT(transactions(have(), want, little).batches, IsEmpty());
    }
}

TEST_F(TransactionsTest, OurOwnTableIsFilledBeforeItTakesThePlaceOfAttachedRules) {
    FirewallPolicy attached = policy_of(model::Family::inet, model::Layout::rules);
    attached.attach = {{model::AttachPoint::Family::inet, "fw", "forward"}};
    nft::Table fw;
    fw.name = "fw";
    fw.chains.push_back({"forward", nft::Hook{"filter", 2, 0, 1}, {}, {}, {}});
    kernel_.ruleset().tables.push_back(fw);
    bring(compile(with_ports("1-250"), attached), plenty);
    const auto pieces = transactions(have(), compile(with_ports("1-250"), {}), little).batches;
    ASSERT_GT(pieces.size(), 4u);
    for (const nft::Batch& piece : pieces) {
        apply({piece});
        EXPECT_TRUE(lets(to_redis(1)) && lets(to_redis(250)) && lets(from_redis(250)));
        EXPECT_FALSE(lets(to_redis(251)));
    }
}

TEST_F(TransactionsTest, PiecesFitAlsoWhereChainsAreMadeAnewForTheirMarks) {
    for (const auto layout : {model::Layout::sets, model::Layout::rules}) {
        kernel_ = {};
        const auto want = compile(with_ports("1-300"), policy_of(model::Family::inet, layout));
        bring(want, plenty);
        for (nft::Chain& chain : kernel_.ruleset().tables[0].chains)
            chain.owner.clear();
        const auto pieces = transactions(have(), want, little, {.marks = true}).batches;
        EXPECT_FALSE(pieces.empty());
        for (const nft::Batch& piece : pieces) {
            EXPECT_LE(size_of(piece), little.bytes);
            apply({piece});
        }
        EXPECT_THAT(transactions(have(), want, little, {.marks = true}).batches, IsEmpty());
    }
}

// As after a crash; the set that was being filled may be too small by now.
TEST_F(TransactionsTest, WhatAHalfMadeChangeHasLeftIsUsedOrMadeAnewInPiecesThatFit) {
    for (const char* ports : {"1-300", "1-1000"}) {
        kernel_ = {};
        bring(compile(with_ports("1-100"), {}), plenty);
        const auto half = transactions(have(), compile(with_ports("1-300"), {}), little).batches;
        apply({half.begin(), half.begin() + 2});
        ASSERT_NE(kernel_.ruleset().tables[0].set("links4.b"), nullptr);
        const auto pieces = transactions(have(), compile(with_ports(ports), {}), little).batches;
        for (const nft::Batch& piece : pieces) {
            EXPECT_LE(size_of(piece), little.bytes) << ports;
            EXPECT_LE(element_count(piece), little.elements) << ports;
            apply({piece});
            EXPECT_TRUE(lets(to_redis(100)));
        }
        EXPECT_THAT(transactions(have(), compile(with_ports(ports), {}), little).batches, IsEmpty());
    }
}

TEST_F(TransactionsTest, TablesThatGoHaveTheLastOneForThemselvesIfThatIsAskedFor) {
    bring(compile(seed(), policy_of(model::Family::ip)), plenty);
    const auto batches = transactions(have(), compile(seed(), {}), plenty, {}, true).batches;
    ASSERT_EQ(batches.size(), 2u);
    EXPECT_THAT(nft::to_text(batches[0]), Not(HasSubstr("delete table")));
    EXPECT_EQ(nft::to_text(batches[1]), "delete table ip nftlink\n");
}

TEST_F(TransactionsTest, TakenBackInEveryPlaceEverythingIsAsItWas) {
    constexpr Room few{80'000, 50};
    const std::vector<std::pair<Wanted, Wanted>> changes{
        {{}, compile(with_ports("1-80"), {})},
        {compile(with_ports("1-100"), {}), compile(with_ports("50-210"), {})},
        {compile(with_ports("1-80"), {}), compile(with_ports("1-80"), policy_of(model::Family::ip))},
        {compile(with_ports("1-80"), {}),
         compile(with_ports("2-81"), policy_of(model::Family::inet, model::Layout::rules))},
        {compile(with_ports("1-80"), policy_of(model::Family::inet, model::Layout::rules)),
         compile(with_ports("2-81"), policy_of(model::Family::bridge))}};
    for (std::size_t number = 0; number < changes.size(); ++number) {
        const auto& [first, second] = changes[number];
        std::size_t piece_count = 1;
        for (std::size_t done = 0; done <= piece_count; ++done) {
            kernel_ = {};
            bring(first, plenty);
            for (nft::Table& table : kernel_.ruleset().tables)
                for (nft::Set& set : table.sets)
                    if (set.name == "links4")
                        set.elements[0].counters = nft::Counters{7, 420};
            const nft::Ruleset before = have();
            const auto pieces = transactions(before, second, few).batches;
            piece_count = pieces.size();
            apply({pieces.begin(), pieces.begin() + static_cast<std::ptrdiff_t>(done)});
            apply(take_back(have(), before, "nftlink", few).batches);
            EXPECT_EQ(shape(have()), shape(before)) << "change " << number << ", " << done << " pieces";
        }
        EXPECT_GT(piece_count, 3u);
    }
}

TEST_F(TransactionsTest, TakenBackRulesInOthersChainsAreThereAgain) {
    constexpr Room few{80'000, 50};
    FirewallPolicy attached = policy_of(model::Family::inet, model::Layout::rules);
    attached.attach = {{model::AttachPoint::Family::ip, "filter", "FORWARD"}};
    std::size_t piece_count = 1;
    for (std::size_t done = 0; done <= piece_count; ++done) {
        kernel_ = {};
        nft::Table filter;
        filter.family = nft::Family::ip;
        filter.name = "filter";
        filter.chains.push_back({"FORWARD", nft::Hook{"filter", 2, 0, 1}, {}, {}, {}});
        kernel_.ruleset().tables.push_back(filter);
        bring(compile(with_ports("1-80"), attached), plenty);
        const nft::Ruleset before = have();
        const auto pieces = transactions(before, compile(with_ports("2-81"), {}), few).batches;
        piece_count = pieces.size();
        apply({pieces.begin(), pieces.begin() + static_cast<std::ptrdiff_t>(done)});
        apply(take_back(have(), before, "nftlink", few).batches);
        EXPECT_EQ(shape(have()), shape(before)) << done << " pieces";
    }
    EXPECT_GT(piece_count, 3u);
}

// A reading without elements, of which it is known what they are.
TEST_F(TransactionsTest, ElementsThatAreKnownNeedNotBeRead) {
    const auto want = compile(with_ports("1-300"), {}), next = compile(with_ports("1-301"), {});
    bring(compile(with_ports("1-100"), {}), little);
    const OtherNames names = bring(want, little).other_names;
    EXPECT_EQ(names.size(), 4u) << "under their other names";
    const auto bare = kernel_.snapshot(every_table, kernel::Elements::left_out);
    nft::Ruleset filled = bare;
    ASSERT_TRUE(fill_elements(filled, want, next));
    EXPECT_EQ(nft::to_text(diff(filled, next)), nft::to_text(diff(have(), next)));
    EXPECT_EQ(transactions(filled, next, little).other_names, names);

    nft::Ruleset stranger = bare;
    stranger.tables[0].sets.emplace_back().name = "theirs";
    EXPECT_TRUE(fill_elements(stranger, want, next));
    EXPECT_THAT(stranger.tables[0].sets.back().elements, IsEmpty());
    // What is being filled, and is not in use, may have anything; so may a table that isn't known.
    nft::Ruleset half = bare;
    half.tables[0].sets.push_back(want.tables[0].sets[0]);
    EXPECT_FALSE(fill_elements(half, want, next));
    nft::Ruleset unknown = bare;
    EXPECT_FALSE(fill_elements(unknown, compile({}, policy_of(model::Family::ip)), next));
}

std::vector<Packet> packets(const model::Topology& topology) {
    std::vector<Packet> all;
    for (const auto& [name, one] : topology.containers)
        for (const auto& [other_name, other] : topology.containers)
            for (const model::Network& from : one.networks)
                for (const model::Network& to : other.networks)
                    for (const std::size_t kind : {std::size_t{0}, std::size_t{1}})
                        for (const std::uint16_t port : {std::uint16_t{80}, std::uint16_t{84}}) {
                            Packet made{from.bridge,
                                        to.bridge,
                                        from.addresses[kind],
                                        to.addresses[kind],
                                        model::Protocol::tcp,
                                        40000,
                                        port,
                                        false};
                            all.push_back(made);
                            std::swap(made.source_port, made.destination_port);
                            all.push_back(made);
                            made.is_answer = true;
                            all.push_back(made);
                        }
    return all;
}

std::vector<bool> passing(const nft::Ruleset& ruleset, const std::vector<Packet>& packets) {
    std::vector<bool> all;
    for (const Packet& packet : packets)
        all.push_back(passes(ruleset, packet));
    return all;
}

// Random configurations, one after the other.
TEST_F(TransactionsTest, EveryChangeLeadsToWhatWasWantedHoweverItIsMade) {
    Random random(20261124);
    FirewallPolicy policy;
    for (int round = 0; round < 60; ++round) {
        if (random.below(4) == 0)
            policy = random.policy();
        const auto want = compile(random.topology(), policy);
        kernel::FakeKernel twin = kernel_;
        for (const nft::Batch& batch : transactions(have(), want, plenty).batches)
            ASSERT_TRUE(twin.apply(batch, {}));
        const auto pieces = transactions(have(), want, little).batches;
        for (const nft::Batch& piece : pieces) {
            ASSERT_LE(size_of(piece), little.bytes) << round << "\n" << nft::to_text(piece);
            ASSERT_LE(element_count(piece), little.elements) << round;
        }
        apply(pieces);
        ASSERT_FALSE(HasFatalFailure()) << round;
        ASSERT_EQ(shape(have()), shape(twin.snapshot(every_table))) << round;
        for (const Room room : {plenty, little})
            ASSERT_THAT(transactions(have(), want, room).batches, IsEmpty()) << round;
        ASSERT_EQ(have().tables.size(), policy.family == model::Family::bridge ? 3u : 2u) << round;
    }
}

TEST_F(TransactionsTest, MeanwhileNothingPassesThatNeitherSidePermitsAndASetsLinksStand) {
    Random random(20261128);
    const Room room{80'000, 15};
    FirewallPolicy policy;
    std::size_t piece_count = 0;
    for (int round = 0; round < 40; ++round) {
        const FirewallPolicy old_policy = policy;
        if (random.chance())
            policy = random.policy();
        const auto topology = random.topology(8, false);
        const auto asked = packets(topology);
        const auto want = compile(topology, policy);
        const nft::Ruleset before = have();
        const auto at_first = passing(before, asked), at_last = passing(want, asked);
        // Where nothing stood, deny comes first.
        const bool are_sets =
            policy.layout == model::Layout::sets && old_policy.layout == model::Layout::sets && !before.tables.empty();
        const auto pieces = transactions(before, want, room).batches;
        const std::size_t stop = random.below(static_cast<unsigned>(pieces.size() + 1));
        const auto check = [&](const std::string& when) {
            const auto now = passing(kernel_.ruleset(), asked);
            for (std::size_t index = 0; index < asked.size(); ++index) {
                const bool either = at_first[index] || at_last[index], both = at_first[index] && at_last[index];
                ASSERT_TRUE(either || !now[index]) << round << when << " lets " << asked[index].to_string();
                ASSERT_TRUE(!both || now[index] || !are_sets)
                    << round << when << " keeps away " << asked[index].to_string();
            }
        };
        for (std::size_t index = 0; index < stop; ++index) {
            apply({pieces[index]});
            check(" piece " + std::to_string(index) + " of " + std::to_string(pieces.size()));
            if (HasFatalFailure())
                return;
        }
        if (stop < pieces.size()) {
            for (const nft::Batch& batch : take_back(have(), before, want.name, room).batches) {
                apply({batch});
                check(" back");
                if (HasFatalFailure())
                    return;
            }
            EXPECT_EQ(shape(have()), shape(before)) << round;
        }
        apply(transactions(have(), want, room).batches);
        ASSERT_EQ(passing(have(), asked), at_last);
        piece_count += pieces.size();
    }
    EXPECT_GT(piece_count, 100u);
}

}  // namespace
}  // namespace nftlink::firewall
