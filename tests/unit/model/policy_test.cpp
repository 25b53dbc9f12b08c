#include "nftlink/model/policy.hpp"

#include <gtest/gtest.h>

namespace nftlink::model {
namespace {

bool fits(const std::string& pattern, std::string_view bridge) {
    return BridgePattern{pattern, {}}.fits(bridge);
}

TEST(BridgePattern, AStarIsAnyRunOfCharacters) {
    EXPECT_TRUE(fits("br-*", "br-0123456789ab"));
    EXPECT_TRUE(fits("br-*", "br-"));
    EXPECT_FALSE(fits("br-*", "br"));
    EXPECT_FALSE(fits("br-*", "xbr-1"));
    EXPECT_TRUE(fits("*", ""));
    EXPECT_TRUE(fits("*", "docker0"));
    EXPECT_TRUE(fits("*0", "docker0"));
    EXPECT_FALSE(fits("*0", "docker01"));
    EXPECT_TRUE(fits("*0", "docker010"));
    EXPECT_TRUE(fits("d*k*0", "docker0"));
    EXPECT_FALSE(fits("d*k*k*0", "docker0"));
    EXPECT_TRUE(fits("*ab*ab", "abxabab"));
    EXPECT_FALSE(fits("*ab*ab", "xab"));
    EXPECT_TRUE(fits("a**b", "ab"));
}

TEST(BridgePattern, OtherCharactersStandForThemselves) {
    EXPECT_TRUE(fits("docker0", "docker0"));
    EXPECT_FALSE(fits("docker0", "docker00"));
    EXPECT_FALSE(fits("docker0", "Docker0"));
    EXPECT_FALSE(fits("br.*", "br-1"));
    EXPECT_FALSE(fits("br?", "br1"));
    EXPECT_FALSE(fits("", "a"));
    EXPECT_TRUE(fits("", ""));
}

TEST(FirewallPolicy, ANameGoesBeforePatternsAndTheFirstOfThoseWins) {
    const BridgePolicy allow{Icc::allow, false}, docker{Icc::deny, true};
    FirewallPolicy policy;
    policy.bridge_patterns = {{"br-*", allow}, {"*", docker}};
    policy.bridges = {{"br-mine", {}}};
    EXPECT_EQ(policy.bridge("br-mine"), BridgePolicy{});
    EXPECT_EQ(policy.bridge("br-other"), allow);
    EXPECT_EQ(policy.bridge("docker0"), docker);
    policy.bridge_patterns.pop_back();
    EXPECT_EQ(policy.bridge("docker0"), BridgePolicy{});
    EXPECT_TRUE(policy.polices("br-mine"));
    EXPECT_TRUE(policy.polices("br-other"));
    EXPECT_FALSE(policy.polices("docker0"));
}

}  // namespace
}  // namespace nftlink::model
