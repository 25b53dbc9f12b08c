// Rules on top of iptables' own chains, with iptables-nft as the witness.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

#include "fixture.hpp"
#include "nftlink/enforce/plan.hpp"
#include "nftlink/nft/build.hpp"
#include "nftlink/nft/text.hpp"

namespace nftlink::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class AttachTest : public KernelTest {
protected:
    void SetUp() override {
        KernelTest::SetUp();
        if (IsSkipped())
            return;
        add_bridge(host(), "docker0");
        host().run("iptables-nft -P FORWARD ACCEPT && ip6tables-nft -P FORWARD ACCEPT");
    }

    static model::FirewallPolicy policy(model::Replies replies, model::BridgePolicy bridge = {}) {
        model::FirewallPolicy made;
        made.layout = model::Layout::rules;
        made.replies = replies;
        made.attach = {{model::AttachPoint::Family::ip, "filter", "FORWARD"},
                       {model::AttachPoint::Family::ip6, "filter", "FORWARD"}};
        made.bridges["docker0"] = bridge;
        return made;
    }

    // Every kind of rule there is.
    static model::FirewallPolicy rich() {
        auto made = policy(model::Replies::source_port, {model::Icc::deny, true});
        made.log_drops = true;
        made.accept_mark = 7;
        return made;
    }

    static model::Topology links(const std::vector<std::string>& ports = {"6379/tcp"}) {
        return topology({container("redis", "docker0", {"172.17.0.2", "fd00::2"}, ports),
                         container("client", "docker0", {"172.17.0.3", "fd00::3"}, {}, {{"redis", "db"}})});
    }

    enforce::Plan apply(const model::FirewallPolicy& policy, const model::Topology& topology = links()) {
        const auto outcome = enforce::apply(kernel(), target_here(kernel(), topology, policy));
        EXPECT_TRUE(outcome) << outcome.error();
        return outcome ? outcome->done : enforce::Plan{};
    }

    // The rules of FORWARD as iptables shows them, without the chain's policy.
    std::string rules(const std::string& program = "iptables-nft") const {
        return host().run(program + " -S FORWARD | grep -v ^-P || true");
    }

    // Rule lines with handles and counts.
    std::string raw() const { return host().run("nft -a list chain ip filter FORWARD 2>/dev/null"); }

    void save_and_restore() const {
        for (const std::string family : {"", "6"})
            host().run(
                fmt::format("ip{0}tables-nft-save >/tmp/nftlink-save-$$ && ip{0}tables-nft-restore "
                            "</tmp/nftlink-save-$$ && rm /tmp/nftlink-save-$$",
                            family));
    }
};

TEST_F(AttachTest, IptablesShowsTheSeedsFiveLinesAndNothingElse) {
    apply(policy(model::Replies::source_port, {model::Icc::allow, true}));
    EXPECT_EQ(
        rules(),
        "-A FORWARD -s 172.17.0.2/32 -d 172.17.0.3/32 -i docker0 -o docker0 -p tcp -m tcp --sport 6379 -j ACCEPT\n"
        "-A FORWARD -s 172.17.0.3/32 -d 172.17.0.2/32 -i docker0 -o docker0 -p tcp -m tcp --dport 6379 -j ACCEPT\n"
        "-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
        "-A FORWARD -i docker0 ! -o docker0 -j ACCEPT\n"
        "-A FORWARD -i docker0 -o docker0 -j ACCEPT\n");
}

TEST_F(AttachTest, WithConnectionStateIptablesShowsItInTheLineForReplies) {
    apply(policy(model::Replies::established, {model::Icc::allow, false}));
    EXPECT_EQ(
        rules(),
        "-A FORWARD -s 172.17.0.2/32 -d 172.17.0.3/32 -i docker0 -o docker0 -p tcp -m tcp --sport 6379 -m conntrack "
        "--ctstate ESTABLISHED -j ACCEPT\n"
        "-A FORWARD -s 172.17.0.3/32 -d 172.17.0.2/32 -i docker0 -o docker0 -p tcp -m tcp --dport 6379 -j ACCEPT\n");
    EXPECT_EQ(rules("ip6tables-nft"),
              "-A FORWARD -s fd00::2/128 -d fd00::3/128 -i docker0 -o docker0 -p tcp -m tcp --sport 6379 -m conntrack "
              "--ctstate ESTABLISHED -j ACCEPT\n"
              "-A FORWARD -s fd00::3/128 -d fd00::2/128 -i docker0 -o docker0 -p tcp -m tcp --dport 6379 -j ACCEPT\n");
}

// Instruction for instruction what iptables writes itself, so that a restored chain is known again.
TEST_F(AttachTest, ARestoredChainIsKnownAndRepaired) {
    const auto ports = links({"6379/tcp", "53/udp", "132/sctp"});
    apply(rich(), ports);
    const std::string before = rules() + rules("ip6tables-nft");
    EXPECT_THAT(before, HasSubstr("-m sctp --sport 132"));
    EXPECT_THAT(before, HasSubstr("-m icmp6 --icmpv6-type 135"));
    EXPECT_THAT(before, HasSubstr("-j LOG --log-prefix \"nftlink docker0 drop: \""));
    EXPECT_THAT(before, HasSubstr("-j MARK --set-xmark 0x7/0xffffffff"));
    save_and_restore();
    EXPECT_EQ(rules() + rules("ip6tables-nft"), before);
    EXPECT_FALSE(apply(rich(), ports).transactions.empty()) << "repaired";
    EXPECT_EQ(rules() + rules("ip6tables-nft"), before) << "and none of it left over";
    EXPECT_TRUE(apply(rich(), ports).transactions.empty());
    save_and_restore();
    ASSERT_TRUE(enforce::clear(kernel(), "nftlink"));
    EXPECT_EQ(rules() + rules("ip6tables-nft"), "");
}

TEST_F(AttachTest, ALinkThatEndedMeanwhileGoesFromARestoredChain) {
    apply(policy(model::Replies::established), links({"6379/tcp", "80/tcp"}));
    save_and_restore();
    apply(policy(model::Replies::established), links({"6379/tcp"}));
    EXPECT_THAT(rules(), HasSubstr("--dport 6379"));
    EXPECT_THAT(rules(), Not(HasSubstr("--dport 80")));
}

TEST_F(AttachTest, RulesOfOthersKeepTheirPlacesHandlesAndCounts) {
    host().run("iptables-nft -A FORWARD -c 7 700 -s 10.0.0.9 -j DROP && iptables-nft -A FORWARD -c 8 800 -j LOG");
    const std::string before = raw();
    apply(rich());
    apply(policy(model::Replies::established), links({"6379/tcp", "80/tcp"}));
    apply(policy(model::Replies::source_port));
    for (const std::string line : {"packets 7 bytes 700 drop", "packets 8 bytes 800 log"})
        EXPECT_THAT(raw(), HasSubstr(line));
    EXPECT_THAT(rules(), testing::EndsWith("-A FORWARD -s 10.0.0.9/32 -j DROP\n-A FORWARD -j LOG\n"));
    ASSERT_TRUE(enforce::clear(kernel(), "nftlink"));
    EXPECT_EQ(raw(), before);
}

// Somebody's own rule may say the same as one of ours.
TEST_F(AttachTest, ATwinOfOursThatIsntOursStays) {
    host().run(
        "iptables-nft -A FORWARD -c 3 300 -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT && "
        "iptables-nft "
        "-A FORWARD -c 4 400 -i docker0 ! -o docker0 -j ACCEPT");
    const std::string before = raw();
    const auto docker = policy(model::Replies::source_port, {model::Icc::allow, true});
    apply(docker);
    EXPECT_TRUE(apply(docker).transactions.empty());
    save_and_restore();
    apply(docker);
    const std::string shown = rules();
    EXPECT_EQ(std::ranges::count(shown, '\n'), 5 + 2) << shown;
    ASSERT_TRUE(enforce::clear(kernel(), "nftlink"));
    const std::string left = rules();
    EXPECT_EQ(std::ranges::count(left, '\n'), 2) << left;
}

TEST_F(AttachTest, RulesAboveOursThatChangeNoVerdictMoveNothing) {
    apply(policy(model::Replies::established));
    for (const std::string harmless :
         {"-i eth0 -j DROP", "-i docker0 ! -o docker0 -j ACCEPT", "-j LOG",
          "-i docker0 -o docker0 -j MARK --set-mark 1", "-i br-+ -o br-+ -j DROP",
          "-s 172.17.0.3 -d 172.17.0.2 -i docker0 -o docker0 -p tcp --dport 6379 -j ACCEPT"}) {
        host().run("iptables-nft -I FORWARD " + harmless);
        EXPECT_THAT(apply(policy(model::Replies::established)).transactions, IsEmpty()) << harmless << "\n" << rules();
    }
    host().run(
        "iptables-nft -N USER && iptables-nft -A USER -i eth0 -j DROP && iptables-nft -A USER -j RETURN && "
        "iptables-nft -I FORWARD -j USER");
    EXPECT_THAT(apply(policy(model::Replies::established)).transactions, IsEmpty()) << rules();
}

TEST_F(AttachTest, RulesAboveOursThatChangeAVerdictComeToStandBelow) {
    for (const std::string harmful :
         {"-j ACCEPT", "-i docker0 -j ACCEPT", "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
          "-s 172.17.0.0/16 -j DROP", "-p tcp -j REJECT", "-i docker0 -o docker0 -p tcp --dport 80 -j ACCEPT",
          "-m limit --limit 1/s -j ACCEPT", "-i dock+ -j DROP"}) {
        host().run("iptables-nft -F FORWARD");
        apply(policy(model::Replies::established));
        host().run("iptables-nft -I FORWARD " + harmful);
        EXPECT_FALSE(apply(policy(model::Replies::established)).transactions.empty()) << harmful;
        EXPECT_TRUE(rules().starts_with("-A FORWARD -s 172.17.0.2/32")) << rules();
        EXPECT_TRUE(apply(policy(model::Replies::established)).transactions.empty()) << rules();
    }
}

TEST_F(AttachTest, AMissingChainIsSaidAndUsedOnceItIsThere) {
    auto missing = policy(model::Replies::established);
    missing.attach = {{model::AttachPoint::Family::inet, "fw", "forward"}};
    const auto done = apply(missing);
    ASSERT_EQ(done.warnings.size(), 1u);
    EXPECT_THAT(done.warnings[0], HasSubstr("chain inet fw forward does not exist"));
    host().run("nft add table inet fw && nft 'add chain inet fw forward { type filter hook forward priority 5; }'");
    EXPECT_TRUE(apply(missing).warnings.empty());
    EXPECT_THAT(
        host().run("nft list chain inet fw forward"),
        HasSubstr("iifname \"docker0\" oifname \"docker0\" ip saddr 172.17.0.3 ip daddr 172.17.0.2 tcp dport 6379"));
}

// Every match in nft's own words.
TEST_F(AttachTest, AChainThatWasTranslatedToNftIsKnown) {
    const auto ports = links({"6379/tcp", "53/udp", "132/sctp"});
    apply(rich(), ports);
    const std::string before = rules() + rules("ip6tables-nft");
    for (const std::string family : {"", "6"})
        host().run(fmt::format(
            "f=/tmp/nftlink-test-$$; ip{0}tables-nft-save | sed 's/^:FORWARD .*/:FORWARD ACCEPT [0:0]/' >$f; "
            "nft flush chain ip{0} filter FORWARD; ip{0}tables-restore-translate -f $f >$f.nft; "
            "grep -v '^add table\\|^add chain' $f.nft | nft -f -; rm $f $f.nft",
            family));
    EXPECT_THAT(raw(), HasSubstr("ct state"));
    apply(rich(), ports);
    EXPECT_EQ(rules() + rules("ip6tables-nft"), before);
}

// nft makes one load of two addresses that lie side by side, and drops our mark.
TEST_F(AttachTest, AChainThatNftHasSavedAndLoadedIsKnown) {
    auto elsewhere = policy(model::Replies::established);
    elsewhere.attach = {{model::AttachPoint::Family::inet, "fw", "forward"}};
    host().run("nft add table inet fw && nft 'add chain inet fw forward { type filter hook forward priority 5; }'");
    apply(elsewhere);
    const auto listed = [&] { return host().run("nft list chain inet fw forward"); };
    const std::string before = listed();
    host().run("f=/tmp/nftlink-test-$$; { echo flush ruleset; nft -s list ruleset; } >$f && nft -f $f && rm $f");
    apply(elsewhere);
    EXPECT_EQ(listed(), before) << "and none of it left over";
    EXPECT_TRUE(apply(elsewhere).transactions.empty());
    host().run("f=/tmp/nftlink-test-$$; { echo flush ruleset; nft -s list ruleset; } >$f && nft -f $f && rm $f");
    ASSERT_TRUE(enforce::clear(kernel(), "nftlink"));
    EXPECT_THAT(listed(), Not(HasSubstr("docker0")));
}

TEST_F(AttachTest, AChainNoLongerNamedIsLeftAndOurOwnTableComesInOneTransaction) {
    apply(policy(model::Replies::established));
    const auto before = kernel().generation();
    model::FirewallPolicy own;
    own.bridges["docker0"];
    apply(own);
    EXPECT_EQ(kernel().generation(), before + 1);
    EXPECT_EQ(rules() + rules("ip6tables-nft"), "");
    EXPECT_EQ(host().run("nft list tables 2>/dev/null | grep nftlink"),
              "table inet nftlink\ntable bridge nftlink-frames\n");
}

TEST_F(AttachTest, CountersLiveThroughChangesAndRestores) {
    apply(policy(model::Replies::established));
    host().run("iptables-nft -Z FORWARD");
    const auto count = [&] { return host().run("iptables-nft -nvxL FORWARD | awk '/dpt:6379/ {print $1}'"); };
    host().run(
        "iptables-nft-save | sed 's/^-A FORWARD -s 172.17.0.3.*--dport 6379/[5:50] &/' | iptables-nft-restore "
        "--counters");
    ASSERT_EQ(count(), "5\n");
    apply(policy(model::Replies::established), links({"6379/tcp", "80/tcp"}));
    EXPECT_EQ(count(), "5\n");
}

}  // namespace
}  // namespace nftlink::test
