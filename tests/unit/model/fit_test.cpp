#include "nftlink/model/fit.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>

namespace nftlink::model {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<Address> addresses(const std::vector<std::string>& texts) {
    std::vector<Address> result;
    for (const std::string& text : texts)
        result.push_back(*Address::parse(text));
    return result;
}

Container on(const std::string& bridge, const std::vector<std::string>& texts, std::vector<Link> links = {}) {
    return {.name = "",
            .networks = {{bridge, addresses(texts)}},
            .expose = {},
            .environment = {},
            .links = std::move(links)};
}

Topology topology_of(const std::vector<std::pair<std::string, Container>>& containers) {
    Topology topology;
    for (const auto& [name, container] : containers)
        (topology.containers[name] = container).name = name;
    return topology;
}

// So many addresses, and ports from 1 on.
Container large(int subnet, int count, int ports, std::vector<Link> links = {}) {
    std::vector<std::string> texts;
    for (int i = 1; i <= count; ++i)
        texts.push_back(fmt::format("10.{}.0.{}", subnet, i));
    Container made = on("br0", texts, std::move(links));
    if (ports > 0)
        made.expose = *parse_ports(fmt::format("1-{}", ports));
    return made;
}

Topology three() {
    return topology_of({{"a", on("b", {"10.0.0.1"})},
                        {"b", on("b", {"10.0.0.2", "fd00::2"}, {{"a", "a"}})},
                        {"c", on("c", {"10.0.0.1"})}});
}

std::vector<Misfit> check(const ContainerView& containers, const std::vector<std::string>& names) {
    return check_fit(containers, {}, names);
}

TEST(Fit, OfWhatHoldsNothingIsWrong) {
    EXPECT_THAT(check(three(), {"a", "b", "c", "nosuch"}), IsEmpty());
}

TEST(Fit, AnAddressIsUsedOnceOnABridge) {
    auto topology = three();
    topology.containers["c"].networks[0].bridge = "b";
    EXPECT_THAT(check(topology, {"c"}),
                ElementsAre(Misfit{Misfit::Kind::address, "c", 0,
                                   "the address 10.0.0.1 is used twice on bridge 'b': 'a' has it already", "a"}));
    EXPECT_THAT(check(topology, {"b"}), IsEmpty());
}

TEST(Fit, AChildIsThereOnWhateverBridge) {
    auto topology = three();
    topology.containers["a"].networks[0].bridge = "d";
    EXPECT_THAT(check(topology, {"a"}), IsEmpty());
    topology.containers.erase("a");
    EXPECT_THAT(check(topology, {"a"}),
                ElementsAre(Misfit{Misfit::Kind::child, "b", 0, "there is no container 'a'", "a"}));
}

TEST(Fit, OfAChildWhoseNameIsWrongACloseOneIsNamedTenTimes) {
    auto topology = topology_of({{"abd", on("b", {"10.0.0.1"})}, {"p", on("b", {"10.0.0.2"})}});
    for (int i = 0; i < 12; ++i)
        topology.containers["p"].links.push_back({"abc", fmt::format("a{}", i)});
    const auto misfits = check(topology, {"p"});
    ASSERT_THAT(misfits, SizeIs(12));
    EXPECT_EQ(misfits[9],
              (Misfit{Misfit::Kind::child, "p", 9, "there is no container 'abc'; did you mean 'abd'?", "abc"}));
    EXPECT_EQ(misfits[10], (Misfit{Misfit::Kind::child, "p", 10, "there is no container 'abc'", "abc"}));
}

TEST(Fit, AContainerHasAnAddressThatThePolicyIsAbout) {
    const auto topology = topology_of({{"a", on("b", {"fd00::1"})}, {"b", on("b", {"fd00::2", "10.0.0.1"})}});
    FirewallPolicy policy;
    EXPECT_THAT(check_fit(topology, policy, {"a", "b"}), IsEmpty());
    policy.family = Family::ip;
    EXPECT_THAT(check_fit(topology, policy, {"a", "b"}),
                ElementsAre(Misfit{Misfit::Kind::family, "a", 0,
                                   "'a' has only IPv6 addresses, and 'family: ip' is about IPv4 only; use "
                                   "'family: inet'",
                                   ""}));
    policy.attach = {{AttachPoint::Family::ip, "filter", "FORWARD"}};
    EXPECT_THAT(check_fit(topology, policy, {"a", "b"}),
                ElementsAre(Misfit{Misfit::Kind::family, "a", 0,
                                   "'a' has only IPv6 addresses, and 'attach' names no chain for IPv6; add one of "
                                   "family ip6 or inet",
                                   ""}));
}

TEST(Fit, AddressesAreCountedOverAllNetworks) {
    auto topology = three();
    topology.containers["c"].networks.push_back({"b", addresses({"10.0.0.9", "fd00::2"})});
    EXPECT_THAT(check(topology, {"c"}),
                ElementsAre(Misfit{Misfit::Kind::address, "c", 2,
                                   "the address fd00::2 is used twice on bridge 'b': 'b' has it already", "b", 1}));
    topology.containers["c"].networks = {{"x", addresses({"fd00::2", "fd00::2"})}};
    EXPECT_THAT(check(topology, {"c"}),
                ElementsAre(Misfit{Misfit::Kind::address, "c", 1,
                                   "the address fd00::2 is used twice on bridge 'x': 'c' has it already", "c"}));
}

TEST(Fit, OfTwoThatAreAskedAboutTheLaterOneIsWrong) {
    auto topology = three();
    topology.containers["c"].networks[0].bridge = "b";
    const auto wrong = [&](const std::vector<std::string>& names) {
        const auto misfits = check(topology, names);
        return misfits.size() == 1 ? misfits.front().container + misfits.front().other : "";
    };
    EXPECT_EQ(wrong({"a", "b", "c"}), "ca");
    EXPECT_EQ(wrong({"c", "b", "a"}), "ac");
    EXPECT_EQ(wrong({"a", "a", "c", "c"}), "ca") << "named twice is asked about once";
}

TEST(Fit, WhatIsWrongComesInTheOrderAsked) {
    const auto topology = topology_of({{"a", on("b", {"fd00::1", "fd00::2"})},
                                       {"b", on("b", {"fd00::2"})},
                                       {"c", on("b", {"10.0.0.1", "fd00::1"})},
                                       {"d", on("b", {"fd00::1"}, {{"nosuch", "x"}})}});
    const auto all = [&](const std::vector<std::string>& names) {
        FirewallPolicy policy;
        policy.family = Family::ip;
        std::string text;
        for (const Misfit& misfit : check_fit(topology, policy, names))
            text += fmt::format("{}{}{} ", misfit.container, static_cast<int>(misfit.kind), misfit.index);
        return text;
    };
    EXPECT_EQ(all({"d", "c", "b", "a"}), "d10 c01 b10 a10 a00 a01 d20 ");
    EXPECT_EQ(all({"a", "b", "c", "d"}), "a10 b10 b00 c01 d10 d00 d20 ");
}

TEST(Fit, OneChangeAmongTenThousandIsCheap) {
    Topology topology;
    for (int i = 0; i < 10'000; ++i) {
        const std::string name = fmt::format("c{}", i);
        (topology.containers[name] =
             on("b", {fmt::format("10.0.{}.{}", i / 250, i % 250 + 1)}, {{"c0", "x"}, {"c1", "y"}}))
            .name = name;
    }
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 10; ++i)
        EXPECT_THAT(check(topology, {"c5000"}), IsEmpty());
    // Some hundredths of a second with sanitizers; comparing each with each would take minutes.
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST(FitOfAll, IsThatOfEachInTheirOrder) {
    auto topology = three();
    topology.containers["c"].networks[0].bridge = "b";
    topology.containers["a"].links = {{"nosuch", "x"}};
    const FirewallPolicy policy;
    PermissionSum host(policy, no_limits);
    EXPECT_EQ(check_all_fit(topology, policy, Unplaced::refused, host), check(topology, {"a", "b", "c"}));
    EXPECT_THAT(check_all_fit(topology, policy, Unplaced::allowed, host), SizeIs(1)) << "the address alone";
}

TEST(FitOfAll, CountsOnlyWhatCanBeCounted) {
    const auto topology =
        topology_of({{"c", large(1, 16, 65)}, {"d", large(2, 1, 5)}, {"p", large(3, 16, 0, {{"c", "c"}, {"d", "d"}})}});
    const FirewallPolicy policy;
    PermissionSum host(policy, no_limits);
    const auto is_not_c = [](const Container&, const Container& child) { return child.name != "c"; };
    EXPECT_THAT(check_all_fit(topology, policy, Unplaced::refused, host, is_not_c), IsEmpty());
    EXPECT_EQ(host.total(), 16 * 5u);
    EXPECT_THAT(check_all_fit(topology, policy, Unplaced::refused, host), SizeIs(1));
}

class PermissionFit : public testing::Test {
protected:
    std::vector<Misfit> check(const std::vector<std::string>& names, std::size_t limit) {
        host_.emplace(policy_, Limits{limit});
        return check_fit(topology_, policy_, names, Unplaced::refused, &*host_);
    }

    FirewallPolicy policy_;
    Topology topology_ = topology_of({{"c", large(1, 1, 4)},
                                      {"d", large(2, 1, 5)},
                                      {"p", large(3, 1, 0, {{"c", "c"}, {"c", "x"}, {"d", "d"}})},
                                      {"q", large(4, 1, 0, {{"c", "c"}})}});
    std::optional<PermissionSum> host_;
};

TEST_F(PermissionFit, AddsWhatComesFromTheContainersAndWhatLeadsToThem) {
    EXPECT_THAT(check({"c"}, 8), IsEmpty());
    EXPECT_EQ(host_->total(), 8u);
    EXPECT_THAT(check({"p"}, 9), IsEmpty());
    EXPECT_EQ(host_->total(), 9u);
    EXPECT_THAT(check({"q", "p", "c"}, 13), IsEmpty());
    EXPECT_EQ(host_->total(), 13u);
}

TEST_F(PermissionFit, NamesTheLinkThatGoesOverTheHostsLimitAndNoneAfterIt) {
    EXPECT_THAT(check({"p", "q"}, 8),
                ElementsAre(Misfit{Misfit::Kind::host_permissions, "p", 2,
                                   "the link from 'p' to 'd' takes this host to 9 permissions, and "
                                   "'limits.permissions' allows 8",
                                   "d"}));
    EXPECT_THAT(check({"c"}, 3), ElementsAre(testing::Field(&Misfit::container, "p")));
}

TEST_F(PermissionFit, OfLinksAloneCountsOnlyThoseFromTheContainers) {
    PermissionSum host(policy_, {}, 100);
    EXPECT_THAT(check_links_fit(topology_, policy_, {"c", "p"}, Unplaced::refused, &host), IsEmpty());
    EXPECT_EQ(host.total(), 109u);
}

TEST_F(PermissionFit, FindsOneLinkTooManyAndOneThatIsTooLarge) {
    Container& parent = topology_.containers["p"];
    parent.links.clear();
    for (int i = 0; i < 4096; ++i)
        parent.links.push_back({"c", fmt::format("a{}", i)});
    EXPECT_THAT(check({"p"}, 1000), IsEmpty());
    parent.links.push_back({"d", "more"});
    for (const auto& misfits : {check({"p"}, 1000), check_links_fit(topology_, policy_, {"p"})})
        EXPECT_THAT(misfits, ElementsAre(Misfit{Misfit::Kind::links, "p", 4096, "'p' has more than 4,096 links", ""}));

    topology_ = topology_of({{"p", large(1, 16, 0, {{"c", "c"}})}, {"c", large(2, 16, 65)}});
    for (const std::string name : {"p", "c"})
        EXPECT_THAT(check({name}, 1'000'000),
                    ElementsAre(Misfit{Misfit::Kind::link_permissions, "p", 0,
                                       "16 x 16 addresses and 65 ports are 16,640 permissions, and one link may have "
                                       "16,384",
                                       "c"}));
}

TEST_F(PermissionFit, AsManyLinksAsAHostHasAreNotAllNamed) {
    topology_ = topology_of({{"p", large(1, 16, 0)}, {"c", large(2, 16, 65)}});
    Container& parent = topology_.containers["p"];
    for (int i = 0; i < 4000; ++i)
        parent.links.push_back({"c", fmt::format("a{}", i)});
    EXPECT_THAT(check({"c"}, 1), SizeIs(1000));
}

class UnplacedFit : public testing::Test {
protected:
    UnplacedFit() { policy_.family = Family::ip; }

    void add(const std::string& name, std::vector<Network> networks, std::vector<Link> links) {
        topology_.containers[name] = {
            .name = name, .networks = std::move(networks), .expose = {}, .environment = {}, .links = std::move(links)};
    }

    std::vector<Misfit::Kind> kinds(Unplaced unplaced) const {
        std::vector<Misfit::Kind> kinds;
        for (const Misfit& misfit : check_fit(topology_, policy_, {"a", "b", "c"}, unplaced))
            kinds.push_back(misfit.kind);
        return kinds;
    }

    const Network here_{"x", {*Address::parse("10.0.0.1")}};
    const Network there_{"y", {*Address::parse("10.0.0.2")}};
    FirewallPolicy policy_;
    Topology topology_;
};

TEST_F(UnplacedFit, AnEngineMayKnowWhatIsMissing) {
    add("a", {here_}, {{"nosuch", "n"}, {"b", "b"}});
    add("b", {}, {{"a", "a"}});
    using enum Misfit::Kind;
    EXPECT_THAT(kinds(Unplaced::refused), ElementsAre(family, child));
    EXPECT_THAT(kinds(Unplaced::allowed), IsEmpty());
}

TEST_F(UnplacedFit, WhatIsKnownMustFit) {
    add("a", {here_}, {{"c", "c"}});
    add("b", {here_}, {});
    add("c", {there_}, {});
    EXPECT_THAT(kinds(Unplaced::allowed), ElementsAre(Misfit::Kind::address));
}

}  // namespace
}  // namespace nftlink::model
