#include "nftlink/enforce/bridges.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nftlink/enforce/target.hpp"
#include "nftlink/kernel/fake_kernel.hpp"

namespace nftlink::enforce {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// `between_bridges: routed: allow`, those that nobody has chosen in capitals.
std::vector<std::string> open_by(const model::FirewallPolicy& policy, firewall::Frames frames = {}) {
    std::vector<std::string> words;
    for (const Opening& opening : policed_bridge("br0", policy, frames).open)
        words.push_back(
            fmt::format("{}{}: {}", opening.chosen ? "" : "NOT CHOSEN ", to_string(opening.aspect), opening.why));
    return words;
}

TEST(Openings, AreWhatTheConfigurationLeavesOpen) {
    model::FirewallPolicy policy;
    EXPECT_THAT(open_by(policy), IsEmpty());
    policy.bridges["br0"].routed = model::Routed::published;
    policy.bridges["br0"].other_frames = model::OtherFrames::allow;
    EXPECT_THAT(open_by(policy),
                ElementsAre("between_bridges: routed: published", "other_frames: other_frames: allow"));
    policy.bridges["br0"] = {};
    policy.family = model::Family::ip;
    EXPECT_THAT(open_by(policy), ElementsAre("ipv6: family: ip", "between_bridges: family: ip"));
    EXPECT_THAT(open_by(policy, firewall::Frames::none),
                testing::Contains(HasSubstr("NOT CHOSEN other_frames: this kernel has no nftables")));
    policy = {};
    policy.layout = model::Layout::rules;
    policy.bridges["br0"].base_rules = true;
    EXPECT_THAT(open_by(policy), ElementsAre("between_bridges: base_rules: true", "ended_links: base_rules: true"));
    // They let out what begins on their own bridge.
    policy.bridges["br1"] = std::exchange(policy.bridges["br0"], {});
    EXPECT_THAT(open_by(policy), ElementsAre("between_bridges: base_rules: true of br1"));
    policy.family = model::Family::bridge;
    EXPECT_THAT(open_by(policy), IsEmpty()) << "nothing leaves a bridge there";
    policy.family = model::Family::inet;
    policy.bridges.erase("br1");
    policy.bridge_patterns = {{"br-*", {model::Icc::deny, true}}};
    EXPECT_THAT(open_by(policy), ElementsAre("between_bridges: base_rules: true of br-*"));
    policy.bridge_patterns.clear();
    policy.attach = {{model::AttachPoint::Family::ip, "filter", "FORWARD"}};
    EXPECT_THAT(
        open_by(policy),
        ElementsAre("ipv6: attach names no chain for IPv6", "between_bridges: attach leaves it to the other chain",
                    "other_frames: attach, without other_frames: deny", "ended_links: attach, between bridges"));
    policy.bridges["br0"].other_frames = model::OtherFrames::deny;
    EXPECT_THAT(open_by(policy), testing::Not(testing::Contains(HasSubstr("other_frames"))));
}

TEST(BridgeStates, SayWhatIsClosed) {
    model::FirewallPolicy policy;
    policy.bridges["br0"].routed = model::Routed::allow;
    policy.bridges["eth0"];
    const kernel::Bridges bridges{{{"br0", 3, {true, false}}}, true, {}, {"eth0"}};
    auto states = bridge_states(make_target({}, policy).bridges, bridges);
    EXPECT_THAT(states[0].closed(), ElementsAre(Aspect::ipv4, Aspect::other_frames));
    EXPECT_FALSE(states[0].enforced);
    EXPECT_TRUE(states[1].present);
    EXPECT_THAT(states[1].reason, HasSubstr("it is no bridge"));
    EXPECT_THAT(states[1].closed(), IsEmpty());
    const std::string first = states[0].reason;
    states[0].not_enforced("nothing is there");
    EXPECT_THAT(states[0].closed(), IsEmpty()) << "whatever else is wrong with it";
    EXPECT_EQ(states[0].reason, first);
    EXPECT_EQ(states[0].open.size(), 4u) << "each aspect once";
}

TEST(BridgeStates, SayWhetherAPolicyIsEnforcedAndWhyNot) {
    model::FirewallPolicy policy;
    policy.bridges["docker0"];
    policy.bridges["open"].icc = model::Icc::allow;
    policy.bridges["gone"];
    policy.bridges["gone-open"].icc = model::Icc::allow;
    const Target target = make_target({}, policy);
    kernel::Bridges bridges{{{"docker0", 3, {}}, {"open", 4, {}}}, true, {}};
    using enum model::Routed;
    const auto chosen = [](Aspect aspect) { return Opening{aspect, "icc: allow", true}; };
    const BridgeState open{"open",
                           model::Icc::allow,
                           deny,
                           true,
                           true,
                           "",
                           {chosen(Aspect::ipv4), chosen(Aspect::ipv6), chosen(Aspect::other_frames)}};
    const BridgeState gone{"gone", model::Icc::deny, deny, false, false, "the bridge does not exist"};
    const BridgeState gone_open{"gone-open", model::Icc::allow, deny, false, false, "the bridge does not exist"};
    const auto docker0 = [](bool enforced, const std::string& reason) {
        BridgeState state{"docker0", model::Icc::deny, deny, true, enforced, reason};
        if (reason.contains("module") || reason.contains("call_iptables"))
            state.open.push_back({Aspect::ipv4, reason, false});
        if (!enforced)
            state.open.push_back({Aspect::ipv6, reason, false});
        return state;
    };
    const std::string off = "the bridge's own netfilter hooks are off: run ip link set docker0 type bridge";
    EXPECT_THAT(bridge_states(target.bridges, bridges),
                ElementsAre(docker0(false, off + " nf_call_iptables 1 nf_call_ip6tables 1"), gone, gone_open, open));
    bridges.bridges[0].own.ipv4 = true;
    EXPECT_EQ(bridge_states(target.bridges, bridges)[0], docker0(false, off + " nf_call_ip6tables 1"));
    bridges.global.ipv6 = true;
    EXPECT_EQ(bridge_states(target.bridges, bridges)[0], docker0(true, ""));
    bridges.module_loaded = false;
    EXPECT_EQ(bridge_states(target.bridges, bridges)[0],
              docker0(false, "the br_netfilter module is not loaded: run modprobe br_netfilter"));
    EXPECT_EQ(bridge_states(target.bridges, bridges)[3], open);
    policy.family = model::Family::bridge;
    EXPECT_EQ(bridge_states(make_target({}, policy).bridges, bridges)[0], docker0(true, "")) << "which needs no switch";
}

}  // namespace
}  // namespace nftlink::enforce
