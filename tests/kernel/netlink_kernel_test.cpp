#include <fmt/format.h>
#include <gmock/gmock.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <thread>

#include "fixture.hpp"
#include "nftlink/kernel/netlink_kernel.hpp"
#include "nftlink/nft/build.hpp"
#include "nftlink/nft/encode.hpp"

namespace nftlink::test {
namespace {

using kernel::Refusal;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

nft::Operation inet(nft::Action action, const std::string& table = "t") {
    return {nft::Family::inet, table, std::move(action)};
}

// Whether the descriptor becomes readable in time.
bool comes(int descriptor, std::chrono::milliseconds patience = slowness() * std::chrono::seconds(5)) {
    pollfd wanted{.fd = descriptor, .events = POLLIN, .revents = 0};
    return poll(&wanted, 1, static_cast<int>(patience.count())) == 1;
}

nft::Set small_set(std::uint32_t size) {
    nft::Set set;
    set.name = "s";
    set.key = nft::link_key(nft::Family::ip);
    set.size = size;
    set.counter = true;
    return set;
}

nft::Element element(std::uint32_t number) {
    const auto byte = [number](unsigned place) { return static_cast<std::uint8_t>(number >> (8 * place)); };
    nft::Element made;
    made.key.append(std::array<std::uint8_t, 4>{10, byte(2), byte(1), byte(0)});
    made.key.append(std::array<std::uint8_t, 4>{172, 17, 0, 2});
    made.key.append(std::array<std::uint8_t, 1>{6});
    made.key.append(std::array<std::uint8_t, 2>{0, 80});
    made.comment = fmt::format("/web{}/db", number);
    return made;
}

std::vector<nft::Element> elements(std::uint32_t count) {
    std::vector<nft::Element> made;
    for (std::uint32_t number = 0; number < count; ++number)
        made.push_back(element(number));
    return made;
}

nft::Rule rule() {
    return nft::RuleBuilder(nft::Family::inet).accept().build();
}

bool every_table(const nft::Table&, const nft::Ruleset&) {
    return true;
}

// Takes every capability from the calling thread.
void drop_capabilities() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    const std::array<__user_cap_data_struct, 2> none{};
    ASSERT_EQ(syscall(SYS_capset, &header, none.data()), 0);
}

using NetlinkKernel = KernelTest;

TEST_F(NetlinkKernel, CommitMakesTheNextGeneration) {
    const auto before = kernel().generation();
    const auto commit = kernel().apply({inet(nft::AddTable{"mine"})}, before);
    ASSERT_TRUE(commit) << commit.error().to_string();
    EXPECT_EQ(commit->generation, before + 1);
    EXPECT_EQ(kernel().generation(), before + 1);
}

TEST_F(NetlinkKernel, EmptyBatchDoesNotReachTheKernel) {
    const auto before = kernel().generation();
    EXPECT_EQ(kernel().apply({}, {})->generation, before);
    EXPECT_EQ(kernel().generation(), before);
}

// It gave the generation after, so that the next change, guarded by it, was always stale.
TEST_F(NetlinkKernel, BatchThatChangesNothingLeavesTheGeneration) {
    ASSERT_TRUE(kernel().apply({inet(nft::AddTable{})}, {}));
    const auto before = kernel().generation();
    EXPECT_EQ(kernel().apply({inet(nft::AddTable{})}, before)->generation, before);
    const auto nothing = kernel().apply({inet(nft::AddElements{"s", {}, {}})}, before);
    ASSERT_TRUE(nothing) << nothing.error().to_string();
    EXPECT_EQ(nothing->generation, before);
    EXPECT_EQ(kernel().generation(), before);
}

TEST_F(NetlinkKernel, StaleGenerationIsRefusedAndChangesNothing) {
    const auto before = kernel().generation();
    host().run("nft add table ip other");
    const auto commit = kernel().apply({inet(nft::AddTable{})}, before);
    ASSERT_FALSE(commit);
    EXPECT_EQ(commit.error().reason, Refusal::Reason::stale);
    EXPECT_EQ(host().run("nft list tables"), "table ip other\n");
}

TEST_F(NetlinkKernel, EveryBadOperationIsNamedAndNothingIsDone) {
    const auto commit = kernel().apply(
        {inet(nft::AddTable{}), inet(nft::AddRule{"nowhere", rule(), 0}), inet(nft::AddSet{small_set(8)}),
         inet(nft::AddElements{"nothing", nft::link_key(nft::Family::ip), elements(2)}), inet(nft::DeleteSet{"gone"})},
        {});
    ASSERT_FALSE(commit);
    EXPECT_EQ(commit.error().reason, Refusal::Reason::operations);
    const std::string text = commit.error().to_string();
    EXPECT_THAT(text, HasSubstr("kernel refused 3 of 5: #2 add rule inet t nowhere accept"));
    EXPECT_THAT(text, HasSubstr("#4 add element inet t nothing { … }"));
    EXPECT_THAT(text, HasSubstr("#5 delete set inet t gone"));
    EXPECT_THAT(text, HasSubstr("No such file or directory"));
    EXPECT_EQ(host().run("nft list tables"), "");
}

TEST_F(NetlinkKernel, RefusedElementIsNamed) {
    ASSERT_TRUE(kernel().apply({inet(nft::AddTable{}), inet(nft::AddSet{small_set(2)})}, {}));
    const auto commit = kernel().apply({inet(nft::AddElements{"s", nft::link_key(nft::Family::ip), elements(3)})}, {});
    ASSERT_FALSE(commit);
    EXPECT_EQ(commit.error().operations.at(0).error_number, ENFILE);
    EXPECT_EQ(commit.error().operations.at(0).object, "10.0.0.2 . 172.17.0.2 . tcp . 80");
}

// It was counted once for each of its messages: "refused 3 of 1".
TEST_F(NetlinkKernel, OperationOfSeveralMessagesIsRefusedOnce) {
    ASSERT_TRUE(kernel().apply({inet(nft::AddTable{}), inet(nft::AddSet{small_set(2)})}, {}));
    const auto commit =
        kernel().apply({inet(nft::AddElements{"s", nft::link_key(nft::Family::ip), elements(4000)})}, {});
    ASSERT_FALSE(commit);
    EXPECT_THAT(commit.error().to_string(), testing::StartsWith("kernel refused 1 of 1: #1 add element inet t s"));
}

// The answer was taken for lost, although one error is enough to know.
TEST_F(NetlinkKernel, MoreErrorsThanTheReceiveBufferHoldsAreARefusal) {
    constexpr std::size_t smallest_operation = 44;
    const nft::Batch batch(kernel().batch_limit() / smallest_operation, inet(nft::DeleteSet{"x"}));
    const auto commit = kernel().apply(batch, {});
    ASSERT_FALSE(commit);
    EXPECT_EQ(commit.error().reason, Refusal::Reason::operations);
    EXPECT_GT(commit.error().operations.size(), 100u);
    EXPECT_LT(commit.error().operations.size(), batch.size()) << "none was lost: nothing is shown";
    EXPECT_TRUE(kernel().apply({inet(nft::AddTable{})}, {})) << "and the socket works on";
}

TEST_F(NetlinkKernel, WithoutTheCapabilityNothingIsDone) {
    const auto before = kernel().generation();
    std::thread unprivileged([&] {
        drop_capabilities();
        const auto commit = kernel().apply({inet(nft::AddTable{})}, {});
        ASSERT_FALSE(commit);
        EXPECT_EQ(commit.error().reason, Refusal::Reason::permission);
        EXPECT_THROW(kernel().generation(), std::system_error);
    });
    unprivileged.join();
    EXPECT_EQ(kernel().generation(), before);
}

TEST_F(NetlinkKernel, TenThousandElementsAreOneTransaction) {
    ASSERT_TRUE(kernel().apply({inet(nft::AddTable{}), inet(nft::AddSet{small_set(12288)})}, {}));
    constexpr std::uint32_t count = 10'000;
    auto some = elements(count);
    // A stock host's send buffer has no room for so many comments in a user namespace.
    for (auto one = some.begin() + 2; one != some.end(); ++one)
        one->comment.clear();
    const nft::Operation add = inet(nft::AddElements{"s", nft::link_key(nft::Family::ip), some});
    ASSERT_LT(nft::encoded_size(add), kernel().batch_limit());
    ASSERT_LT(nft::encoded_size(add), 2 * 212'992u) << "a stock host's";
    const auto before = kernel().generation();
    const auto commit = kernel().apply({add}, before);
    ASSERT_TRUE(commit) << commit.error().to_string();
    EXPECT_EQ(commit->generation, before + 1);
    const auto have = kernel().snapshot(every_table);
    const nft::Set* set = have.tables.at(0).set("s");
    ASSERT_EQ(set->elements.size(), count);
    EXPECT_TRUE(std::ranges::is_sorted(set->elements, {}, &nft::Element::key));
    EXPECT_EQ(set->elements[1].comment, "/web1/db");
    EXPECT_EQ(set->elements[1].counters, nft::Counters{});
}

TEST_F(NetlinkKernel, OneElementIsReadByItsKey) {
    auto some = elements(3);
    some[1].counters = nft::Counters{7, 420};
    ASSERT_TRUE(kernel().apply({inet(nft::AddTable{}), inet(nft::AddSet{small_set(8)}),
                                inet(nft::AddElements{"s", nft::link_key(nft::Family::ip), {some[0], some[1]}})},
                               {}));
    const auto found = kernel().element(nft::Family::inet, "t", "s", some[1].key);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->key, some[1].key);
    EXPECT_EQ(found->comment, some[1].comment);
    EXPECT_EQ(found->counters, some[1].counters);
    EXPECT_FALSE(kernel().element(nft::Family::inet, "t", "s", some[2].key));
    EXPECT_FALSE(kernel().element(nft::Family::inet, "t", "nothing", some[2].key));
}

// Any listener makes a bulk load several times slower.
TEST_F(NetlinkKernel, OwnLargeTransactionsAreNotListenedTo) {
    EXPECT_FALSE(kernel().next_change());
    ASSERT_TRUE(kernel().apply({inet(nft::AddTable{}), inet(nft::AddSet{small_set(12288)})}, {}));
    ASSERT_TRUE(comes(kernel().changes_descriptor()));
    EXPECT_TRUE(kernel().next_change());
    ASSERT_TRUE(kernel().apply({inet(nft::AddElements{"s", nft::link_key(nft::Family::ip), elements(1000)})}, {}));
    EXPECT_FALSE(kernel().next_change());
    host().run("nft add table ip other");
    ASSERT_TRUE(comes(kernel().changes_descriptor()));
    EXPECT_EQ(kernel().next_change()->program, "nft") << "it listens again";
}

TEST_F(NetlinkKernel, ARefusedLargeTransactionHidesNothing) {
    EXPECT_FALSE(kernel().next_change());
    ASSERT_FALSE(kernel().apply({inet(nft::AddElements{"s", nft::link_key(nft::Family::ip), elements(1000)})}, {}));
    EXPECT_FALSE(kernel().next_change());
}

// Another program commits while nobody listens. It can't be let in between for sure; so a thread goes on committing.
TEST_F(NetlinkKernel, CommitsOfOthersDuringALargeTransactionShowAsAnOverrun) {
    ASSERT_TRUE(kernel().apply({inet(nft::AddTable{}), inet(nft::AddSet{small_set(0)})}, {}));
    EXPECT_FALSE(kernel().next_change());
    const auto other = kernel::make_netlink_kernel();
    std::atomic<bool> stop = false;
    std::thread others([&] {
        while (!stop)
            static_cast<void>(other->apply({inet(nft::AddTable{}, "other"), inet(nft::DeleteTable{}, "other")}, {}));
    });
    bool overrun = false;
    for (int round = 0; round < 200 && !overrun; ++round) {
        const auto some = elements(4000);
        EXPECT_TRUE(kernel().apply({inet(nft::AddElements{"s", nft::link_key(nft::Family::ip), some})}, {}));
        EXPECT_TRUE(kernel().apply({inet(nft::DeleteElements{"s", nft::link_key(nft::Family::ip), some})}, {}));
        while (const auto change = kernel().next_change())
            overrun |= change->overrun;
    }
    stop = true;
    others.join();
    EXPECT_TRUE(overrun);
}

TEST_F(NetlinkKernel, BatchOverTheSendBufferIsRefusedWhole) {
    ASSERT_TRUE(kernel().apply({inet(nft::AddTable{}), inet(nft::AddSet{small_set(0)})}, {}));
    constexpr std::size_t smaller_than_any_element = 40;
    const auto count = static_cast<std::uint32_t>(kernel().batch_limit() / smaller_than_any_element);
    const auto commit =
        kernel().apply({inet(nft::AddElements{"s", nft::link_key(nft::Family::ip), elements(count)})}, {});
    ASSERT_FALSE(commit);
    EXPECT_EQ(commit.error().reason, Refusal::Reason::too_large);
    EXPECT_TRUE(kernel().snapshot(every_table).tables.at(0).set("s")->elements.empty());
}

TEST_F(NetlinkKernel, SnapshotKeepsWhatItDoesNotKnow) {
    host().run(
        "nft 'table inet t { quota q { over 5 mbytes; }; counter n { }; "
        "set other { type mark; flags timeout; elements = { 1 timeout 1h }; }; "
        "chain c { type filter hook forward priority 5; policy drop; tcp dport { 1, 2 } quota over 1 mbytes drop; "
        "ct mark 1 meta mark set ct mark; meta l4proto icmp reject; }; }'");
    const nft::Ruleset have = kernel().snapshot(every_table);
    ASSERT_EQ(have.tables.size(), 1u);
    const nft::Table& table = have.tables[0];
    EXPECT_EQ(table.other_object_count, 2u) << "the quota and the counter";
    ASSERT_NE(table.set("other"), nullptr);
    EXPECT_TRUE(table.set("other")->key.empty());
    EXPECT_FALSE(table.set("other")->elements.at(0).unknown.empty()) << "its timeout";
    const nft::Chain* chain = table.chain("c");
    ASSERT_NE(chain, nullptr);
    EXPECT_EQ(chain->hook, (nft::Hook{"filter", 2, 5, 0}));
    ASSERT_EQ(chain->rules.size(), 3u);
    const auto has_unknown = [](const nft::Rule& one) {
        return std::ranges::any_of(one.expressions, [](const nft::Expression& expression) {
            return std::holds_alternative<nft::Unknown>(expression);
        });
    };
    EXPECT_TRUE(has_unknown(chain->rules[0]));
    EXPECT_TRUE(has_unknown(chain->rules[2]));
    EXPECT_NE(chain->rules[0].handle, 0u);
}

TEST_F(NetlinkKernel, SnapshotReadsOnlyWhatIsWanted) {
    host().run("nft 'table ip a { chain c { accept; }; }; table ip b { chain c { accept; }; }'");
    const auto have = kernel().snapshot([](const nft::Table& table, const nft::Ruleset&) { return table.name == "b"; });
    ASSERT_EQ(have.tables.size(), 1u);
    EXPECT_EQ(have.tables[0].chains.at(0).rules.size(), 1u);
    EXPECT_EQ(have.generation, kernel().generation());
}

TEST_F(NetlinkKernel, BridgeSwitchesAreItsOwn) {
    add_bridge(host(), "br0");
    add_bridge(host(), "br1");
    ASSERT_TRUE(kernel().enable_bridge_netfilter("br1", {true, false}));
    const kernel::Bridges bridges = kernel().bridges();
    ASSERT_EQ(bridges.bridges.size(), 2u) << "lo is none";
    EXPECT_EQ(bridges.find("br0")->own, kernel::BridgeNetfilter{});
    EXPECT_EQ(bridges.find("br1")->own, (kernel::BridgeNetfilter{true, false}));
    EXPECT_EQ(bridges.global, kernel::BridgeNetfilter{});
    EXPECT_TRUE(bridges.module_loaded);
    EXPECT_EQ(bridges.find("br2"), nullptr);
    const auto missing = kernel().enable_bridge_netfilter("br2", {true, true});
    ASSERT_FALSE(missing);
    EXPECT_THAT(missing.error(), HasSubstr("No such device"));
}

TEST_F(NetlinkKernel, EventsNameWhoCommitted) {
    const int changes = kernel().changes_descriptor();
    host().run("nft add table ip other");
    ASSERT_TRUE(comes(changes));
    const auto seen = kernel().next_change();
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->program, "nft");
    EXPECT_NE(seen->process, 0u);
    EXPECT_EQ(seen->generation, kernel().generation());
    EXPECT_FALSE(seen->overrun);
}

TEST_F(NetlinkKernel, EventsNameTheTablesOfACommit) {
    const int changes = kernel().changes_descriptor();
    const auto tables_after = [&](const std::string& commands) {
        host().run("nft '" + commands + "'");
        EXPECT_TRUE(comes(changes)) << commands;
        const auto change = kernel().next_change();
        EXPECT_TRUE(change) << commands;
        return change ? change->tables : std::vector<kernel::TableName>{};
    };
    const kernel::TableName one{nft::Family::inet, "one"}, two{nft::Family::ip, "two"};
    EXPECT_THAT(tables_after("add table inet one"), ElementsAre(one));
    EXPECT_THAT(tables_after("add table ip two; add chain inet one c"), UnorderedElementsAre(one, two));
    EXPECT_THAT(tables_after("add set inet one s { type mark; }"), ElementsAre(one));
    EXPECT_THAT(tables_after("add element inet one s { 1, 2, 3 }"), ElementsAre(one));
    EXPECT_THAT(tables_after("delete element inet one s { 2 }; add chain ip two c"), UnorderedElementsAre(one, two));
    EXPECT_THAT(tables_after("add rule inet one c meta mark @s accept"), ElementsAre(one));
    EXPECT_THAT(tables_after("add counter ip two n"), ElementsAre(two));
    EXPECT_THAT(tables_after("delete counter ip two n"), ElementsAre(two));
    EXPECT_THAT(tables_after("flush chain inet one c; delete set inet one s"), ElementsAre(one));
    EXPECT_THAT(tables_after("flush ruleset"), UnorderedElementsAre(one, two));
}

TEST_F(NetlinkKernel, LostEventsAreReported) {
    const int changes = kernel().changes_descriptor();
    const auto other = kernel::make_netlink_kernel();
    ASSERT_TRUE(other->apply({inet(nft::AddTable{}), inet(nft::AddSet{small_set(0)})}, {}));
    for (std::uint32_t round = 0; round < 40; ++round) {
        auto some = elements(4000);
        ASSERT_TRUE(other->apply({inet(nft::AddElements{"s", nft::link_key(nft::Family::ip), some})}, {}));
        ASSERT_TRUE(other->apply({inet(nft::DeleteElements{"s", nft::link_key(nft::Family::ip), some})}, {}));
    }
    bool overrun = false;
    for (int count = 0; count < 200 && !overrun; ++count) {
        ASSERT_TRUE(comes(changes)) << "no overrun came";
        if (const auto change = kernel().next_change())
            overrun = change->overrun;
    }
    EXPECT_TRUE(overrun);
}

TEST_F(NetlinkKernel, BridgesThatAreKnownAreNotTold) {
    const int changes = kernel().bridges_descriptor();
    host().run("ip link add br0 type bridge");
    kernel().bridges();
    EXPECT_FALSE(comes(changes, std::chrono::milliseconds(300)));
    host().run("ip link add br1 type bridge");
    EXPECT_TRUE(comes(changes));
}

TEST_F(NetlinkKernel, BridgesAreToldUntilTheyAreAskedFor) {
    const int changes = kernel().bridges_descriptor();
    host().run("ip link add br0 type bridge");
    for (int times = 0; times < 2; ++times)
        EXPECT_TRUE(comes(changes));
}

TEST_F(NetlinkKernel, SwitchesAndTheEndOfABridgeAreTold) {
    add_bridge(host(), "br0");
    const auto is_told = [&](auto act) {
        kernel().bridges();
        act();
        return comes(kernel().bridges_descriptor());
    };
    EXPECT_TRUE(is_told([&] { ASSERT_TRUE(kernel().enable_bridge_netfilter("br0", {true, true})); }));
    EXPECT_TRUE(is_told([&] { host().run("ip link set br0 type bridge nf_call_iptables 0"); }));
    EXPECT_TRUE(is_told([&] { host().run("ip link delete br0"); }));
}

}  // namespace
}  // namespace nftlink::test
