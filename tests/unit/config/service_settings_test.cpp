// What the service alone needs: its settings, a configuration's hash and places.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nftlink/config/config.hpp"

namespace nftlink::config {
namespace {

using testing::ElementsAre;

std::vector<std::string> errors(const std::string& text) {
    std::vector<std::string> messages;
    const auto result = parse({{"a.yaml", text}});
    if (!result)
        for (const base::Error& error : result.error())
            messages.push_back(error.to_string());
    return messages;
}

TEST(ServiceSettings, TheManualsSampleLoads) {
    const auto loaded = parse({{"a.yaml", R"(
firewall:
  family: inet          # inet | ip | bridge
  table: nftlink        # our own table; nothing outside it is touched (but see attach)
  priority: filter      # a name with an offset (filter - 5) or a number
  layout: sets          # sets: O(1) whatever the number of links | rules: two plain rules per port, as Docker wrote them
  replies: established  # established | source-port
  counters: links       # links | bridges (what is dropped) | none; kept across updates and restarts
  log_drops: false
  table_owner: false    # true: kernel table ownership, with persist where the kernel has it
  accept_mark: ~        # a mark to set on accepted packets, for firewalls that accept by mark (Docker 29)
  attach: []            # [{family: ip, table: filter, chain: FORWARD}]: put the rules on top of existing chains instead
  on_exit: keep         # keep | remove
bridges:
  docker0: {icc: deny, base_rules: false}
containers:
  redis:
    bridge: docker0
    addresses: [172.17.0.2]          # v4 and/or v6
    expose: [6379/tcp]
    environment: {REDIS_VERSION: "7.2"}   # a map, or a list of KEY=VALUE
  web:
    bridge: docker0
    addresses: [172.17.0.3]
    links: [redis:db]                # child, or child:alias
  gateway:                           # on several bridges: networks instead of bridge and addresses
    networks: {docker0: [172.17.0.9], br-back: [10.1.0.9]}
env:
  dialect: docker-0.10  # docker-0.10 | docker-27 | docker-28
  child_environment: true   # false: no <ALIAS>_ENV_ variables (they carry the child's secrets)
  directory: ~          # where to keep <container>.env files up to date
limits: {permissions: 1048576}
control: {socket: /run/nftlink/nftlink.sock, group: nftlink, readers: group}   # readers: group | all
state: {directory: /var/lib/nftlink}
log: {level: info, format: text}
)"}});
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->config, parse({{"b.yaml",
                                      "bridges: {docker0: }\ncontainers:\n"
                                      "  redis: {bridge: docker0, addresses: [172.17.0.2], expose: [6379], "
                                      "environment: {REDIS_VERSION: '7.2'}}\n"
                                      "  web: {bridge: docker0, addresses: [172.17.0.3], links: [redis:db]}\n"
                                      "  gateway: {networks: {docker0: [172.17.0.9], br-back: [10.1.0.9]}}\n"}})
                                  ->config)
        << "all of it is what holds by default";
}

TEST(ServiceSettings, AreRead) {
    const auto config = parse({{"a.yaml", "control: {socket: /a/b.sock, group: 'wheel'}\nstate: {directory: /state}\n"},
                               {"b.yaml", "control: {readers: all}\nenv: {directory: /env}\n"}})
                            ->config;
    EXPECT_EQ(config.control, (ControlSettings{"/a/b.sock", "wheel", Readers::all}));
    EXPECT_EQ(config.state.directory, "/state");
    EXPECT_EQ(config.env_directory, "/env");
    EXPECT_EQ(parse({{"a.yaml", ""}})->config.env_directory, "");
}

TEST(ServiceSettings, AreChecked) {
    EXPECT_THAT(errors("control: {socket: run/x, group: 'a b', readers: none}\nstate: {directory: ''}\n"),
                ElementsAre("a.yaml:1:19: 'socket' must be an absolute path, not 'run/x'",
                            "a.yaml:1:33: 'group' must be a group's name or number, not the text 'a b'",
                            "a.yaml:1:49: 'readers' must be group or all, not 'none'",
                            "a.yaml:2:20: 'directory' must be an absolute path, not empty"));
    EXPECT_THAT(errors("control: {socket: /" + std::string(107, 'x') + "}\n"),
                ElementsAre("a.yaml:1:19: 'socket' has at most 107 bytes, not 108; name a shorter path"));
    EXPECT_THAT(errors("control: {socket: \"/a\\nb\", sockte: 1}\nstate: 5\n"),
                ElementsAre("a.yaml:1:19: 'socket' cannot have a line break or a NUL byte in it: '/a\\x0ab'",
                            "a.yaml:1:28: unknown key 'sockte'; did you mean 'socket'?",
                            "a.yaml:2:8: 'state' must be a map, not '5'"));
}

TEST(Loaded, KnowsWhereContainersStand) {
    const auto loaded = parse({{"a.yaml", "containers:\n  a: {bridge: b, addresses: [10.0.0.1]}\n"},
                               {"b.yaml", "containers: {c: {bridge: b, addresses: [10.0.0.2]}}\n"}});
    EXPECT_EQ(loaded->places.at("a").to_string(), "a.yaml:2:3");
    EXPECT_EQ(loaded->places.at("c").to_string(), "b.yaml:1:14");
}

TEST(Loaded, ItsHashIsOfTheTextsAndTheirOrder) {
    const auto hash = [](const std::vector<Source>& sources) { return parse(sources)->hash; };
    const std::string one = "log: {level: info}\n", two = "log: {format: json}\n";
    EXPECT_EQ(hash({{"a", one}, {"b", two}}), hash({{"c", one}, {"d", two}}));
    EXPECT_NE(hash({{"a", one}, {"b", two}}), hash({{"a", two}, {"b", one}}));
    EXPECT_NE(hash({{"a", one + two.substr(0, 0)}}), hash({{"a", one + " "}}));
    EXPECT_NE(hash({{"a", "# x\n"}, {"b", ""}}), hash({{"a", ""}, {"b", "# x\n"}}));
    EXPECT_EQ(hash({{"a", one}}).size(), 36u);
}

TEST(ServiceSettings, MergeAndContradictAsOthersDo) {
    const auto loaded = parse({{"a.yaml", "control: {socket: /a}\n"}, {"b.yaml", "control: {group: 12}\nstate: \n"}});
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->config.control, (ControlSettings{"/a", "12", Readers::group}));
    const auto twice = parse({{"a.yaml", "control: {socket: /a}\nstate: {directory: /x}\n"},
                              {"b.yaml", "control: {socket: /b}\nstate: {directory: /x}\n"}});
    ASSERT_FALSE(twice);
    EXPECT_EQ(twice.error().front().to_string(), "b.yaml:1:11: 'socket' is given twice; the first is at a.yaml:1:11");
    EXPECT_EQ(twice.error().back().to_string(), "b.yaml:2:9: 'directory' is given twice; the first is at a.yaml:2:9");
}

}  // namespace
}  // namespace nftlink::config
