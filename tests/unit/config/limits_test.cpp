// What a configuration, and containers beside it, may have at most.
#include "nftlink/model/limits.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nftlink/config/config.hpp"
#include "nftlink/config/fragment.hpp"

namespace nftlink::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<std::string> errors(const std::string& text) {
    std::vector<std::string> messages;
    const auto result = parse({{"a.yaml", text}});
    for (const auto& error : result ? base::Errors{} : result.error())
        messages.push_back(error.to_string());
    return messages;
}

std::string addresses(int subnet, int count) {
    std::string text;
    for (int i = 1; i <= count; ++i)
        text += fmt::format("{}10.{}.0.{:03}", i == 1 ? "" : ",", subnet, 100 + i);
    return text;
}

// One on a line.
std::string container(const std::string& name, int subnet, int count, const std::string& expose,
                      const std::string& links = "", const std::string& bridge = "br0") {
    return fmt::format("  {}: {{bridge: {}, expose: [{}], links: [{}], addresses: [{}]}}\n", name, bridge, expose,
                       links, addresses(subnet, count));
}

TEST(Limits, OfAHostAreRead) {
    EXPECT_EQ(parse({{"a.yaml", ""}})->config.limits.permissions, 1'048'576u);
    EXPECT_EQ(parse({{"a.yaml", "limits: ~\n"}})->config.limits.permissions, 1'048'576u);
    EXPECT_EQ(parse({{"a.yaml", "limits: {permissions: 1}"}})->config.limits.permissions, 1u);
    EXPECT_EQ(parse({{"a.yaml", "limits: {permissions: 16777216}"}})->config.limits.permissions, 16'777'216u);
    EXPECT_THAT(errors("limits: {permissions: 0}"),
                ElementsAre("a.yaml:1:23: 'permissions' must be a number from 1 to 16777216, not '0'"));
    EXPECT_THAT(errors("limits: {permissions: 16777217}"), SizeIs(1));
    EXPECT_THAT(errors("limits: {permissions: many}"), SizeIs(1));
    EXPECT_THAT(errors("limits: {permissions: '7'}"), ElementsAre(HasSubstr("write it without quotes")));
    EXPECT_THAT(errors("limits: {permision: 7}"), ElementsAre(HasSubstr("did you mean 'permissions'?")));
    EXPECT_THAT(errors("limit: {permissions: 7}"), ElementsAre(HasSubstr("did you mean 'limits'?")));
}

TEST(Limits, AreOneSectionWhereverTheyStand) {
    const auto both = parse({{"a.yaml", "limits: {permissions: 5}\n"}, {"b.yaml", "limits: {permissions: 6}\n"}});
    ASSERT_FALSE(both);
    EXPECT_THAT(both.error().front().to_string(), HasSubstr("b.yaml:1:10: "));
    EXPECT_EQ(parse({{"a.yaml", "limits: ~\n"}, {"b.yaml", "limits: {permissions: 6}\n"}})->config.limits.permissions,
              6u);
}

TEST(Limits, OfAddressesAreToldAtTheSeventeenth) {
    EXPECT_THAT(errors("containers:\n" + container("a", 1, 16, "")), IsEmpty());
    EXPECT_THAT(errors("containers:\n" + container("a", 1, 99, "")),
                ElementsAre("a.yaml:2:231: 'a' has more than 16 addresses on bridge 'br0'"));
    const std::string two =
        fmt::format("containers: {{a: {{networks: {{br0: [{}], br1: [{}]}}}}}}", addresses(1, 16), addresses(1, 16));
    EXPECT_THAT(errors(two), IsEmpty()) << "each bridge has its own";
}

TEST(Limits, OfLinksAreToldAtTheFirstOneTooMany) {
    const auto with_links = [](int count) {
        std::string text =
            "containers:\n  redis: {bridge: b, addresses: [10.0.0.1], expose: [1]}\n"
            "  web:\n    bridge: b\n    addresses: [10.0.0.2]\n    links:\n";
        for (int i = 1; i <= count; ++i)
            text += fmt::format("      - redis:a{}\n", i);
        return text;
    };
    EXPECT_THAT(errors(with_links(4096)), IsEmpty());
    EXPECT_THAT(errors(with_links(5000)), ElementsAre("a.yaml:4103:9: 'web' has more than 4,096 links"));
}

TEST(Limits, OfALinkAreToldAtTheLink) {
    const auto with_ports = [](const std::string& ports) {
        return errors("containers:\n  p: {links: ['c:x', c], bridge: br0, addresses: [" + addresses(1, 16) + "]}\n" +
                      container("c", 2, 16, ports));
    };
    EXPECT_THAT(with_ports("1-64"), IsEmpty());
    EXPECT_THAT(
        with_ports("1-65"),
        ElementsAre(
            "a.yaml:2:15: 16 x 16 addresses and 65 ports are 16,640 permissions, and one link may have 16,384",
            "a.yaml:2:22: 16 x 16 addresses and 65 ports are 16,640 permissions, and one link may have 16,384"));
}

TEST(Limits, OfALinkAreToldAHundredTimesAndThatThereAreMore) {
    std::string links;
    for (int i = 0; i < 500; ++i)
        links += fmt::format("{}'c:a{}'", i == 0 ? "" : ",", i);
    const auto messages = errors("containers:\n" + container("p", 1, 16, "", links) + container("c", 2, 16, "1-65"));
    ASSERT_THAT(messages, SizeIs(101));
    EXPECT_THAT(messages.back(), HasSubstr("so it is with more links, of which the first 100 are named"));
}

TEST(Limits, OfTheHostAreToldOnceAtTheLinkThatGoesOver) {
    const std::string text =
        "containers:\n"
        "  web: {links: ['a:x', 'a:y', b, c], bridge: br0, addresses: [10.9.0.1]}\n" +
        container("a", 1, 1, "1-3") + container("b", 2, 1, "1-4") + container("c", 3, 2, "9") +
        container("d", 4, 1, "", "a");
    EXPECT_THAT(errors("limits: {permissions: 12}\n" + text), IsEmpty());
    EXPECT_THAT(errors("limits: {permissions: 6}\n" + text),
                ElementsAre("a.yaml:3:31: the link from 'web' to 'b' takes this host to 7 permissions, and "
                            "'limits.permissions' allows 6"));
    EXPECT_THAT(errors(text + "limits: {permissions: 11}\n"), ElementsAre(HasSubstr("the link from 'd' to 'a'")));
}

model::Topology topology_of(const std::string& text) {
    return parse({{"a.yaml", text}})->config.topology;
}

class FitTest : public testing::Test {
protected:
    std::vector<Misfit> check(const std::vector<std::string>& names, std::size_t limit) {
        host_.emplace(policy_, model::Limits{limit});
        return check_fit(topology_, policy_, names, Unplaced::refused, &*host_);
    }

    model::FirewallPolicy policy_;
    model::Topology topology_ =
        topology_of("containers:\n" + container("c", 1, 1, "1-4") + container("d", 2, 1, "1-5") +
                    container("p", 3, 1, "", "c,'c:x',d") + container("q", 4, 1, "", "c"));
    std::optional<model::PermissionSum> host_;
};

TEST_F(FitTest, AddsWhatComesFromTheContainersAndWhatLeadsToThem) {
    EXPECT_THAT(check({"c"}, 8), IsEmpty());
    EXPECT_EQ(host_->total(), 8u);
    EXPECT_THAT(check({"p"}, 9), IsEmpty());
    EXPECT_EQ(host_->total(), 9u);
    EXPECT_THAT(check({"q", "p", "c"}, 13), IsEmpty());
    EXPECT_EQ(host_->total(), 13u);
}

TEST_F(FitTest, NamesTheLinkThatGoesOverTheHostsLimitAndNoneAfterIt) {
    EXPECT_THAT(check({"p", "q"}, 8),
                ElementsAre(Misfit{Misfit::Kind::host_permissions, "p", 2,
                                   "the link from 'p' to 'd' takes this host to 9 permissions, and "
                                   "'limits.permissions' allows 8",
                                   "d"}));
    EXPECT_THAT(check({"c"}, 3), ElementsAre(testing::Field(&Misfit::container, "p")));
}

TEST_F(FitTest, OfLinksAloneCountsOnlyThoseFromTheContainers) {
    model::PermissionSum host(policy_, {}, 100);
    EXPECT_THAT(check_links_fit(topology_, policy_, {"c", "p"}, Unplaced::refused, &host), IsEmpty());
    EXPECT_EQ(host.total(), 109u);
}

TEST_F(FitTest, FindsOneLinkTooManyAndOneThatIsTooLarge) {
    model::Container& parent = topology_.containers["p"];
    parent.links.clear();
    for (int i = 0; i < 4096; ++i)
        parent.links.push_back({"c", fmt::format("a{}", i)});
    EXPECT_THAT(check({"p"}, 1000), IsEmpty());
    parent.links.push_back({"d", "more"});
    for (const auto& misfits : {check({"p"}, 1000), check_links_fit(topology_, policy_, {"p"})})
        EXPECT_THAT(misfits, ElementsAre(Misfit{Misfit::Kind::links, "p", 4096, "'p' has more than 4,096 links", ""}));

    const auto large = topology_of("containers:\n" + container("p", 1, 16, "", "c") + container("c", 2, 16, "1-64"));
    topology_ = large;
    topology_.containers["c"].expose = *model::parse_ports("1-65");
    for (const std::string name : {"p", "c"})
        EXPECT_THAT(check({name}, 1'000'000),
                    ElementsAre(Misfit{Misfit::Kind::link_permissions, "p", 0,
                                       "16 x 16 addresses and 65 ports are 16,640 permissions, and one link may have "
                                       "16,384",
                                       "c"}));
}

TEST_F(FitTest, AsManyLinksAsAHostHasAreNotAllNamed) {
    topology_ = topology_of("containers:\n" + container("p", 1, 16, "", "c") + container("c", 2, 16, "1"));
    topology_.containers["c"].expose = *model::parse_ports("1-65");
    model::Container& parent = topology_.containers["p"];
    parent.links.clear();
    for (int i = 0; i < 4000; ++i)
        parent.links.push_back({"c", fmt::format("a{}", i)});
    EXPECT_THAT(check({"c"}, 1), SizeIs(1000));
}

}  // namespace
}  // namespace nftlink::config
