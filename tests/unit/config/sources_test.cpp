// Container engines as a source, and what else is for them: bridges by patterns, the folder for CDI.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nftlink/config/config.hpp"

namespace nftlink::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> to_strings(const base::Errors& errors) {
    std::vector<std::string> texts;
    for (const base::Error& error : errors)
        texts.push_back(error.to_string());
    return texts;
}

std::vector<std::string> errors(const std::string& text) {
    const auto result = parse({{"a.yaml", text}});
    return result ? std::vector<std::string>{} : to_strings(result.error());
}

Loaded load_text(const std::string& text) {
    const auto result = parse({{"a.yaml", text}});
    EXPECT_TRUE(result) << (result ? "" : result.error().front().to_string());
    return result.value_or(Loaded{});
}

Config config_of(const std::string& text) {
    return load_text(text).config;
}

model::Container named(const std::string& name) {
    model::Container container;
    container.name = name;
    return container;
}

const std::string with_docker = "sources: {docker: {}}\nbridges: {docker0: {}}\n";

TEST(Sources, DockerHasASocket) {
    EXPECT_EQ(config_of("sources: {docker: {}}").sources.docker, DockerSource{"/run/docker.sock"});
    EXPECT_EQ(config_of("sources: {docker: {socket: /run/podman/podman.sock}}").sources.docker,
              DockerSource{"/run/podman/podman.sock"});
    EXPECT_EQ(config_of("sources: {docker: {socket: /" + std::string(106, 'x') + "}}").sources.docker->socket.size(),
              107);
}

TEST(Sources, EmptyAsksForNothing) {
    for (const std::string text :
         {"", "sources:\n", "sources: {}\n", "sources: {docker: }\n", "sources: {docker: ~}\n"})
        EXPECT_EQ(config_of(text).sources, Sources{}) << text;
}

TEST(Sources, AreChecked) {
    EXPECT_THAT(errors("sources: []\n"), ElementsAre("a.yaml:1:10: 'sources' must be a map, not a list"));
    EXPECT_THAT(errors("sources: {docker: /run/docker.sock, dcoker: }\n"),
                ElementsAre("a.yaml:1:19: 'docker' must be a map, not '/run/docker.sock'",
                            "a.yaml:1:37: unknown key 'dcoker'; did you mean 'docker'?"));
    EXPECT_THAT(errors("sources: {docker: {socket: run/docker.sock, sokcet: x}}\n"),
                ElementsAre("a.yaml:1:28: 'socket' must be an absolute path, not 'run/docker.sock'",
                            "a.yaml:1:45: unknown key 'sokcet'; did you mean 'socket'?"));
    EXPECT_THAT(errors("sources: {docker: {socket: }}\n"),
                ElementsAre("a.yaml:1:20: 'socket' must be an absolute path, not empty"));
    EXPECT_THAT(errors("sources: {docker: {socket: /" + std::string(107, 'x') + "}}\n"),
                ElementsAre("a.yaml:1:28: 'socket' has at most 107 bytes, not 108; name a shorter path"));
    EXPECT_THAT(errors("sources: {podman: {}}\n"),
                ElementsAre("a.yaml:1:11: unknown key 'podman'; Podman speaks Docker's API: sources: {docker: "
                            "{socket: /run/podman/podman.sock}}"));
}

TEST(Sources, MergeAndContradictAsOthersDo) {
    const auto merged = parse({{"a.yaml", "sources: {}\n"}, {"b.yaml", "sources: {docker: {socket: /a}}\n"}});
    ASSERT_TRUE(merged);
    EXPECT_EQ(merged->config.sources.docker, DockerSource{"/a"});
    const auto twice =
        parse({{"a.yaml", "sources: {docker: {socket: /a}}\n"}, {"b.yaml", "sources: {docker: {socket: /a}}\n"}});
    ASSERT_FALSE(twice);
    EXPECT_THAT(to_strings(twice.error()),
                ElementsAre("b.yaml:1:11: 'docker' is given twice; the first is at a.yaml:1:11"));
}

TEST(Sources, AnEngineMayKnowTheChild) {
    const std::string text = "containers: {web: {bridge: docker0, addresses: [10.0.0.1], links: [redis:db]}}\n";
    EXPECT_THAT(errors(text), ElementsAre("a.yaml:1:68: there is no container 'redis'"));
    const Loaded loaded = load_text(with_docker + text);
    EXPECT_THAT(loaded.config.topology.find("web")->links, ElementsAre(model::Link{"redis", "db"}));
    EXPECT_THAT(to_strings(loaded.warnings), IsEmpty());
}

TEST(Sources, AnEngineMayKnowWhereAContainerIs) {
    const std::string text = "containers: {web: {links: [redis:db], expose: [80]}, other: , third: {}}\n";
    EXPECT_THAT(errors(text),
                ElementsAre("a.yaml:1:14: 'web' is on no bridge; write 'bridge' and 'addresses', or 'networks'",
                            "a.yaml:1:28: there is no container 'redis'",
                            "a.yaml:1:54: 'other' is on no bridge; write 'bridge' and 'addresses', or 'networks'",
                            "a.yaml:1:63: 'third' is on no bridge; write 'bridge' and 'addresses', or 'networks'"));
    const Loaded loaded = load_text(with_docker + text);
    const model::Container* web = loaded.config.topology.find("web");
    EXPECT_THAT(web->networks, IsEmpty());
    EXPECT_THAT(web->links, ElementsAre(model::Link{"redis", "db"}));
    EXPECT_EQ(web->expose.size(), 1);
    EXPECT_EQ(*loaded.config.topology.find("other"), named("other"));
    EXPECT_EQ(*loaded.config.topology.find("third"), named("third"));
}

TEST(Sources, WhatIsSaidOfAPlaceIsStillChecked) {
    EXPECT_THAT(errors(with_docker + "containers: {a: {bridge: docker0}, b: {addresses: [10.0.0.1]}}\n"),
                ElementsAre("a.yaml:3:14: 'a' has a 'bridge' but no 'addresses'",
                            "a.yaml:3:36: 'b' has 'addresses' but no 'bridge'"));
    EXPECT_THAT(errors(with_docker + "containers: {a: {networks: {}}, b: {links: [b]}}\n"),
                ElementsAre("a.yaml:3:28: 'networks' must name a bridge and its addresses",
                            "a.yaml:3:45: 'b' cannot have a link to itself"));
}

// Ports and addresses of a child that the files don't place may come from the engine.
TEST(Sources, NothingIsSaidOfLinksThatWait) {
    const Loaded loaded = load_text(with_docker +
                                    "firewall: {family: ip}\n"
                                    "containers:\n  web: {bridge: docker0, addresses: [10.0.0.1], links: [redis]}\n"
                                    "  redis: {environment: {A: b}}\n  ui: {links: [web]}\n");
    EXPECT_THAT(to_strings(loaded.warnings), IsEmpty());
}

TEST(Sources, WithoutABridgeToPoliceAreWarnedOf) {
    const std::string warning =
        "'bridges' names no bridge: nothing of the engine is policed; name the bridge, e.g. bridges: {docker0: {}}";
    EXPECT_THAT(to_strings(load_text("log: {}\nsources: {docker: {}}\n").warnings),
                ElementsAre("a.yaml:2:11: " + warning));
    EXPECT_THAT(to_strings(load_text("sources: {docker: {}}\n"
                                     "containers: {a: {bridge: docker0, addresses: [10.0.0.1]}}\n")
                               .warnings),
                ElementsAre("a.yaml:1:11: " + warning))
        << "only a name in 'bridges' makes a bridge ours";
    for (const std::string bridges : {"{docker0: }", "{br-*: {}}"})
        EXPECT_THAT(load_text("bridges: " + bridges + "\nsources: {docker: {}}\n").warnings, IsEmpty()) << bridges;
    EXPECT_THAT(load_text("sources: {docker: }\n").warnings, IsEmpty());
}

TEST(BridgePatterns, AreKeptInTheirOrder) {
    const model::FirewallPolicy policy = config_of(
                                             "firewall: {layout: rules}\nbridges: {br-*: {icc: allow}, docker0: "
                                             "{base_rules: true}, '*-x': {}, '*': {icc: allow}}\n")
                                             .firewall;
    EXPECT_THAT(policy.bridge_patterns,
                ElementsAre(model::BridgePattern{"br-*", {model::Icc::allow, false}}, model::BridgePattern{"*-x", {}},
                            model::BridgePattern{"*", {model::Icc::allow, false}}));
    ASSERT_EQ(policy.bridges.size(), 1);
    EXPECT_TRUE(policy.bridges.at("docker0").base_rules);
}

TEST(BridgePatterns, MergeAsBridgesDo) {
    const auto loaded =
        parse({{"a.yaml", "bridges: {br-*: {icc: allow}}\n"},
               {"b.yaml", "firewall: {layout: rules}\nbridges: {'*': {}, br-*: {base_rules: true}}\n"}});
    ASSERT_TRUE(loaded);
    EXPECT_THAT(loaded->config.firewall.bridge_patterns,
                ElementsAre(model::BridgePattern{"br-*", {model::Icc::allow, true}}, model::BridgePattern{"*", {}}));
}

TEST(BridgePatterns, AreChecked) {
    EXPECT_THAT(errors("bridges: {'br-*/': {}, 'a b*': {}, 'br-**': {}, 'abcdefgh*ijklmnop': {}, 'a*': {ICC: deny}}\n"),
                ElementsAre("a.yaml:1:11: bridge 'br-*/': an interface's name cannot have '/' in it",
                            "a.yaml:1:24: bridge 'a b*': an interface's name has no blanks",
                            "a.yaml:1:36: bridge 'br-**': one '*' stands for any run of characters; write it once",
                            "a.yaml:1:49: bridge 'abcdefgh*ijklmnop': an interface's name has at most 15 characters, "
                            "and this pattern asks for 16",
                            "a.yaml:1:81: unknown key 'ICC'; did you mean 'icc'?"));
    for (const std::string fine : {"*", ".*", "*.*", "abcdefgh*ijklmno", "*a*b*c*"})
        EXPECT_THAT(errors("bridges: {'" + fine + "': {}}\n"), IsEmpty()) << fine;
}

TEST(BridgePatterns, AreNoPlaceForAContainer) {
    const std::string why =
        "a pattern says which bridges are policed, under 'bridges'; name the one that the container is on";
    EXPECT_THAT(errors("containers:\n  a: {bridge: br-*, addresses: [10.0.0.1]}\n"
                       "  b: {networks: {br-*: [10.0.0.2]}}\n"),
                ElementsAre("a.yaml:2:15: bridge 'br-*': " + why, "a.yaml:3:18: bridge 'br-*': " + why));
}

TEST(CdiDirectory, IsAnAbsolutePathOrNone) {
    EXPECT_EQ(config_of("env: {cdi_directory: /run/cdi}\n").cdi_directory, "/run/cdi");
    for (const std::string none : {"", "env: {cdi_directory: }\n", "env: {cdi_directory: ~}\n"})
        EXPECT_EQ(config_of(none).cdi_directory, "") << none;
    EXPECT_THAT(errors("env: {cdi_directory: run/cdi, directory: []}\n"),
                ElementsAre("a.yaml:1:22: 'cdi_directory' must be an absolute path, not 'run/cdi'",
                            "a.yaml:1:42: 'directory' must be an absolute path, not a list"));
}

}  // namespace
}  // namespace nftlink::config
