#include "nftlink/linkenv/environment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace nftlink::linkenv {
namespace {

using model::Container;
using model::Dialect;
using model::EnvironmentOptions;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;

using Lines = std::vector<std::string>;

Lines lines(const Environment& environment) {
    Lines result;
    for (const Variable& variable : environment.variables)
        result.push_back(variable.name + "=" + variable.value);
    return result;
}

// Those whose name starts so.
Lines lines(const Environment& environment, std::string_view prefix) {
    Lines all = lines(environment);
    std::erase_if(all, [&](const std::string& line) { return !line.starts_with(prefix); });
    return all;
}

Lines warnings(const Environment& environment) {
    Lines result;
    for (const Warning& warning : environment.warnings)
        result.push_back(warning.to_string());
    return result;
}

// redis and web on docker0; web is the parent.
class Links : public testing::TestWithParam<Dialect> {
protected:
    Links() {
        redis.name = "redis";
        redis.networks = {{"docker0", {address("172.17.0.2")}}};
        redis.expose = ports({"6379"});
        web.name = "web";
        web.networks = {{"docker0", {address("172.17.0.3")}}};
        web.links = {{"redis", "db"}};
    }

    static model::Address address(std::string_view text) { return model::Address::parse(text).value(); }
    static std::vector<model::Port> ports(const std::vector<std::string>& texts) {
        std::vector<model::Port> all;
        for (const std::string& text : texts)
            std::ranges::copy(*model::parse_ports(text), std::back_inserter(all));
        std::ranges::sort(all);
        return all;
    }

    Environment made(Dialect dialect = Dialect::docker_0_10, bool child_environment = true) const {
        model::Topology topology;
        for (const Container& container : {redis, web, other})
            topology.containers[container.name] = container;
        return environment(web, topology, EnvironmentOptions{dialect, child_environment});
    }
    std::string hosts_lines(HostsFormat format = HostsFormat::hosts) const {
        model::Topology topology;
        topology.containers = {{"redis", redis}, {"web", web}};
        return hosts(web, topology, format);
    }

    Container redis, web;
    Container other{"other", {{"docker0", {address("172.17.0.4")}}}, {}, {}, {}};
};

TEST_P(Links, TheSeedsLinkIsTheSameInEveryDialect) {
    redis.environment = {"REDIS_VERSION=7.2", "A=1"};
    const Environment seed = made(GetParam());
    EXPECT_THAT(lines(seed),
                ElementsAre("DB_PORT=tcp://172.17.0.2:6379", "DB_PORT_6379_TCP=tcp://172.17.0.2:6379",
                            "DB_PORT_6379_TCP_ADDR=172.17.0.2", "DB_PORT_6379_TCP_PORT=6379",
                            "DB_PORT_6379_TCP_PROTO=tcp", "DB_NAME=/web/db", "DB_ENV_REDIS_VERSION=7.2", "DB_ENV_A=1"));
    EXPECT_THAT(warnings(seed), IsEmpty());
}

TEST_P(Links, AChildThatExposesNothingHasANameOnly) {
    redis.expose.clear();
    EXPECT_THAT(lines(made(GetParam())), ElementsAre("DB_NAME=/web/db"));
}

TEST_P(Links, AnIpv6AddressStandsInBracketsInUrlsAlone) {
    web.networks = {{"docker0", {address("fd00::3")}}};
    redis.networks = {{"docker0", {address("fd00::2")}}};
    EXPECT_THAT(lines(made(GetParam())),
                IsSupersetOf({"DB_PORT=tcp://[fd00::2]:6379", "DB_PORT_6379_TCP=tcp://[fd00::2]:6379",
                              "DB_PORT_6379_TCP_ADDR=fd00::2"}));
}

TEST_P(Links, HomeAndPathAreTheContainersOwn) {
    redis.environment = {"PATH=/bin", "home=/x", "HOME=/root", "HOMEPATH=/y", "EMPTY="};
    const Environment environment = made(GetParam());
    EXPECT_THAT(lines(environment, "DB_ENV"), ElementsAre("DB_ENV_home=/x", "DB_ENV_HOMEPATH=/y", "DB_ENV_EMPTY="));
    EXPECT_THAT(warnings(environment), IsEmpty());
}

TEST_P(Links, AVariableWithoutAValueIsLeftOutWithAWarning) {
    redis.environment = {"LONELY", "A=1"};
    const Environment environment = made(GetParam());
    EXPECT_THAT(lines(environment, "DB_ENV"), ElementsAre("DB_ENV_A=1"));
    EXPECT_THAT(warnings(environment), ElementsAre(AllOf(HasSubstr("/web/db"), HasSubstr("LONELY"))));
}

TEST_P(Links, TheChildsVariablesCanBeKeptBack) {
    redis.environment = {"SECRET=x", "LONELY"};
    const Environment environment = made(GetParam(), false);
    EXPECT_THAT(lines(environment, "DB_ENV"), IsEmpty());
    EXPECT_THAT(warnings(environment), IsEmpty());
}

TEST_P(Links, TheParentsOwnVariablesWin) {
    redis.environment = {"A=1", "B=2"};
    web.environment = {"DB_PORT=mine", "DB_ENV_A", "DB_ENV_B2=other"};
    EXPECT_THAT(lines(made(GetParam())),
                AllOf(Not(Contains(HasSubstr("DB_PORT="))), Not(Contains(HasSubstr("DB_ENV_A="))),
                      Contains("DB_ENV_B=2"), Contains("DB_PORT_6379_TCP_PORT=6379")));
}

TEST_P(Links, AreInTheirOrder) {
    redis.expose.clear();
    web.links = {{"redis", "z"}, {"other", "a"}, {"redis", "M"}};
    EXPECT_THAT(lines(made(GetParam())), ElementsAre("Z_NAME=/web/z", "A_NAME=/web/a", "M_NAME=/web/M"));
}

TEST_P(Links, OfTheSamePrefixGiveEachNameOnceAndOneWarning) {
    other.expose = ports({"6379", "80"});
    web.links = {{"redis", "db"}, {"other", "DB"}};
    const Environment environment = made(GetParam());
    EXPECT_THAT(lines(environment), Contains("DB_PORT_6379_TCP_ADDR=172.17.0.2"));
    EXPECT_THAT(lines(environment), Not(Contains("DB_PORT_6379_TCP_ADDR=172.17.0.4")));
    EXPECT_THAT(lines(environment), Contains("DB_PORT_80_TCP_ADDR=172.17.0.4"));
    EXPECT_THAT(warnings(environment), ElementsAre(AllOf(HasSubstr("/web/db"), HasSubstr("/web/DB"))));
}

TEST_P(Links, WhoseNamesMeetThoughTheirPrefixesDifferGiveAWarningToo) {
    redis.environment = {"NAME=x"};
    web.links = {{"redis", "db"}, {"other", "db_env"}};
    const Environment environment = made(GetParam());
    EXPECT_THAT(lines(environment, "DB_ENV"), ElementsAre("DB_ENV_NAME=x"));
    EXPECT_THAT(warnings(environment), ElementsAre(AllOf(HasSubstr("/web/db"), HasSubstr("/web/db_env"))));
}

TEST_P(Links, WithADotWarnInEveryDialectAndPromiseNoOther) {
    web.links = {{"redis", "my.db"}};
    const Environment environment = made(GetParam());
    EXPECT_THAT(lines(environment), Contains("MY.DB_PORT_6379_TCP_PORT=6379"));
    EXPECT_THAT(warnings(environment),
                ElementsAre(AllOf(HasSubstr("/web/my.db"), HasSubstr("another alias"), Not(HasSubstr("docker-2")))));
}

INSTANTIATE_TEST_SUITE_P(EveryDialect, Links,
                         testing::Values(Dialect::docker_0_10, Dialect::docker_27, Dialect::docker_28),
                         [](const auto& test) {
                             std::string name(model::to_string(test.param));
                             std::erase_if(name, [](char c) { return c == '-' || c == '.'; });
                             return name;
                         });

// What the dialects do not share.
class Dialects : public Links {};

TEST_F(Dialects, DashesInThePrefix) {
    web.links = {{"redis", "my-db"}};
    redis.expose.clear();
    EXPECT_THAT(lines(made(Dialect::docker_0_10)), ElementsAre("MY-DB_NAME=/web/my-db"));
    EXPECT_THAT(warnings(made(Dialect::docker_0_10)), ElementsAre(AllOf(HasSubstr("MY-DB"), HasSubstr("docker-27"))));
    for (const Dialect dialect : {Dialect::docker_27, Dialect::docker_28}) {
        EXPECT_THAT(lines(made(dialect)), ElementsAre("MY_DB_NAME=/web/my-db"));
        EXPECT_THAT(warnings(made(dialect)), IsEmpty());
    }
}

TEST_F(Dialects, PrefixesThatOnlyLaterOnesMakeMeet) {
    web.links = {{"redis", "a-b"}, {"other", "a_b"}};
    EXPECT_THAT(lines(made(Dialect::docker_0_10)), IsSupersetOf({"A-B_NAME=/web/a-b", "A_B_NAME=/web/a_b"}));
    EXPECT_THAT(warnings(made(Dialect::docker_0_10)), Not(Contains(HasSubstr("/web/a_b"))));
    EXPECT_THAT(lines(made(Dialect::docker_27), "A_B_NAME"), ElementsAre("A_B_NAME=/web/a-b"));
    EXPECT_THAT(warnings(made(Dialect::docker_27)), ElementsAre(AllOf(HasSubstr("/web/a-b"), HasSubstr("/web/a_b"))));
}

TEST_F(Dialects, AnAliasThatStartsWithADigit) {
    web.links = {{"redis", "1-db"}};
    EXPECT_THAT(warnings(made(Dialect::docker_0_10)), ElementsAre(Not(HasSubstr("docker-2"))));
    EXPECT_THAT(warnings(made(Dialect::docker_28)), ElementsAre(HasSubstr("1_DB")));
}

TEST_F(Dialects, ValuesWithAnEqualsSign) {
    redis.environment = {"A=b=c", "B==", "C=d"};
    const Environment old = made(Dialect::docker_0_10);
    EXPECT_THAT(lines(old, "DB_ENV"), ElementsAre("DB_ENV_C=d"));
    EXPECT_THAT(warnings(old), ElementsAre(AllOf(HasSubstr("variable A of redis "), HasSubstr("docker-27")),
                                           AllOf(HasSubstr("variable B "), HasSubstr("docker-27"))));
    for (const Dialect dialect : {Dialect::docker_27, Dialect::docker_28}) {
        EXPECT_THAT(lines(made(dialect), "DB_ENV"), ElementsAre("DB_ENV_A=b=c", "DB_ENV_B==", "DB_ENV_C=d"));
        EXPECT_THAT(warnings(made(dialect)), IsEmpty());
    }
}

TEST_F(Dialects, OrderOfPorts) {
    redis.expose = ports({"53/udp", "53/tcp", "20/udp", "9000/tcp", "9/sctp"});
    const auto order = [&](Dialect dialect) {
        Lines urls;
        for (const Variable& variable : made(dialect).variables)
            if (variable.value.starts_with("tcp://") || variable.value.find("://") != std::string::npos)
                urls.push_back(variable.name);
        return urls;
    };
    const auto by_number = ElementsAre("DB_PORT", "DB_PORT_9_SCTP", "DB_PORT_20_UDP", "DB_PORT_53_TCP",
                                       "DB_PORT_53_UDP", "DB_PORT_9000_TCP");
    EXPECT_THAT(order(Dialect::docker_0_10), by_number);
    EXPECT_THAT(order(Dialect::docker_27), by_number);
    EXPECT_THAT(order(Dialect::docker_28), ElementsAre("DB_PORT", "DB_PORT_53_TCP", "DB_PORT_9000_TCP",
                                                       "DB_PORT_9_SCTP", "DB_PORT_20_UDP", "DB_PORT_53_UDP"));
    EXPECT_THAT(lines(made(Dialect::docker_27)), Contains("DB_PORT=sctp://172.17.0.2:9"));
    EXPECT_THAT(lines(made(Dialect::docker_28)), Contains("DB_PORT=tcp://172.17.0.2:53"));
}

// The extra variables of runs of ports.
class Runs : public Links {
protected:
    Lines found(Dialect dialect, const std::vector<std::string>& expose) {
        redis.expose = ports(expose);
        Lines all = lines(made(dialect));
        std::erase_if(all, [](const std::string& line) {
            const std::string name = line.substr(0, line.find('='));
            return !name.ends_with("_START") && !name.ends_with("_END");
        });
        return all;
    }
};

TEST_F(Runs, HaveFourVariablesUnderTheirFirstPortsName) {
    for (const Dialect dialect : {Dialect::docker_27, Dialect::docker_28})
        EXPECT_THAT(
            found(dialect, {"6379-6381"}),
            ElementsAre("DB_PORT_6379_TCP_START=tcp://172.17.0.2:6379", "DB_PORT_6379_TCP_END=tcp://172.17.0.2:6381",
                        "DB_PORT_6379_TCP_PORT_START=6379", "DB_PORT_6379_TCP_PORT_END=6381"));
    EXPECT_THAT(lines(made(Dialect::docker_28)), Contains("DB_PORT_6380_TCP_PORT=6380"));
}

TEST_F(Runs, AreUnknownToDocker010) {
    EXPECT_THAT(found(Dialect::docker_0_10, {"6379-6390"}), IsEmpty());
}

TEST_F(Runs, OfTwoCountInDocker28Only) {
    EXPECT_THAT(found(Dialect::docker_27, {"80-81"}), IsEmpty());
    EXPECT_THAT(found(Dialect::docker_28, {"80-81"}), Contains("DB_PORT_80_TCP_PORT_END=81"));
}

TEST_F(Runs, AreOfOneProtocol) {
    for (const Dialect dialect : {Dialect::docker_27, Dialect::docker_28}) {
        EXPECT_THAT(found(dialect, {"80/tcp", "81/udp", "82/tcp"}), IsEmpty());
        EXPECT_THAT(found(dialect, {"6379/tcp", "6379/udp", "6380/tcp", "6381/tcp"}),
                    Contains("DB_PORT_6379_TCP_END=tcp://172.17.0.2:6381"));
    }
}

TEST_F(Runs, DoNotGoOnInAnotherProtocol) {
    EXPECT_THAT(found(Dialect::docker_27, {"80/tcp", "81/udp", "82/udp"}), IsEmpty());
    EXPECT_THAT(found(Dialect::docker_28, {"80/tcp", "81/udp"}), IsEmpty());
}

TEST_F(Runs, EndAtGapsAndAtTheLastPort) {
    EXPECT_THAT(found(Dialect::docker_27, {"10-12", "14-15", "65533-65535"}),
                AllOf(Contains("DB_PORT_10_TCP_PORT_END=12"), Contains("DB_PORT_65533_TCP_PORT_END=65535"),
                      Not(Contains(HasSubstr("_14_")))));
}

// Which of a child's addresses its parent is told.
class Addresses : public Links {
protected:
    Lines told() const { return lines(made(), "DB_PORT_6379_TCP_ADDR"); }
};

TEST_F(Addresses, Ipv4IsToldBeforeIpv6) {
    redis.networks = {{"docker0", {address("fd00::2"), address("172.17.0.8"), address("172.17.0.7")}}};
    EXPECT_THAT(told(), ElementsAre("DB_PORT_6379_TCP_ADDR=172.17.0.8"));
}

TEST_F(Addresses, TheFirstOfItsKindIsTold) {
    web.networks = {{"docker0", {address("fd00::3")}}};
    redis.networks = {{"docker0", {address("fd00::9"), address("fd00::2")}}};
    EXPECT_THAT(told(), ElementsAre("DB_PORT_6379_TCP_ADDR=fd00::9"));
}

TEST_F(Addresses, OfABridgeThatTheParentIsNotOnAreNotToldWhereTheyShareOne) {
    web.networks = {{"docker0", {address("fd00::3")}}};
    redis.networks = {{"br-other", {address("10.9.0.2")}}, {"docker0", {address("fd00::2")}}};
    EXPECT_THAT(told(), ElementsAre("DB_PORT_6379_TCP_ADDR=fd00::2"));
}

TEST_F(Addresses, BridgesCountInTheChildsOrder) {
    redis.networks = {{"br-b", {address("fd0b::2")}}, {"br-c", {address("10.3.0.2")}}, {"br-a", {address("10.1.0.2")}}};
    web.networks = {{"br-a", {address("10.1.0.3")}}, {"br-b", {address("10.2.0.3")}}, {"br-c", {address("10.3.0.3")}}};
    EXPECT_THAT(told(), ElementsAre("DB_PORT_6379_TCP_ADDR=10.3.0.2"));
}

TEST_F(Addresses, AreOfAFamilyThatTheParentHasToo) {
    web.networks = {{"docker0", {address("fd00::3")}}};
    redis.networks = {{"docker0", {address("172.17.0.2"), address("fd00::2")}}};
    EXPECT_THAT(told(), ElementsAre("DB_PORT_6379_TCP_ADDR=fd00::2"));
    redis.networks = {{"docker0", {address("172.17.0.2")}}};
    EXPECT_THAT(told(), IsEmpty()) << "it can't be reached";
    EXPECT_THAT(lines(made()), Contains("DB_NAME=/web/db"));
    EXPECT_EQ(hosts_lines(), "");
    web.networks = {{"docker0", {}}};
    EXPECT_THAT(told(), ElementsAre("DB_PORT_6379_TCP_ADDR=172.17.0.2")) << "it may get any";
}

TEST_F(Addresses, OnAnotherBridgeAreReachedByRouting) {
    web.networks = {{"docker0", {address("172.17.0.3"), address("fd00::3")}}};
    redis.networks = {{"br-b", {address("fd0b::2")}}, {"br-c", {address("10.3.0.2")}}};
    EXPECT_THAT(told(), ElementsAre("DB_PORT_6379_TCP_ADDR=10.3.0.2"));
    web.networks = {{"docker0", {address("fd00::3")}}};
    EXPECT_THAT(told(), ElementsAre("DB_PORT_6379_TCP_ADDR=fd0b::2"));
}

TEST_F(Addresses, StandInHostsLinesWithAliasAndName) {
    web.links = {{"redis", "db"}, {"redis", "redis"}};
    EXPECT_EQ(hosts_lines(), "172.17.0.2\tdb redis\n172.17.0.2\tredis redis\n");
    redis.networks = {{"docker0", {address("fd00::2")}}};
    web.networks = {{"docker0", {address("fd00::3")}}};
    web.links = {{"redis", "db"}};
    EXPECT_EQ(hosts_lines(), "fd00::2\tdb redis\n");
    web.links.clear();
    EXPECT_EQ(hosts_lines(), "");
}

TEST_F(Addresses, StandInWordsOfDockerRunOnceEach) {
    web.links = {{"redis", "db"}, {"redis", "redis"}, {"gone", "x"}};
    EXPECT_EQ(hosts_lines(HostsFormat::docker), "--add-host=db:172.17.0.2\n--add-host=redis:172.17.0.2\n");
    redis.networks = {{"docker0", {address("fd00::2")}}};
    web.networks = {{"docker0", {address("fd00::3")}}};
    web.links = {{"redis", "db"}};
    EXPECT_EQ(hosts_lines(HostsFormat::docker), "--add-host=db:fd00::2\n--add-host=redis:fd00::2\n");
    redis.networks.clear();
    EXPECT_EQ(hosts_lines(HostsFormat::docker), "") << "it has no place yet";
    EXPECT_EQ(hosts_lines(), "");
}

TEST_F(Addresses, OfOneLinkComeWithoutTheParentsOwnVariables) {
    web.environment = {"DB_NAME=mine"};
    model::Topology topology;
    topology.containers = {{"redis", redis}, {"web", web}};
    EXPECT_THAT(lines(link_environment(web, web.links.front(), topology, {})), Contains("DB_NAME=/web/db"));
}

}  // namespace
}  // namespace nftlink::linkenv
