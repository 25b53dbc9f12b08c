// What good configurations come to.
#include "nftlink/config/config.hpp"

#include <gmock/gmock.h>

#include <chrono>

#include <fmt/format.h>

namespace nftlink::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<std::string> lines(const base::Errors& errors) {
    std::vector<std::string> result;
    for (const auto& error : errors)
        result.push_back(error.to_string());
    return result;
}

Loaded good(const std::vector<Source>& sources) {
    auto result = parse(sources);
    if (result)
        return *result;
    ADD_FAILURE() << testing::PrintToString(lines(result.error()));
    return {};
}

Config good(std::string text) {
    return good({Source{"a.yaml", std::move(text)}}).config;
}

std::vector<std::string> warnings(std::string text) {
    return lines(good({Source{"a.yaml", std::move(text)}}).warnings);
}

model::Address address(std::string_view text) {
    return model::Address::parse(text).value();
}

TEST(Config, NothingIsTheDefaults) {
    for (const char* text :
         {"", "\n", "# words\n", "---\n", "~\n", "\xef\xbb\xbf", "firewall:\nbridges:\ncontainers:\n",
          "env: ~\nlog: {}\ncontrol:\nstate: ~\nsources:\n", "---\nlog: {}\n...\n"})
        EXPECT_EQ(good(text), Config{}) << text;
    EXPECT_EQ(good(std::vector<Source>{}).config, Config{});
}

TEST(Config, DefaultsThatAskForNothingAreTaken) {
    EXPECT_EQ(
        good("firewall: {family: inet, table: nftlink, priority: filter, layout: sets, replies: established,\n"
             "  counters: true, log_drops: false, table_owner: false, accept_mark: ~, attach: [],\n"
             "  on_exit: keep}\n"
             "env: {dialect: docker-0.10, child_environment: true, directory: ~}\nlog: {level: info, format: text}\n"),
        Config{});
}

TEST(Config, CountersAreOfLinksOfBridgesOrNoneAndTrueAndFalseAreWordsForThem) {
    const auto counters = [](const std::string& word) {
        return good("firewall: {counters: " + word + "}\n").firewall.counters;
    };
    EXPECT_EQ(counters("links"), model::Counters::links);
    EXPECT_EQ(counters("bridges"), model::Counters::bridges);
    EXPECT_EQ(counters("none"), model::Counters::none);
    EXPECT_EQ(counters("true"), model::Counters::links);
    EXPECT_EQ(counters("false"), model::Counters::none);
}

// 0.1 had the setting; what it asked for is always so.
TEST(Config, CutFlowsIsOnlyAWarning) {
    const auto loaded = good({{"a.yaml", "firewall: {cut_flows: true}\n"}});
    EXPECT_EQ(loaded.config, Config{});
    ASSERT_THAT(loaded.warnings, SizeIs(1));
    EXPECT_EQ(loaded.warnings[0].to_string(),
              "a.yaml:1:23: 'cut_flows: true' says what is always so by now; leave the key out");
}

TEST(Config, ReadsEverySetting) {
    const Config config = good(
        "firewall:\n  family: ip\n  table: links\n  priority: filter - 5\n  layout: rules\n  replies: source-port\n"
        "  counters: bridges\n  log_drops: true\n  accept_mark: 0x1f\n  on_exit: remove\n"
        "bridges:\n  docker0: {icc: allow, base_rules: true}\n  br-back:\n"
        "env: {dialect: docker-28, child_environment: false}\nlog: {level: warning, format: json}\n");
    EXPECT_EQ(config.firewall,
              (model::FirewallPolicy{.family = model::Family::ip,
                                     .table = "links",
                                     .priority = -5,
                                     .layout = model::Layout::rules,
                                     .replies = model::Replies::source_port,
                                     .counters = model::Counters::bridges,
                                     .log_drops = true,
                                     .accept_mark = 0x1f,
                                     .bridges = {{"docker0", {model::Icc::allow, true}}, {"br-back", {}}}}));
    EXPECT_EQ(config.on_exit, OnExit::remove);
    EXPECT_EQ(config.env, (model::EnvironmentOptions{model::Dialect::docker_28, false}));
    EXPECT_EQ(config.log, (LogSettings{LogLevel::warning, LogFormat::json}));
}

TEST(Config, ReadsTheSeedsContainers) {
    const Config config = good(
        "containers:\n"
        "  redis:\n    bridge: docker0\n    addresses: [172.17.0.2, fd00::2]\n    expose: [6379/tcp, 53/udp, 53, "
        "6379]\n"
        "    environment: {REDIS_VERSION: \"7.2\"}\n"
        "  web:\n    networks: {docker0: [172.17.0.3], br-back: ['10.1.0.9']}\n    links: [redis:db, redis]\n");
    ASSERT_THAT(config.topology.containers, SizeIs(2));
    EXPECT_EQ(*config.topology.find("redis"),
              (model::Container{
                  .name = "redis",
                  .networks = {{"docker0", {address("172.17.0.2"), address("fd00::2")}}},
                  .expose = {{53, model::Protocol::tcp}, {53, model::Protocol::udp}, {6379, model::Protocol::tcp}},
                  .environment = {"REDIS_VERSION=7.2"},
                  .links = {}}))
        << "ports are sorted, each once";
    EXPECT_EQ(*config.topology.find("web"),
              (model::Container{.name = "web",
                                .networks = {{"docker0", {address("172.17.0.3")}}, {"br-back", {address("10.1.0.9")}}},
                                .expose = {},
                                .environment = {},
                                .links = {{"redis", "db"}, {"redis", "redis"}}}));
}

std::vector<std::string> environment(const std::string& yaml) {
    return good("containers: {a: {bridge: br0, addresses: [10.0.0.1], environment: " + yaml + "}}")
        .topology.find("a")
        ->environment;
}

TEST(Config, EnvironmentIsTakenAsWritten) {
    EXPECT_THAT(environment("{N: 7.0, YES: true, HEX: 0x10, EMPTY: '', A: 'b=c', NOTHING: ~}"),
                ElementsAre("N=7.0", "YES=true", "HEX=0x10", "EMPTY=", "A=b=c", "NOTHING"));
    EXPECT_THAT(environment("['A=b=c', KEY, 'E=', ' x= y ']"), ElementsAre("A=b=c", "KEY", "E=", " x= y "));
    EXPECT_THAT(environment("~"), IsEmpty());
    EXPECT_THAT(environment("{\"LINES\": \"a\\nb\"}"), ElementsAre("LINES=a\nb"));
}

TEST(Config, PrioritiesAreNftsOwn) {
    const std::vector<std::pair<const char*, std::optional<int>>> priorities = {{"filter", std::nullopt},
                                                                                {"raw", -300},
                                                                                {"mangle", -150},
                                                                                {"security", 50},
                                                                                {"filter - 5", -5},
                                                                                {"filter-5", -5},
                                                                                {"filter +5", 5},
                                                                                {"  'raw+ 1'", -299},
                                                                                {"0", 0},
                                                                                {"-7", -7},
                                                                                {"+7", 7},
                                                                                {"'12'", 12},
                                                                                {"2147483647", 2147483647},
                                                                                {"-2147483648", -2147483647 - 1},
                                                                                {"security + 2147483597", 2147483647}};
    for (const auto& [text, value] : priorities)
        EXPECT_EQ(good(fmt::format("firewall: {{priority: {}}}", text)).firewall.priority, value) << text;
}

TEST(Config, BordersOfTheAcceptMark) {
    EXPECT_EQ(good("firewall: {accept_mark: 1}").firewall.accept_mark, 1U);
    EXPECT_EQ(good("firewall: {accept_mark: 4294967295}").firewall.accept_mark, 0xffffffff);
    EXPECT_EQ(good("firewall: {accept_mark: 0xFFFFFFFF}").firewall.accept_mark, 0xffffffff);
}

TEST(Config, TableNamesThatNftReads) {
    for (const std::string name : {"a", "_", ".a", "my-links", "a/b.c_d-9", "tables", "Log"})
        EXPECT_EQ(good("firewall: {table: " + name + "}").firewall.table, name);
    EXPECT_EQ(good("firewall: {table: " + std::string(248, 'a') + "}").firewall.table.size(), 248);
}

TEST(Config, AliasesAndStringTagsAreResolved) {
    const Config config = good(
        "containers:\n  a: {bridge: br0, addresses: [10.0.0.1], expose: &ports [80, 443], environment: &e {A: !!str "
        "1}}\n"
        "  b: {bridge: br0, addresses: [10.0.0.2], expose: *ports, environment: *e}\n");
    EXPECT_EQ(config.topology.find("a")->expose, config.topology.find("b")->expose);
    EXPECT_THAT(config.topology.find("b")->environment, ElementsAre("A=1"));
}

TEST(Config, AContainerMayExpose1024Ports) {
    const Config config =
        good("containers: {a: {bridge: br0, addresses: [10.0.0.1], expose: [1-1000, 1-24/udp, 7-9]}}");
    EXPECT_THAT(config.topology.find("a")->expose, SizeIs(1024));
}

TEST(Config, SourcesMerge) {
    const auto loaded = good({{"nftlink.yaml",
                               "firewall: {table: a}\nbridges: {docker0: {icc: allow}}\ncontainers:\n"
                               "  redis: {bridge: docker0, addresses: [172.17.0.2], expose: [6379]}\n"},
                              {"conf.d/a.yaml", ""},
                              {"conf.d/b.yaml",
                               "firewall: {layout: rules}\nbridges: {docker0: {base_rules: true}, br1: ~}\n"
                               "containers:\n"
                               "  web: {bridge: docker0, addresses: [172.17.0.3], links: [redis:db]}\n"},
                              {"conf.d/c.yaml", "bridges: {br1: {icc: allow}}\ncontainers:\nlog: {level: debug}\n"}});
    EXPECT_EQ(loaded.config.firewall.table, "a");
    EXPECT_EQ(loaded.config.firewall.layout, model::Layout::rules);
    EXPECT_EQ(loaded.config.firewall.bridges.at("docker0"), (model::BridgePolicy{model::Icc::allow, true}));
    EXPECT_EQ(loaded.config.firewall.bridges.at("br1"), (model::BridgePolicy{model::Icc::allow, false}));
    EXPECT_THAT(loaded.config.topology.containers, SizeIs(2));
    EXPECT_EQ(loaded.config.log.level, LogLevel::debug);
    EXPECT_THAT(loaded.warnings, IsEmpty());
}

TEST(Config, TwoBridgesMayUseTheSameAddresses) {
    good(
        "containers:\n  a: {networks: {br0: [10.0.0.1], br1: [10.0.0.1]}}\n  b: {bridge: br2, addresses: "
        "[10.0.0.1]}\n");
}

TEST(Config, WarnsOfWhatPermitsNothing) {
    EXPECT_THAT(
        warnings("containers:\n"
                 "  quiet: {bridge: br0, addresses: [10.0.0.1]}\n"
                 "  six: {bridge: br0, addresses: [fd00::1], expose: [80], environment: {KEY: }}\n"
                 "  web: {bridge: br0, addresses: [10.0.0.3], links: [quiet, six], environment: [A=1, B]}\n"),
        ElementsAre("a.yaml:3:72: the variable 'KEY' has no value: links leave it out",
                    "a.yaml:4:53: 'quiet' exposes no port: this link permits nothing",
                    "a.yaml:4:60: 'web' and 'six' have no addresses of the same family where they meet: this link "
                    "permits nothing",
                    "a.yaml:4:85: the variable 'B' has no value: links leave it out"));
}

TEST(Config, UnderFamilyIpOnlyIPv4Links) {
    const std::string both =
        "containers:\n  a: {networks: {br0: [fd00::1], br1: [10.0.0.1]}, expose: [80]}\n"
        "  b: {networks: {br0: [fd00::2], br2: [10.0.0.2]}, links: [a]}\n";
    EXPECT_THAT(warnings(both), IsEmpty());
    EXPECT_THAT(warnings("firewall: {family: ip}\n" + both), SizeIs(1));
}

TEST(Config, FiftyThousandContainersLoad) {
    std::string text = "containers:\n";
    for (int i = 0; i < 50'000; ++i)
        text += fmt::format("  c{}: {{bridge: br0, addresses: [10.1.{}.{}], expose: [6379]{}}}\n", i, i / 250,
                            i % 250 + 1, i > 0 ? fmt::format(", links: [c{}:db]", i - 1) : "");
    const auto start = std::chrono::steady_clock::now();
    const Config config = good(text);
    EXPECT_THAT(config.topology.containers, SizeIs(50'000));
    // About two seconds; a check of every pair would take minutes.
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}

}  // namespace
}  // namespace nftlink::config
