// The same ruleset through us and through nft is the same: in nft's listing, in its JSON, and byte for byte in what it
// says of the expressions.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <regex>
#include <sstream>

#include "fixture.hpp"
#include "nftlink/enforce/plan.hpp"
#include "nftlink/firewall/compile.hpp"
#include "nftlink/firewall/diff.hpp"
#include "nftlink/firewall/ownership.hpp"
#include "nftlink/firewall/render.hpp"
#include "nftlink/nft/json.hpp"
#include "nftlink/nft/text.hpp"

namespace nftlink::test {
namespace {

using model::Family;
using model::Icc;
using model::Layout;
using model::Replies;

// What nft shows, less the handles, and elements in one order: the kernel's hash has another one each time.
struct Listing {
    std::string text, json, instructions;
};

void sort_elements(boost::json::value& value) {
    if (auto* array = value.if_array())
        for (auto& item : *array)
            sort_elements(item);
    if (auto* object = value.if_object()) {
        object->erase("handle");
        for (auto& member : *object)
            sort_elements(member.value());
        if (auto* elements = object->if_contains("elem"); elements != nullptr && elements->is_array())
            std::ranges::sort(elements->as_array(), {}, [](const auto& one) { return serialize(one); });
    }
}

std::string sorted_json(const std::string& json) {
    boost::json::value value = boost::json::parse(json);
    sort_elements(value);
    return serialize(value);
}

// Lines that are elements stand together; in the text, the first has words before it and the last a brace after it.
std::string sorted_text(const std::string& text) {
    const std::regex decoration("\\s*elements = \\{|^\\s+| \\}$|,$");
    std::vector<std::string> lines, elements;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        const bool is_element = line.find(" . ") != std::string::npos && line.find('@') == std::string::npos &&
                                line.find("type") == std::string::npos && line.find("parent") == std::string::npos;
        if (is_element || line.starts_with("\telement ")) {
            elements.push_back(std::regex_replace(line, decoration, ""));
            continue;
        }
        std::ranges::sort(elements);
        std::ranges::move(elements, std::back_inserter(lines));
        elements.clear();
        lines.push_back(line);
    }
    return fmt::format("{}\n", fmt::join(lines, "\n"));
}

std::string raw_list(const Namespace& host) {
    return host.run("nft list ruleset");
}

// The instructions, without our mark, which nft drops.
std::string instructions(const Namespace& host) {
    std::string text = sorted_text(host.run("nft --debug=netlink list ruleset"));
    for (const char* mark : {"n\\\\x08nftlink\\\\x00", "\n *userdata = \\{  \\}", "\n(?=\n)"})
        text = std::regex_replace(text, std::regex(mark), "");
    return text;
}

Listing list(const Namespace& host) {
    return {sorted_text(raw_list(host)), sorted_json(host.run("nft -j list ruleset")), instructions(host)};
}

void expect_same(const Listing& one, const Listing& other) {
    EXPECT_EQ(one.text, other.text);
    EXPECT_EQ(one.json, other.json);
    EXPECT_EQ(one.instructions, other.instructions);
}

void load(const Namespace& host, const std::string& script, const std::string& options = {}) {
    const std::string name = fmt::format("/tmp/nftlink-test-{}.nft", getpid());
    std::ofstream(name) << script;
    host.run(fmt::format("nft {} -f {}", options, name));
    std::remove(name.c_str());
}

model::Topology some_topology() {
    return topology({container("redis", "docker0", {"172.17.0.2", "fd00::2"}, {"6379/tcp", "53/udp", "9/sctp"}),
                     container("web", "docker0", {"172.17.0.3", "fd00::3"}, {}, {{"redis", "db"}, {"redis", "cache"}}),
                     container("api", "br-back.1", {"10.1.0.2"}, {"80-84"}),
                     container("front", "br-back.1", {"10.1.0.3"}, {}, {{"api", "api"}, {"redis", "across"}}),
                     container("odd", "br@odd%", {"10.2.0.3"})});
}

// Policies by the binary digits of a number. Every third number meets every pair of choices.
struct Case {
    unsigned number;
    model::FirewallPolicy policy() const {
        const auto digit = [this](unsigned place) { return (number >> place & 1) != 0; };
        model::FirewallPolicy policy;
        policy.family = digit(0) ? Family::ip : Family::inet;
        policy.layout = digit(1) ? Layout::rules : Layout::sets;
        policy.replies = digit(2) ? Replies::source_port : Replies::established;
        policy.counters = digit(3)   ? model::Counters::links
                          : digit(4) ? model::Counters::bridges
                                     : model::Counters::none;
        policy.log_drops = digit(4);
        if (digit(5))
            policy.accept_mark = 0xabcd;
        policy.priority = digit(3) ? -5 : 300;
        policy.bridges["docker0"] = {Icc::deny, digit(1) && digit(6)};
        policy.bridges["br-back.1"] = {Icc::allow, digit(1) && digit(6)};
        policy.bridges["docker0"].routed = digit(6) ? model::Routed::published : model::Routed::deny;
        policy.bridges["br-back.1"].routed = digit(5) ? model::Routed::allow : model::Routed::deny;
        if (digit(7))
            policy.family = Family::bridge;
        return policy;
    }
};

class ReferenceTest : public KernelTest, public testing::WithParamInterface<unsigned> {};

TEST_P(ReferenceTest, NftMakesTheSameOfOurText) {
    const Case one{GetParam()};
    auto policy = one.policy();
    firewall::HostFacts facts;
    if (policy.family == Family::bridge) {
        const auto can = *kernel().bridge_family();
        if (!can.names)
            GTEST_SKIP() << "this kernel has no nft_meta_bridge";
        facts.bridge_conntrack = can.conntrack;
        if (!can.conntrack) {
            policy.replies = Replies::source_port;
            for (auto& [name, bridge] : policy.bridges)
                bridge.base_rules = false;
        }
    }
    facts.frames = kernel().bridge_family()->names ? firewall::Frames::by_name : firewall::Frames::by_port;
    if (facts.frames == firewall::Frames::by_port)
        facts.ports = {"veth1", "veth2"};
    const auto want = firewall::compile(some_topology(), policy, facts);
    const auto applied = kernel().apply(firewall::diff({}, want), {});
    ASSERT_TRUE(applied) << applied.error().to_string();
    const Listing ours = list(host());
    const std::string listed = raw_list(host());
    ASSERT_EQ(ours.text.find("@nh"), std::string::npos) << "raw bytes don't read well\n" << ours.text;
    ASSERT_EQ(ours.text.find("@th"), std::string::npos) << "raw bytes don't read well\n" << ours.text;

    load(host(), nft::render(want));  // over itself
    expect_same(list(host()), ours);

    host().run("nft flush ruleset");
    load(host(), listed);
    expect_same(list(host()), ours);  // what nft lists, it loads
    const auto have = kernel().snapshot(
        [](const nft::Table& table, const nft::Ruleset&) { return table.name.starts_with("nftlink"); });
    for (const nft::Table& table : have.tables)
        EXPECT_TRUE(firewall::is_ours(table, "nftlink")) << nft::to_text(table);
    EXPECT_EQ(nft::to_text(firewall::diff(have, want)), "") << "a reloaded table is as wanted";

    host().run("nft flush ruleset");
    load(host(), nft::to_text(firewall::diff({}, want)));  // what plan prints
    expect_same(list(host()), ours);

    host().run("nft flush ruleset");
    load(host(), nft::render_json(want), "-j");
    // nft 1.0.6 drops comments of tables, chains and sets on this way.
    const auto without_comments = [](const std::string& text) {
        return std::regex_replace(text, std::regex("\n\\s*comment \"[^\"]*\"|\n\\s*(?=\n)"), "");
    };
    EXPECT_EQ(without_comments(list(host()).text), without_comments(ours.text));
}

INSTANTIATE_TEST_SUITE_P(Policies, ReferenceTest, testing::Range(0u, 128u, 3u));
INSTANTIATE_TEST_SUITE_P(BridgeFamily, ReferenceTest, testing::Range(128u, 256u, 9u));

using DockerTest = KernelTest;

// The seed's link, as the article's iptables listing has it.
TEST_F(DockerTest, OneLinkIsDockersTwoRulesInNftsWords) {
    model::FirewallPolicy policy;
    policy.layout = Layout::rules;
    policy.replies = Replies::source_port;
    policy.counters = model::Counters::none;
    const auto links = topology({container("redis", "docker0", {"172.17.0.2"}, {"6379"}),
                                 container("client", "docker0", {"172.17.0.3"}, {}, {{"redis", "db"}})});
    ASSERT_TRUE(kernel().apply(firewall::diff({}, target_here(kernel(), links, policy).want), {}));
    EXPECT_NE(host()
                  .run("nft list chain inet nftlink links")
                  .find("\t\tiifname \"docker0\" oifname \"docker0\" ip saddr 172.17.0.2 ip daddr 172.17.0.3 tcp sport "
                        "6379 accept comment \"/client/db\"\n"
                        "\t\tiifname \"docker0\" oifname \"docker0\" ip saddr 172.17.0.3 ip daddr 172.17.0.2 tcp dport "
                        "6379 accept comment \"/client/db\"\n"),
              std::string::npos);
}

}  // namespace
}  // namespace nftlink::test
