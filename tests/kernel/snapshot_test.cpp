// Reading what other programs wrote, also while they write.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "fixture.hpp"
#include "nftlink/enforce/plan.hpp"
#include "nftlink/nft/build.hpp"

namespace nftlink::test {
namespace {

bool every_table(const nft::Table&, const nft::Ruleset&) {
    return true;
}

// nft's own rules, far over what ours need. What this kernel lacks is left out, and must not be much.
constexpr std::array foreign_rules{
    "quota over 1 mbytes",
    "quota over 2 mbytes",
    "limit rate over 10/minute burst 7 packets drop",
    "limit rate 10 kbytes/second drop",
    "ct state invalid drop",
    "ct state established drop",
    "ct mark set 7",
    "ct mark set 8",
    "meta mark set 1",
    "ip saddr 10.0.0.0/8",
    "ip saddr 10.0.0.0/9",
    "ip daddr 1.1.1.1-1.1.1.9",
    "ip daddr != 1.1.1.1-1.1.1.9",
    "tcp dport vmap { 1 : accept }",
    "tcp flags & (syn|ack) == syn",
    "tcp flags & (syn|fin) == syn",
    "tcp option maxseg size set rt mtu",
    "tcp option maxseg size set 1400",
    "numgen random mod 4 0",
    "numgen inc mod 4 0",
    "jhash ip saddr mod 4 0",
    "jhash ip saddr mod 4 seed 0x5 0",
    "fib saddr . iif oif missing drop",
    "fib daddr type local drop",
    "osf name \"Linux\"",
    "ip ttl set 5",
    "ip dscp set cs1",
    "log prefix \"x\" level debug flags all",
    "log prefix \"x\"",
    "log group 3 snaplen 20",
    "notrack",
    "reject with icmp type host-unreachable",
    "reject with tcp reset",
    "ct count over 3",
    "ct count 3",
    "dup to 1.1.1.1",
    "meta skuid 0",
    "meta time \"2020-01-01\"",
    "meta hour \"10:00\"",
    "rt classid 3",
    "ip option rr exists",
    "synproxy mss 1460",
    "icmp type echo-request",
    "meta l4proto { tcp, udp }",
    "ct original saddr 1.1.1.1",
    "ct helper \"ftp\"",
    "ct label 3",
    "ct zone set 3",
    "meta mark and 3 == 1",
    "meta mark set ip saddr map { 1.1.1.1 : 5 }",
    "continue",
    "return",
    "goto x",
    "jump x",
    "@th,0,16 5",
    "@nh,8,3 2",
    "meta nftrace set 1",
    "ip protocol sctp sctp chunk data exists",
    "update @seen { ip saddr timeout 5s limit rate 3/second }",
    "add @seen { ip saddr }",
};

constexpr std::array foreign_tables{
    "table ip t { set seen { type ipv4_addr; size 99; flags dynamic, timeout; }; chain x { }; "
    "chain c { type filter hook forward priority 0; }; }",
    "table ip nat { map m { type inet_service : ipv4_addr; flags interval; elements = { 1-5 : 10.1.0.1 }; }; "
    "chain c { type nat hook prerouting priority dstnat; meta l4proto tcp dnat to 1.1.1.1:80; dnat to tcp dport map "
    "@m; "
    "tcp dport 5 redirect to :6; }; "
    "chain d { type nat hook postrouting priority srcnat; masquerade random; snat to 1.1.1.1-1.1.1.5; }; }",
    "table inet f { counter n { }; quota q { 5 mbytes }; limit l { rate 3/second; }; "
    "ct helper h { type \"ftp\" protocol tcp; }; "
    "chain c { type filter hook forward priority 0; counter name n; }; }",
    "table inet sets { counter n { }; map objects { type inet_service : counter; elements = { 5 : \"n\" }; }; "
    "set ranges { type ipv4_addr . inet_service; flags interval; elements = { 10.0.0.0/8 . 1-9, 11.0.0.1 . 7 }; }; "
    "set names { type ifname; flags interval; elements = { \"eth*\" }; }; "
    "set world { type ipv4_addr; flags interval; elements = { *, 10.0.0.0/9 comment \"half\" }; }; "
    "set brief { type ipv4_addr; timeout 1h; counter; elements = { 1.1.1.1 timeout 5m expires 4m }; }; "
    "map verdicts { type ifname . mark : verdict; elements = { \"a\" . 5 : drop, \"b\" . 6 : jump x }; }; "
    "chain x { }; }",
    "table arp a { chain c { type filter hook input priority 0; arp operation request drop; }; }",
    "table bridge b { chain c { type filter hook forward priority 0; ether type arp accept; vlan id 5 drop; }; }",
    "table netdev n { chain c { type filter hook ingress device lo priority 0; fwd to lo; }; }",
    "table ip sleeping { flags dormant; chain c { type filter hook forward priority 0; }; }",
};

class Snapshot : public KernelTest {
protected:
    // Gives how many of the foreign rules this kernel has.
    std::size_t load_foreign() {
        for (const char* table : foreign_tables)
            host().run(fmt::format("nft '{}'", table));
        std::size_t count = 0;
        for (const char* rule : foreign_rules)
            count += host().status(fmt::format("nft 'add rule ip t c {}'", rule)) == 0 ? 1 : 0;
        return count;
    }
};

TEST_F(Snapshot, ReadsAllThatNftWritesAndTellsItApart) {
    const std::size_t count = load_foreign();
    EXPECT_GE(count, foreign_rules.size() - 5) << "so little of it is here that this proves nothing";
    const nft::Ruleset have = kernel().snapshot(every_table);
    ASSERT_EQ(have.tables.size(), foreign_tables.size());
    EXPECT_EQ(have.table(nft::Family::inet, "f")->other_object_count, 4u) << "a counter, a quota, a limit, a helper";
    EXPECT_EQ(have.table(nft::Family::inet, "sets")->other_object_count, 1u) << "the counter";
    EXPECT_FALSE(have.table(nft::Family::ip, "sleeping")->unknown.empty());
    const auto& rules = have.table(nft::Family::ip, "t")->chain("c")->rules;
    ASSERT_EQ(rules.size(), count);
    for (std::size_t one = 0; one < rules.size(); ++one)
        for (std::size_t other = 0; other < one; ++other)
            EXPECT_FALSE(nft::same_rule(rules[one], rules[other])) << "rules " << other << " and " << one;
}

// Another program that replaces all elements of a set again and again: a snapshot shows one generation of them.
TEST_F(Snapshot, IsOfOneGenerationAlthoughOthersWrite) {
    constexpr std::uint32_t count = 2000;
    const auto elements_of = [](std::uint8_t round) {
        std::vector<nft::Element> made(count);
        for (std::uint32_t number = 0; number < count; ++number)
            made[number].key.append(std::array<std::uint8_t, 4>{round, static_cast<std::uint8_t>(number >> 8),
                                                                static_cast<std::uint8_t>(number), 0});
        return made;
    };
    nft::Set set;
    set.name = "s";
    set.key = {nft::DataType::ipv4_addr};
    const auto inet = [](nft::Action action) { return nft::Operation{nft::Family::inet, "t", std::move(action)}; };
    ASSERT_TRUE(kernel().apply(
        {inet(nft::AddTable{}), inet(nft::AddSet{set}), inet(nft::AddElements{"s", set.key, elements_of(0)})}, {}));

    std::atomic<bool> stop = false;
    std::atomic<unsigned> commit_count = 0;
    std::thread writer([&] {
        const auto other = kernel::make_netlink_kernel();
        for (std::uint8_t round = 0; !stop; ++round) {
            const auto next = static_cast<std::uint8_t>(round + 1);
            const bool done = other
                                  ->apply({inet(nft::DeleteElements{"s", set.key, elements_of(round)}),
                                           inet(nft::AddElements{"s", set.key, elements_of(next)})},
                                          {})
                                  .has_value();
            commit_count += done ? 1 : 0;
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
    });
    for (int reads = 0; reads < 100 || (commit_count < 50 && reads < 2000); ++reads) {
        const nft::Ruleset have = kernel().snapshot(every_table);
        const auto& elements = have.tables.at(0).set("s")->elements;
        EXPECT_EQ(elements.size(), count);
        const auto is_of_first = [&](const nft::Element& element) {
            return element.key.bytes()[0] == elements.front().key.bytes()[0];
        };
        EXPECT_TRUE(std::ranges::all_of(elements, is_of_first));
    }
    stop = true;
    writer.join();
    EXPECT_GE(commit_count, 50u) << "too few changes to meet";
}

// Another program that rewrites a table of its own without a pause: ours is read and written all the same.
class Storm : public Snapshot, public testing::WithParamInterface<model::Layout> {
protected:
    void SetUp() override {
        Snapshot::SetUp();
        if (!IsSkipped())
            writer_ = std::thread([this] { write(); });
    }
    void TearDown() override {
        stop_ = true;
        if (writer_.joinable())
            writer_.join();
    }

    static model::Topology star(std::uint32_t count) {
        std::vector<model::Container> containers{container("db", "docker0", {"172.17.0.2"}, {"80"})};
        for (std::uint32_t number = 0; number < count; ++number)
            containers.push_back(container(fmt::format("web{}", number), "docker0",
                                           {fmt::format("172.17.{}.{}", 1 + number / 250, 1 + number % 250)}, {},
                                           {{"db", "db"}}));
        return topology(containers);
    }

    unsigned commit_count() const { return commit_count_; }

private:
    void write() {
        const Inside inside(host());
        const auto other = kernel::make_netlink_kernel();
        const auto ip = [](nft::Action action) { return nft::Operation{nft::Family::ip, "other", std::move(action)}; };
        nft::Chain chain;
        chain.name = "c";
        while (!stop_)
            commit_count_ += other->apply({ip(nft::AddTable{}), ip(nft::DeleteTable{}), ip(nft::AddTable{}),
                                           ip(nft::AddChain{chain})},
                                          {})
                                     .has_value()
                                 ? 1
                                 : 0;
    }

    std::atomic<bool> stop_ = false;
    std::atomic<unsigned> commit_count_ = 0;
    std::thread writer_;
};

TEST_P(Storm, OfAnotherTableKeepsNobodyFromReadingAndWriting) {
    model::FirewallPolicy policy;
    policy.layout = GetParam();
    constexpr std::uint32_t count = 2000;
    const unsigned before = commit_count();
    for (const std::uint32_t links : {count, count + 1, count}) {
        const auto target = target_here(kernel(), star(links), policy);
        const auto outcome = enforce::apply(kernel(), target);
        ASSERT_TRUE(outcome) << outcome.error();
        EXPECT_FALSE(outcome->done.transactions.empty());
        const auto planned = enforce::plan(kernel(), target);
        ASSERT_TRUE(planned) << planned.error();
        EXPECT_TRUE(planned->transactions.empty()) << "all of it is there";
    }
    EXPECT_GT(commit_count(), before) << "no storm";
}

INSTANTIATE_TEST_SUITE_P(Layouts, Storm, testing::Values(model::Layout::sets, model::Layout::rules),
                         [](const auto& test) { return test.param == model::Layout::sets ? "sets" : "rules"; });

}  // namespace
}  // namespace nftlink::test
