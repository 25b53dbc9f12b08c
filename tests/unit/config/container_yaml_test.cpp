#include "nftlink/config/container_yaml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

namespace nftlink::config {
namespace {

using testing::HasSubstr;

// Containers of every kind that the loader takes, the unlikely ones more often than they are met.
class AnyContainer {
public:
    explicit AnyContainer(unsigned seed) : random_(seed) {}

    model::Container next() {
        model::Container container{.name = name(), .networks = {}, .expose = {}, .environment = {}, .links = {}};
        std::set<std::string> taken;
        for (std::size_t count = 1 + below(3); container.networks.size() < count;)
            if (const std::string bridge = this->bridge(); taken.insert(bridge).second)
                container.networks.push_back({bridge, addresses()});
        std::set<model::Port> ports;
        for (std::size_t count = below(4); ports.size() < count;)
            ports.insert({static_cast<std::uint16_t>(1 + below(65535)),
                          pick({model::Protocol::tcp, model::Protocol::udp, model::Protocol::sctp})});
        container.expose.assign(ports.begin(), ports.end());
        taken.clear();
        for (std::size_t count = below(5); container.environment.size() < count;)
            if (const std::string variable = this->variable(); taken.insert(variable).second)
                container.environment.push_back(below(4) == 0 ? variable
                                                              : variable + "=" + text(pick({0, 1, 8, 3000})));
        taken.clear();
        for (std::size_t count = below(4); container.links.size() < count;)
            if (const std::string alias = name(), child = name(); child != container.name && taken.insert(alias).second)
                container.links.push_back({child, alias});
        return container;
    }

private:
    std::size_t below(std::size_t limit) { return random_() % limit; }
    template <typename T>
    T pick(std::initializer_list<T> choices) {
        return choices.begin()[below(choices.size())];
    }

    std::string name() {
        static constexpr std::string_view letters = "abcXYZ0189_.-";
        if (below(2) == 0)
            return pick<const char*>({"yes", "No", "on", "null", "NULL", "true", "1", "007", "0x1f", "1e3", "1.5",
                                      "1_000", "2026-11-24", "y", "containers", "a-", "a."});
        std::string name = pick<const char*>({"a", "Z", "0"});
        for (std::size_t count = pick<std::size_t>({0, 3, 63}); count > 0; --count)
            name += letters[below(letters.size())];
        return name;
    }

    std::string bridge() {
        static constexpr std::string_view letters = "ab01~-?#&!%@`{}[]',.|><=+;()$^_";
        if (below(4) == 0)
            return pick<const char*>({"~", "null", "-", "?", "<<", "---", "...", "1", "yes", "#", "docker0"});
        std::string name = "x";
        for (std::size_t count = below(15); count > 0; --count)
            name += letters[below(letters.size())];
        return name;
    }

    std::vector<model::Address> addresses() {
        std::vector<model::Address> addresses;
        for (std::size_t count = 1 + below(3); count > 0; --count)
            addresses.push_back(*model::Address::parse(
                below(2) == 0
                    ? "10.0.0." + std::to_string(1 + below(254))
                    : pick<const char*>({"fd00::", "fe80::1:", "2001:db8:0:0:1::"}) + std::to_string(1 + below(9))));
        return addresses;
    }

    std::string variable() {
        std::string variable = text(1 + below(3));
        std::erase(variable, '=');
        return variable + pick<const char*>({"A", "~", "<<", "null", " ", "\n"});
    }

    // UTF-8 with every kind of character but NUL, which no variable can have.
    std::string text(std::size_t length) {
        std::string text;
        for (; length > 0; --length) {
            const std::size_t kind = below(10);
            if (kind < 4)
                text += pick<const char*>({"\"",     "\\",     "'",      "=",      ": ",     " #",     "\n",
                                           "\r",     "\t",     "  ",     "- ",     "\\n",    "\\x41",  "%",
                                           "---\n",  "...\n",  "${A}",   "\u0085", "\u00a0", "\u2028", "\u2029",
                                           "\uFEFF", "\uFFFE", "\uFFFF", "\u200b"});
            else
                append(text, static_cast<char32_t>(1 + below(kind < 8 ? 0xff : 0x10ffff)));
        }
        return text;
    }

    static void append(std::string& text, char32_t c) {
        const auto add = [&text](char32_t byte) { text += static_cast<char>(byte); };
        if (c >= 0xd800 && c <= 0xdfff)
            return;  // no character
        if (c < 0x80)
            return add(c);
        if (c < 0x800)
            add(0xc0 | c >> 6);
        else if (c < 0x10000)
            add(0xe0 | c >> 12);
        else
            add(0xf0 | c >> 18);
        for (int shift = c < 0x800 ? 0 : c < 0x10000 ? 6 : 12; shift >= 0; shift -= 6)
            add(0x80 | (c >> shift & 0x3f));
    }

    std::mt19937 random_;
};

model::Topology topology_of(const std::string& text) {
    const auto loaded = parse({{"a.yaml", text}});
    EXPECT_TRUE(loaded) << loaded.error().front().to_string();
    return loaded->config.topology;
}

std::string error_of(const std::string& text, std::string_view name = "web",
                     model::Unplaced unplaced = model::Unplaced::refused) {
    const auto parsed = parse_container({"web.yaml", text}, name, unplaced);
    return parsed ? "" : parsed.error().front().to_string();
}

TEST(ContainerYaml, ReadsWhatItWrites) {
    const auto topology = topology_of(R"(
containers:
  "1": {bridge: b, addresses: [10.0.0.1, fd00::1], expose: [80, 80/udp, 8000-8010/sctp]}
  yes: {networks: {b: [10.0.0.2], "null": [10.1.0.2]}, links: ["1", "1:other.alias"]}
  plain: {bridge: b, addresses: [10.0.0.3], environment: ["A=b", "KEY", "EMPTY=", "Q=\"'\\", "N=a\nb\tc\u2028\u0001\x7fé😀"]}
)");
    for (const auto& [name, container] : topology.containers) {
        const auto parsed = parse_container({"x", to_yaml(container)}, name);
        ASSERT_TRUE(parsed) << to_yaml(container) << parsed.error().front().to_string();
        EXPECT_EQ(*parsed, container) << to_yaml(container);
    }
}

TEST(ContainerYaml, IsAPartOfAConfiguration) {
    const auto topology = topology_of("containers: {a: {bridge: b, addresses: [10.0.0.1]}}");
    EXPECT_EQ(topology_of(to_yaml(topology.containers.at("a"))), topology);
}

TEST(ContainerYaml, IsOneContainerAndNothingElse) {
    const std::string web = "  web: {bridge: b, addresses: [10.0.0.1]}\n";
    EXPECT_EQ(error_of("containers:\n" + web), "");
    EXPECT_THAT(error_of(""), HasSubstr("must be a map"));
    EXPECT_THAT(error_of("containers:\n" + web + "log: {}\n"), HasSubstr("web.yaml:3:1: unknown key 'log'"));
    EXPECT_THAT(error_of("containers:\n" + web + "  x: {bridge: b, addresses: [10.0.0.2]}\n"),
                HasSubstr("one container, 'web'"));
    EXPECT_THAT(error_of("containers: {}\n"), HasSubstr("one container, 'web'"));
    EXPECT_THAT(error_of("containers:\n" + web, "other"),
                HasSubstr("web.yaml:2:3: this must be the container 'other', not 'web'"));
    EXPECT_THAT(error_of("containers:\n  web: {bridge: b, addresses: [10.0.0.1], exposes: []}\n"),
                HasSubstr("did you mean 'expose'?"));
    EXPECT_THAT(error_of("containers:\n  web: {bridge"), HasSubstr("web.yaml:"));
    EXPECT_THAT(error_of(std::string(100, '\0')), HasSubstr("NUL"));
}

TEST(ContainerYaml, OfAnyContainerGivesItBack) {
    AnyContainer containers(20261124);
    for (int round = 0; round < 1000; ++round) {
        const model::Container container = containers.next();
        const std::string yaml = to_yaml(container);
        const auto parsed = parse_container({"x.yaml", yaml}, container.name);
        ASSERT_TRUE(parsed) << yaml << parsed.error().front().to_string();
        ASSERT_EQ(*parsed, container) << yaml;
    }
}

// What an operator moves into conf.d has to mean there what it meant in the state.
TEST(ContainerYaml, OfAnyContainerIsAConfiguration) {
    AnyContainer containers(7);
    for (int round = 0; round < 300; ++round) {
        model::Container container = containers.next();
        container.links.clear();
        for (model::Network& network : container.networks)
            network.addresses.resize(1, *model::Address::parse("10.0.0.1"));
        const auto loaded = parse({{"x.yaml", to_yaml(container)}});
        ASSERT_TRUE(loaded) << to_yaml(container) << loaded.error().front().to_string();
        ASSERT_EQ(*loaded->config.topology.find(container.name), container) << to_yaml(container);
    }
}

TEST(ContainerYaml, ShowsAnItemALine) {
    const auto loaded = parse({{"a.yaml",
                                "containers:\n  b: {bridge: x, addresses: [10.0.0.9]}\n"
                                "  a: {networks: {x: [10.0.0.1, 'fd00::1'], y: [10.0.0.1]}, expose: [80, 53/udp], "
                                "environment: {A: 'b \"c\"', KEY: }, links: [b:db, b]}\n"}});
    ASSERT_TRUE(loaded);
    EXPECT_EQ(to_yaml(*loaded->config.topology.find("a")),
              "containers:\n"
              "  \"a\":\n"
              "    networks:\n"
              "      \"x\": [\"10.0.0.1\", \"fd00::1\"]\n"
              "      \"y\": [\"10.0.0.1\"]\n"
              "    expose:\n"
              "      - 53/udp\n"
              "      - 80/tcp\n"
              "    environment:\n"
              "      - \"A=b \\\"c\\\"\"\n"
              "      - \"KEY\"\n"
              "    links:\n"
              "      - \"b:db\"\n"
              "      - \"b:b\"\n");
}

TEST(ContainerYaml, OfAnUnplacedOneIsReadWhereItMayBe) {
    const std::string text = "containers: {web: {links: [redis:db]}}\n";
    EXPECT_EQ(error_of(text, "web", model::Unplaced::allowed), "");
    EXPECT_THAT(error_of(text, "web", model::Unplaced::refused), HasSubstr("'web' is on no bridge"));
    EXPECT_THAT(error_of("containers: {web: {bridge: b}}\n", "web", model::Unplaced::allowed),
                HasSubstr("no 'addresses'"));
}

TEST(ContainerYaml, OfAnUnplacedOneGivesItBack) {
    const auto topology = topology_of(
        "sources: {docker: {}}\nbridges: {docker0: {}}\n"
        "containers: {web: {links: [redis:db], expose: [80]}, empty: {}}\n");
    EXPECT_EQ(to_yaml(*topology.find("empty")), "containers:\n  \"empty\": {}\n");
    EXPECT_EQ(to_yaml(*topology.find("web")),
              "containers:\n  \"web\":\n    expose:\n      - 80/tcp\n    links:\n      - \"redis:db\"\n");
    for (const auto& [name, container] : topology.containers)
        EXPECT_EQ(parse_container({"x", to_yaml(container)}, name, model::Unplaced::allowed), container);
}

}  // namespace
}  // namespace nftlink::config
