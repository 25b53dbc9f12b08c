// Links as they are found in a kernel, in every way there is to write them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "nftlink/firewall/compile.hpp"
#include "nftlink/firewall/diff.hpp"
#include "nftlink/firewall/link_counts.hpp"
#include "nftlink/firewall/transactions.hpp"
#include "nftlink/kernel/fake_kernel.hpp"
#include "nftlink/nft/text.hpp"
#include "packets.hpp"
#include "topologies.hpp"

namespace nftlink::firewall {
namespace {

using model::AttachPoint;
using model::FirewallPolicy;
using testing::ElementsAre;

// Two links share their permissions, one has its own, one has none.
model::Topology links() {
    return topology({container("client", {on("docker0", {"172.17.0.3", "fd00::3"})}, {},
                               {{"redis", "db"}, {"redis", "cache"}, {"idle", "idle"}}),
                     container("idle", {on("docker0", {"172.17.0.5"})}),
                     container("redis", {on("docker0", {"172.17.0.2", "fd00::2"})}, {"6379/tcp", "53/udp"}),
                     container("web", {on("docker0", {"172.17.0.4"})}, {}, {{"redis", "db"}})});
}

struct Mode {
    std::string name;
    FirewallPolicy policy;
    std::string table;                   // where packets meet the links
    std::uint64_t permission_count = 4;  // of the first link
    std::uint64_t table_count = 1;       // that count, each other packets
};

class LinkCounts : public testing::TestWithParam<Mode> {
protected:
    LinkCounts() {
        for (const auto& point : GetParam().policy.attach) {
            nft::Table table;
            table.family = point.family == AttachPoint::Family::ip    ? nft::Family::ip
                           : point.family == AttachPoint::Family::ip6 ? nft::Family::ip6
                                                                      : nft::Family::inet;
            table.name = point.table;
            table.chains.push_back({point.chain, nft::Hook{"filter", 2, 0, 1}, {}, {}, {}});
            kernel_.ruleset().tables.push_back(table);
        }
    }

    void install() {
        const auto want = compile(links(), GetParam().policy);
        const auto committed = kernel_.apply(diff(have(), want), {});
        ASSERT_TRUE(committed) << committed.error().to_string();
    }

    nft::Ruleset have() {
        return kernel_.snapshot([](const nft::Table&, const nft::Ruleset&) { return true; });
    }

    std::vector<LinkCount> count() { return link_counts(have(), links(), GetParam().policy); }

    // Calls visit(chain, rule) and visit(set, element), with words for what they are, where packets meet them.
    void for_each(const std::function<void(const std::string&, nft::Counters*)>& visit) {
        for (nft::Table& table : kernel_.ruleset().tables) {
            if (table.name != GetParam().table)
                continue;
            for (nft::Chain& chain : table.chains)
                for (nft::Rule& rule : chain.rules)
                    visit(nft::to_text(rule), nft::counters(rule));
            for (nft::Set& set : table.sets)
                for (nft::Element& element : set.elements)
                    visit(set.name + " dport " + nft::to_text(element.key, set.key),
                          element.counters ? &*element.counters : nullptr);
        }
    }

    // Removes the first of what carries these words.
    bool remove(const std::vector<std::string>& words) {
        const auto is_it = [&](const std::string& text) {
            return std::ranges::all_of(words, [&](const auto& word) { return text.find(word) != std::string::npos; });
        };
        for (nft::Table& table : kernel_.ruleset().tables) {
            if (table.name != GetParam().table)
                continue;
            for (nft::Chain& chain : table.chains)
                for (auto rule = chain.rules.begin(); rule != chain.rules.end(); ++rule)
                    if (is_it(nft::to_text(*rule))) {
                        chain.rules.erase(rule);
                        return true;
                    }
            for (nft::Set& set : table.sets)
                for (auto element = set.elements.begin(); element != set.elements.end(); ++element)
                    if (is_it(set.name + " " + nft::to_text(element->key, set.key))) {
                        set.elements.erase(element);
                        return true;
                    }
        }
        return false;
    }

    static std::vector<bool> installed(const std::vector<LinkCount>& counts) {
        std::vector<bool> all;
        for (const LinkCount& count : counts)
            all.push_back(count.installed);
        return all;
    }

    kernel::FakeKernel kernel_;
};

TEST_P(LinkCounts, NothingIsInstalledInAnEmptyKernelButTheLinkThatPermitsNothing) {
    EXPECT_THAT(installed(count()), ElementsAre(false, false, true, false));
}

TEST_P(LinkCounts, EachLinkAddsUpWhatItsParentSent) {
    install();
    for_each([](const std::string& text, nft::Counters* counters) {
        if (counters != nullptr)
            *counters = text.find("dport") == std::string::npos ? nft::Counters{1000, 100'000} : nft::Counters{7, 70};
    });
    const std::uint64_t tables = GetParam().table_count, all = GetParam().permission_count * tables;
    EXPECT_THAT(count(), ElementsAre(LinkCount{"client", {"redis", "db"}, true, 7 * all, 70 * all},
                                     LinkCount{"client", {"redis", "cache"}, true, 7 * all, 70 * all},
                                     LinkCount{"client", {"idle", "idle"}, true, 0, 0},
                                     LinkCount{"web", {"redis", "db"}, true, 14 * tables, 140 * tables}));
}

TEST_P(LinkCounts, WhatIsMissingIsMissedByItsOwnLinksAlone) {
    install();
    ASSERT_TRUE(remove({"172.17.0.3", "172.17.0.2", "6379"}));
    EXPECT_THAT(installed(count()), ElementsAre(false, false, true, true));
    install();
    ASSERT_TRUE(remove({"172.17.0.4", "172.17.0.2", "53"}));
    EXPECT_THAT(installed(count()), ElementsAre(true, true, true, false));
}

TEST_P(LinkCounts, WithoutItsTableNothingIsInstalled) {
    install();
    std::erase_if(kernel_.ruleset().tables, [](const nft::Table& table) { return table.name == GetParam().table; });
    EXPECT_THAT(installed(count()), ElementsAre(false, false, true, false));
}

Mode mode(std::string name, std::uint64_t permission_count, const std::function<void(FirewallPolicy&)>& change) {
    Mode made{std::move(name), {}, "nftlink", permission_count};
    change(made.policy);
    if (!made.policy.attach.empty())
        made.table = made.policy.attach[0].table;
    return made;
}

std::vector<Mode> modes() {
    std::vector<Mode> all;
    for (const auto family : {model::Family::inet, model::Family::ip, model::Family::bridge})
        for (const auto layout : {model::Layout::sets, model::Layout::rules})
            for (const auto replies : {model::Replies::established, model::Replies::source_port}) {
                const std::string name = std::string(family == model::Family::inet ? "inet"
                                                     : family == model::Family::ip ? "ip"
                                                                                   : "bridge") +
                                         (layout == model::Layout::sets ? "_sets" : "_rules") +
                                         (replies == model::Replies::established ? "" : "_source_port");
                all.push_back(mode(name, family == model::Family::ip ? 2 : 4, [&](FirewallPolicy& policy) {
                    policy.family = family;
                    policy.layout = layout;
                    policy.replies = replies;
                }));
                if (family == model::Family::bridge)
                    all.back().table_count = 2;
            }
    const auto attached = [&](const std::string& name, std::uint64_t count, std::vector<AttachPoint> points) {
        for (const bool marked : {false, true})
            for (const auto replies : {model::Replies::established, model::Replies::source_port}) {
                const std::string ending = replies == model::Replies::established ? "" : "_source_port";
                all.push_back(mode(name + (marked ? "_marked" : "") + ending, count, [&](FirewallPolicy& policy) {
                    policy.layout = model::Layout::rules;
                    policy.replies = replies;
                    policy.attach = points;
                    if (marked)
                        policy.accept_mark = 7;
                }));
            }
    };
    attached("iptables", 2, {{AttachPoint::Family::ip, "filter", "FORWARD"}});
    attached("iptables_both", 4,
             {{AttachPoint::Family::ip, "filter", "FORWARD"}, {AttachPoint::Family::ip6, "filter", "FORWARD"}});
    attached("nft", 4, {{AttachPoint::Family::inet, "fw", "forward"}});
    return all;
}

INSTANTIATE_TEST_SUITE_P(All, LinkCounts, testing::ValuesIn(modes()), [](const auto& test) { return test.param.name; });

nft::Ruleset read(kernel::FakeKernel& kernel) {
    return kernel.snapshot([](const nft::Table&, const nft::Ruleset&) { return true; });
}

// What comes last of the first link, in the sets' order; and what no link lets through.
Packet last_answer(const model::Topology& links) {
    const auto address = [](const char* text) { return model::Address::parse(text).value(); };
    return {"docker0",
            "docker0",
            address("fd00::2"),
            address("fd00::3"),
            model::Protocol::tcp,
            links.find("redis")->expose.back().number,
            40000,
            true};
}
Packet unlinked() {
    const auto address = [](const char* text) { return model::Address::parse(text).value(); };
    return {"docker0", "docker0", address("172.17.0.5"), address("172.17.0.2"), model::Protocol::tcp, 40000, 1};
}

// The first time everything is new, then the sets must be made anew, under their other names and back.
TEST(LinkCountsInPieces, WhatIsBeingPreparedIsNotInstalled) {
    kernel::FakeKernel kernel;
    std::optional<model::Topology> last;
    for (const std::string ports : {"1-60", "1-200", "1-400"}) {
        const bool is_first = !last;
        auto after = links();
        after.containers["redis"].expose = model::parse_ports(ports).value();
        const auto before = last.value_or(after);
        const auto pieces = transactions(read(kernel), compile(after, {}), {80'000, 50}).batches;
        ASSERT_GE(pieces.size(), 4u);
        for (const nft::Batch& piece : pieces) {
            const auto now = read(kernel);
            const bool passes_last = !now.tables.empty() && passes(now, last_answer(after)) && !passes(now, unlinked());
            EXPECT_EQ(link_counts(now, after, {})[0].installed, passes_last);
            EXPECT_EQ(link_counts(now, before, {})[0].installed, !is_first || passes_last);
            ASSERT_TRUE(kernel.apply(piece, {}));
        }
        EXPECT_TRUE(link_counts(read(kernel), after, {})[0].installed) << ports;
        for (nft::Set& set : kernel.ruleset().tables[0].sets)
            for (nft::Element& element : set.elements)
                element.counters = nft::Counters{5, 50};
        EXPECT_EQ(link_counts(read(kernel), after, {})[0].packets, 2 * 5 * after.containers["redis"].expose.size());
        last = after;
    }
}

// A link whose answers are kept away is none.
TEST(LinkCountsOfSets, WithoutItsRepliesALinkIsNotInstalled) {
    kernel::FakeKernel kernel;
    ASSERT_TRUE(kernel.apply(diff({}, compile(seed(), {})), {}));
    EXPECT_TRUE(link_counts(read(kernel), seed(), {})[0].installed);
    for (nft::Set& set : kernel.ruleset().tables[0].sets)
        if (set.name == "replies6")
            set.elements.clear();
    EXPECT_FALSE(link_counts(read(kernel), seed(), {})[0].installed);
}

TEST(LinkCountsOfSets, WithoutCountersLinksAreInstalledAndHaveNoCounts) {
    for (const auto counters : {model::Counters::bridges, model::Counters::none}) {
        kernel::FakeKernel kernel;
        FirewallPolicy policy;
        policy.counters = counters;
        ASSERT_TRUE(kernel.apply(diff({}, compile(seed(), policy)), {}));
        EXPECT_THAT(link_counts(read(kernel), seed(), policy),
                    ElementsAre(LinkCount{"client", {"redis", "db"}, true, 0, 0}));
    }
}

TEST(LinkCountsAttached, ATwinOfSomebodyElsesIsNotCounted) {
    kernel::FakeKernel kernel;
    FirewallPolicy policy;
    policy.layout = model::Layout::rules;
    policy.attach = {{AttachPoint::Family::ip, "filter", "FORWARD"}};
    nft::Table table;
    table.family = nft::Family::ip;
    table.name = "filter";
    table.chains.push_back({"FORWARD", nft::Hook{"filter", 2, 0, 1}, {}, {}, {}});
    kernel.ruleset().tables.push_back(table);
    ASSERT_TRUE(kernel.apply(diff(read(kernel), compile(seed(), policy)), {}));
    auto& rules = kernel.ruleset().tables[0].chains[0].rules;
    nft::counters(rules[1])->packets = 3;  // the first is of replies
    nft::Rule twin = rules[1];
    twin.owner.clear();
    nft::counters(twin)->packets = 100;
    rules.insert(rules.begin(), twin);
    EXPECT_EQ(link_counts(read(kernel), seed(), policy)[0].packets, 3u);
}

}  // namespace
}  // namespace nftlink::firewall
