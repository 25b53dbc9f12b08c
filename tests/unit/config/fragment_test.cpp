#include "nftlink/config/fragment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace nftlink::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

model::Topology topology_of(const std::string& text) {
    const auto loaded = parse({{"a.yaml", text}});
    EXPECT_TRUE(loaded) << loaded.error().front().to_string();
    return loaded->config.topology;
}

std::string error_of(const std::string& text, std::string_view name = "web") {
    const auto parsed = parse_container({"web.yaml", text}, name);
    return parsed ? "" : parsed.error().front().to_string();
}

TEST(Fragment, ReadsWhatItWrites) {
    const auto topology = topology_of(R"(
containers:
  "1": {bridge: b, addresses: [10.0.0.1, fd00::1], expose: [80, 80/udp, 8000-8010/sctp]}
  yes: {networks: {b: [10.0.0.2], "null": [10.1.0.2]}, links: ["1", "1:other.alias"]}
  plain: {bridge: b, addresses: [10.0.0.3], environment: ["A=b", "KEY", "EMPTY=", "Q=\"'\\", "N=a\nb\tc\u2028\u0001\x7fé😀"]}
)");
    for (const auto& [name, container] : topology.containers) {
        const auto parsed = parse_container({"x", to_yaml(container)}, name);
        ASSERT_TRUE(parsed) << to_yaml(container) << parsed.error().front().to_string();
        EXPECT_EQ(*parsed, container) << to_yaml(container);
    }
}

TEST(Fragment, IsAPartOfAConfiguration) {
    const auto topology = topology_of("containers: {a: {bridge: b, addresses: [10.0.0.1]}}");
    EXPECT_EQ(topology_of(to_yaml(topology.containers.at("a"))), topology);
}

TEST(Fragment, IsOneContainerAndNothingElse) {
    const std::string web = "  web: {bridge: b, addresses: [10.0.0.1]}\n";
    EXPECT_EQ(error_of("containers:\n" + web), "");
    EXPECT_THAT(error_of(""), HasSubstr("must be a map"));
    EXPECT_THAT(error_of("containers:\n" + web + "log: {}\n"), HasSubstr("web.yaml:3:1: unknown key 'log'"));
    EXPECT_THAT(error_of("containers:\n" + web + "  x: {bridge: b, addresses: [10.0.0.2]}\n"),
                HasSubstr("one container, 'web'"));
    EXPECT_THAT(error_of("containers: {}\n"), HasSubstr("one container, 'web'"));
    EXPECT_THAT(error_of("containers:\n" + web, "other"),
                HasSubstr("web.yaml:2:3: this must be the container 'other', not 'web'"));
    EXPECT_THAT(error_of("containers:\n  web: {bridge: b, addresses: [10.0.0.1], exposes: []}\n"),
                HasSubstr("did you mean 'expose'?"));
    EXPECT_THAT(error_of("containers:\n  web: {bridge"), HasSubstr("web.yaml:"));
    EXPECT_THAT(error_of(std::string(100, '\0')), HasSubstr("NUL"));
}

constexpr const char* base_text = R"(
containers:
  a: {bridge: b, addresses: [10.0.0.1], expose: [1]}
  b: {bridge: b, addresses: [10.0.0.2, fd00::2], links: [a]}
  c: {bridge: c, addresses: [10.0.0.1]}
)";

TEST(CheckFit, FindsNothingInAConfigurationThatHolds) {
    EXPECT_THAT(check_fit(topology_of(base_text), {}, {"a", "b", "c", "nosuch"}), IsEmpty());
}

TEST(CheckFit, FindsWhatDoesNotFit) {
    auto topology = topology_of(base_text);
    topology.containers["c"].networks[0].bridge = "b";
    EXPECT_THAT(check_fit(topology, {}, {"c"}),
                ElementsAre(Misfit{Misfit::Kind::address, "c", 0,
                                   "the address 10.0.0.1 is used twice on bridge 'b': 'a' has it already", "a"}));
    EXPECT_THAT(check_fit(topology, {}, {"b"}), IsEmpty());

    topology = topology_of(base_text);
    topology.containers["a"].networks[0].bridge = "d";
    EXPECT_THAT(check_fit(topology, {}, {"a"}), IsEmpty()) << "a link may lead to another bridge";
    topology.containers.erase("a");
    EXPECT_THAT(check_fit(topology, {}, {"a"}),
                ElementsAre(Misfit{Misfit::Kind::child, "b", 0, "there is no container 'a'", "a"}));

    topology = topology_of(base_text);
    topology.containers["b"].links[0].child = "abc";
    topology.containers["abd"] = {"abd", topology.containers["c"].networks, {}, {}, {}};
    EXPECT_THAT(
        check_fit(topology, {}, {"b"}),
        ElementsAre(Misfit{Misfit::Kind::child, "b", 0, "there is no container 'abc'; did you mean 'abd'?", "abc"}));

    model::FirewallPolicy ip;
    ip.family = model::Family::ip;
    topology = topology_of(base_text);
    topology.containers["b"].networks[0].addresses.erase(topology.containers["b"].networks[0].addresses.begin());
    EXPECT_EQ(check_fit(topology, ip, {"b"}).front().kind, Misfit::Kind::family);
}

TEST(CheckFit, CountsAddressesOverAllNetworks) {
    auto topology = topology_of(base_text);
    topology.containers["c"].networks.push_back(
        {"b", {*model::Address::parse("10.0.0.9"), *model::Address::parse("fd00::2")}});
    EXPECT_THAT(check_fit(topology, {}, {"c"}),
                ElementsAre(Misfit{Misfit::Kind::address, "c", 2,
                                   "the address fd00::2 is used twice on bridge 'b': 'b' has it already", "b"}));
    topology.containers["c"].networks = {{"x", {*model::Address::parse("fd00::2"), *model::Address::parse("fd00::2")}}};
    EXPECT_THAT(check_fit(topology, {}, {"c"}),
                ElementsAre(Misfit{Misfit::Kind::address, "c", 1,
                                   "the address fd00::2 is used twice on bridge 'x': 'c' has it already", "c"}));
}

TEST(CheckFit, OfTwoThatAreAskedAboutTheLaterOneIsWrong) {
    auto topology = topology_of(base_text);
    topology.containers["c"].networks[0].bridge = "b";
    const auto wrong = [&](const std::vector<std::string>& names) {
        const auto misfits = check_fit(topology, {}, names);
        return misfits.size() == 1 ? misfits.front().container + misfits.front().other : "";
    };
    EXPECT_EQ(wrong({"a", "b", "c"}), "ca");
    EXPECT_EQ(wrong({"c", "b", "a"}), "ac");
    EXPECT_EQ(wrong({"a", "a", "c", "c"}), "ca") << "named twice is asked about once";
}

TEST(CheckFit, OneChangeAmongTenThousandIsCheap) {
    model::Topology topology;
    for (int i = 0; i < 10'000; ++i) {
        const std::string name = "c" + std::to_string(i);
        const auto address =
            model::Address::parse("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1));
        topology.containers[name] = {name, {{"b", {*address}}}, {}, {}, {{"c0", "x"}, {"c1", "y"}}};
    }
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 10; ++i)
        EXPECT_THAT(check_fit(topology, {}, {"c5000"}), IsEmpty());
    // Some hundredths of a second with sanitizers; comparing each with each would take minutes.
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

}  // namespace
}  // namespace nftlink::config
