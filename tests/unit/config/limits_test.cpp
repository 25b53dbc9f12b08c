// What a configuration, and containers beside it, may have at most.
#include "nftlink/model/limits.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nftlink/config/config.hpp"

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

}  // namespace
}  // namespace nftlink::config
