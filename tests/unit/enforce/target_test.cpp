#include "nftlink/enforce/target.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nftlink/kernel/fake_kernel.hpp"
#include "nftlink/nft/text.hpp"

namespace nftlink::enforce {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// The names in a set of interfaces of our table.
std::vector<std::string> names_in(const nft::Table& table, std::string_view set) {
    std::vector<std::string> names;
    for (const nft::Element& element : table.set(set)->elements)
        names.push_back(nft::to_text(element.key, table.set(set)->key));
    return names;
}

// Each bridge with the kinds of packets that must meet our rules.
std::vector<std::string> needs(const Target& target) {
    std::vector<std::string> all;
    for (const PolicedBridge& bridge : target.bridges)
        all.push_back(bridge.name + (bridge.needed.ipv4 ? " ipv4" : "") + (bridge.needed.ipv6 ? " ipv6" : ""));
    return all;
}

TEST(MakeTarget, OnlyBridgesWithIccDenyMustBeSeen) {
    model::FirewallPolicy policy;
    policy.bridges["open"].icc = model::Icc::allow;
    model::Topology topology;
    topology.containers["a"].networks = {{"open", {}}, {"unlisted", {}}};
    EXPECT_THAT(needs(make_target(topology, policy)), ElementsAre("open", "unlisted ipv4 ipv6"));
    policy.family = model::Family::ip;
    EXPECT_THAT(needs(make_target(topology, policy)), ElementsAre("open", "unlisted ipv4"));
    policy.family = model::Family::bridge;
    EXPECT_THAT(needs(make_target(topology, policy)), ElementsAre("open", "unlisted"));
}

TEST(MakeTarget, APatternStandsForTheBridgesThatAreThere) {
    kernel::FakeKernel kernel;
    kernel.bridge_state = {{{"br-a", 3, {}}, {"br-b", 4, {}}, {"docker0", 5, {}}, {"virbr0", 6, {}}}, true, {}};
    model::FirewallPolicy policy;
    EXPECT_THAT(host_facts(kernel, {}, policy, kernel.bridges())->bridges, IsEmpty());
    policy.bridge_patterns = {{"br-*", {}}, {"d*", {model::Icc::allow, false}}};
    policy.bridges["br-b"].icc = model::Icc::allow;
    const auto facts = host_facts(kernel, {}, policy, kernel.bridges());
    EXPECT_THAT(facts->bridges, ElementsAre("br-a", "docker0"));
    model::Topology topology;
    topology.containers["a"].networks = {{"br-later", {}}};
    const auto target = make_target(topology, policy, *facts);
    EXPECT_THAT(needs(target), ElementsAre("br-a ipv4 ipv6", "br-b", "br-later ipv4 ipv6", "docker0"));
    const nft::Table& table = target.want.tables.front();
    EXPECT_THAT(names_in(table, "bridges"), ElementsAre("\"br-a\"", "\"br-b\"", "\"br-later\"", "\"docker0\""));
    EXPECT_THAT(names_in(table, "open"), ElementsAre("\"br-b\" . \"br-b\"", "\"docker0\" . \"docker0\""));
}

TEST(HostFacts, TheBridgeFamilyNeedsTheNamesOfBridges) {
    kernel::FakeKernel kernel;
    kernel.family_state = kernel::BridgeFamily{.names = false, .conntrack = true};
    model::FirewallPolicy policy;
    EXPECT_TRUE(host_facts(kernel, {}, policy, kernel.bridges())) << "no other family asks for them";
    policy.family = model::Family::bridge;
    const auto facts = host_facts(kernel, {}, policy, kernel.bridges());
    ASSERT_FALSE(facts);
    EXPECT_THAT(facts.error(), AllOf(HasSubstr("meta ibrname"), HasSubstr("CONFIG_NFT_BRIDGE_META"),
                                     HasSubstr("this kernel doesn't have"), HasSubstr("say family: inet")));
    kernel.family_state = kernel::BridgeFamily{.names = true, .conntrack = true};
    EXPECT_TRUE(host_facts(kernel, {}, policy, kernel.bridges())->bridge_conntrack);
    kernel.family_state.reset();
    EXPECT_THAT(host_facts(kernel, {}, policy, kernel.bridges()).error(), HasSubstr("CAP_NET_ADMIN"));
}

TEST(HostFacts, BaseRulesOfAPatternNeedTracking) {
    kernel::FakeKernel kernel;
    kernel.family_state = kernel::BridgeFamily{true, false};
    model::FirewallPolicy policy;
    policy.family = model::Family::bridge;
    EXPECT_THAT(host_facts(kernel, {}, policy, kernel.bridges()).error(), HasSubstr("replies: source-port"));
    policy.layout = model::Layout::rules;
    policy.replies = model::Replies::source_port;
    policy.bridge_patterns = {{"br-*", {}}};
    EXPECT_TRUE(host_facts(kernel, {}, policy, kernel.bridges()));
    policy.bridge_patterns.front().policy.base_rules = true;
    EXPECT_THAT(host_facts(kernel, {}, policy, kernel.bridges()).error(), HasSubstr("base_rules"));
}

}  // namespace
}  // namespace nftlink::enforce
