// Wrong texts, documents and settings, and exactly what is said about them.
#include <gmock/gmock.h>

#include "nftlink/config/config.hpp"

namespace nftlink::config {
namespace {

struct Case {
    std::string yaml;
    std::vector<std::string> messages;
};

std::vector<std::string> errors(const std::vector<Source>& sources) {
    std::vector<std::string> messages;
    const auto result = parse(sources);
    for (const auto& error : result ? base::Errors{} : result.error())
        messages.push_back(error.to_string());
    return messages;
}

void expect(const std::vector<Case>& cases) {
    for (const auto& [yaml, messages] : cases)
        EXPECT_EQ(errors({{"a.yaml", yaml}}), messages) << yaml;
}

TEST(Errors, OfSyntaxAreInPlainWords) {
    expect({
        {"log: [a, b\n", {"a.yaml:2:1: not valid YAML: a list that '[' began has no ',' or ']' here"}},
        {"log: {level: debug\n", {"a.yaml:2:1: not valid YAML: the map that '{' began has no '}'"}},
        {"log: \"debug\n", {"a.yaml:1:6: not valid YAML: this quoted text has no end"}},
        {"log: 'a\n"
         "---\n",
         {"a.yaml:2:1: not valid YAML: a quoted text has no end before this document marker"}},
        {"log: debug # 'x\n"
         "env: {dialect: 'docker-27}\n",
         {"a.yaml:3:1: not valid YAML: the map that '{' began has no '}'"}},
        {"log: 'it''s\n", {"a.yaml:1:6: not valid YAML: this quoted text has no end"}},
        {"log:\n"
         "  level: &x \"a\\\"\n",
         {"a.yaml:2:10: not valid YAML: this quoted text has no end"}},
        {"log:\n"
         "  level: debug\n"
         "   format: text\n",
         {"a.yaml:3:10: not valid YAML: a ':' cannot stand here; is the indentation right, or should the text before "
          "it be in quotes?"}},
        {"log:\n"
         "  level: debug\n"
         " format: text\n",
         {"a.yaml:3:2: not valid YAML: a 'key: value' was expected here; is the indentation right?"}},
        {"log: debug: x\n",
         {"a.yaml:1:11: not valid YAML: a ':' cannot stand here; is the indentation right, or should the text before "
          "it be in quotes?"}},
        {"log:\n"
         "\tlevel: debug\n",
         {"a.yaml:2:7: not valid YAML: a ':' cannot stand here; is the indentation right, or should the text before it "
          "be in quotes?"}},
        {"log: @x\n", {"a.yaml:1:6: not valid YAML: this character cannot begin a value; put the value in quotes"}},
        {"log: 'a' b\n", {"a.yaml:1:10: not valid YAML: a 'key: value' was expected here; is the indentation right?"}},
        {"log: *x\n", {"a.yaml:1:6: not valid YAML: this alias ('*name') has no anchor ('&name') before it"}},
        {"log: &\n",
         {"a.yaml:1:7: not valid YAML: '&' begins an anchor and needs a name; put a value that starts with '&' in "
          "quotes"}},
        {"log: *\n",
         {"a.yaml:1:7: not valid YAML: '*' begins an alias and needs a name; put a value that starts with '*' in "
          "quotes"}},
        {"log: \"\\q\"\n",
         {"a.yaml:1:9: not valid YAML: unknown escape after '\\'; in single quotes a '\\' is just itself"}},
        {"log: \"\\xzz\"\n",
         {"a.yaml:1:11: not valid YAML: '\\x', '\\u' and '\\U' need 2, 4 and 8 hexadecimal digits"}},
        {"log: |x\n"
         "  a\n",
         {"a.yaml:1:7: not valid YAML: after '|' or '>' only an indentation, '+', '-' or a comment can stand"}},
        {"log: &a &b x\n", {"a.yaml:1:9: not valid YAML: a value can have one anchor only"}},
        {"log: !a !b x\n", {"a.yaml:1:9: not valid YAML: a value can have one tag only"}},
        {"}\n", {"a.yaml:1:1: not valid YAML: this bracket closes nothing"}},
        {"bridges:\n"
         "- a\n"
         "b\n",
         {"a.yaml:2:1: 'bridges' must be a map of bridges, not a list", "a.yaml:3:1: unknown key 'b'"}},
    });
}

TEST(Errors, OfTheTextStopAtTheFirst) {
    expect({
        {"log: {}\n"
         "# \001\n",
         {"a.yaml:2:3: the character U+0001 cannot stand in a configuration"}},
        {std::string("log: \000\n", 7), {"a.yaml:1:6: a NUL byte cannot stand in a configuration"}},
        {"log: é \177\n", {"a.yaml:1:8: the character U+007F cannot stand in a configuration"}},
        {"log: {}\r# old Macintosh\n",
         {"a.yaml:1:8: a carriage return without a line feed after it cannot stand in a configuration"}},
        {"log: {}\n"
         "# \351t\351\n",
         {"a.yaml:2:3: the byte 0xe9 here is not UTF-8"}},
        {std::string("\377\376l\000o\000", 6), {"a.yaml:1:1: the byte 0xff here is not UTF-8"}},
    });
}

TEST(Errors, OfWhatYamlHasAndWeDoNotTake) {
    expect({
        {"log: {}\n"
         "---\n"
         "log: {}\n",
         {"a.yaml:2:1: a second YAML document starts here; a configuration is one document"}},
        {"log: {}\n"
         "---\n",
         {"a.yaml:2:1: a second YAML document starts here; a configuration is one document"}},
        {"foo: 1\n"
         "---\n"
         "bar: [\n",
         {"a.yaml:1:1: unknown key 'foo'",
          "a.yaml:2:1: a second YAML document starts here; a configuration is one document"}},
        {"- a\n"
         "log: {}\n",
         {"a.yaml:1:1: a configuration must be a map of sections, not a list",
          "a.yaml:2:1: the configuration has ended before this; is the indentation right?"}},
        {"- a\n", {"a.yaml:1:1: a configuration must be a map of sections, not a list"}},
        {"debug\n", {"a.yaml:1:1: a configuration must be a map of sections, not 'debug'"}},
        {"log: {level: debug, level: info}\n", {"a.yaml:1:21: 'level' is given twice; the first is at a.yaml:1:7"}},
        {"log: {}\n"
         "env: {}\n"
         "log: {}\n",
         {"a.yaml:3:1: 'log' is given twice; the first is at a.yaml:1:1"}},
        {"foo: {a: 1, a: 2}\n",
         {"a.yaml:1:1: unknown key 'foo'", "a.yaml:1:13: 'a' is given twice; the first is at a.yaml:1:7"}},
        {"? [a]\n"
         ": b\n",
         {"a.yaml:1:3: a key must be a word, not a list"}},
        {"{a: b}: c\n", {"a.yaml:1:1: a key must be a word, not a map"}},
        {": a\n", {"a.yaml:1:1: a key is missing here"}},
        {"~: a\n", {"a.yaml:1:1: a key is missing here"}},
        {"a: &a {<<: *a}\n", {"a.yaml:1:12: this alias stands inside the value that it refers to"}},
        {"env: {<<: {dialect: docker-27}}\n",
         {"a.yaml:1:7: merge keys ('<<') are not supported; write the settings out"}},
        {"log: &a {level: *a}\n", {"a.yaml:1:17: this alias stands inside the value that it refers to"}},
        {"log: !x {level: !!int 5, format: !!str text}\n",
         {"a.yaml:1:6: the tag '!x' is not supported; write the value without it",
          "a.yaml:1:17: 'level' must be debug, info, warning or error, not '5'",
          "a.yaml:1:17: the tag '!!int' is not supported here; write the value without it"}},
        {"log: !!set {level: debug}\n",
         {"a.yaml:1:6: the tag '!!set' is not supported here; write the value without it"}},
    });
}

TEST(Errors, OfSpellingComeWithASuggestion) {
    expect({
        {"loging: {level: debug}\n", {"a.yaml:1:1: unknown key 'loging'; did you mean 'log'?"}},
        {"services: {}\n", {"a.yaml:1:1: unknown key 'services'"}},
        {"firewal: {}\n"
         "firewall: {layuot: sets, log-drops: true, Counters: true, foo: 1}\n",
         {"a.yaml:1:1: unknown key 'firewal'; did you mean 'firewall'?",
          "a.yaml:2:12: unknown key 'layuot'; did you mean 'layout'?",
          "a.yaml:2:26: unknown key 'log-drops'; did you mean 'log_drops'?",
          "a.yaml:2:43: unknown key 'Counters'; did you mean 'counters'?", "a.yaml:2:59: unknown key 'foo'"}},
        {"log: {levl: info}\n"
         "env: {dialekt: x}\n"
         "bridges: {br0: {ICC: deny, base_rule: true, x: 1}}\n",
         {"a.yaml:1:7: unknown key 'levl'; did you mean 'level'?",
          "a.yaml:2:7: unknown key 'dialekt'; did you mean 'dialect'?",
          "a.yaml:3:17: unknown key 'ICC'; did you mean 'icc'?",
          "a.yaml:3:28: unknown key 'base_rule'; did you mean 'base_rules'?", "a.yaml:3:45: unknown key 'x'"}},
        {"containers:\n"
         "  a:\n"
         "    bridge: br0\n"
         "    addresses: [10.0.0.1]\n"
         "    ports: [80]\n"
         "    image: redis\n"
         "    link: [b]\n"
         "    enviroment: {}\n",
         {"a.yaml:5:5: unknown key 'ports'", "a.yaml:6:5: unknown key 'image'",
          "a.yaml:7:5: unknown key 'link'; did you mean 'links'?",
          "a.yaml:8:5: unknown key 'enviroment'; did you mean 'environment'?"}},
        {"containers: {redis: {bridge: br0, adresses: [10.0.0.2]}}\n",
         {"a.yaml:1:14: 'redis' has a 'bridge' but no 'addresses'",
          "a.yaml:1:35: unknown key 'adresses'; did you mean 'addresses'?"}},
    });
}

TEST(Errors, OfLaterVersionsSaySo) {
    expect({
        {"firewall: {table_owner: true}\n", {"a.yaml:1:25: 'table_owner: true' is not supported yet"}},
    });
}

TEST(Errors, OfAttach) {
    expect({
        {"firewall: {attach: [{family: ip, table: filter, chain: FORWARD}]}\n",
         {"a.yaml:1:20: 'attach' needs 'layout: rules': a set stands in its own table only, and iptables would read a "
          "rule with one as 'accept everything'"}},
        {"firewall: {layout: rules, family: bridge, attach: [{family: ip6, table: filter, chain: FORWARD}]}\n",
         {"a.yaml:1:51: 'attach' and 'family: bridge' exclude each other: what is attached goes by the families of the "
          "chains"}},
        {"firewall:\n  layout: rules\n  attach:\n    - {family: bridge, table: filter, chain: FORWARD}\n"
         "    - {family: ip, table: filter}\n    - FORWARD\n    - {family: ip, table: 9, chain: FORWARD}\n"
         "    - {family: ip, table: filter, chain: FORWARD, priority: 5}\n",
         {"a.yaml:4:16: 'family' must be ip, ip6 or inet, not 'bridge'",
          "a.yaml:5:7: each of 'attach' needs 'chain': {family: ip, table: filter, chain: FORWARD}",
          "a.yaml:6:7: each of 'attach' must be a map such as {family: ip, table: filter, chain: FORWARD}, not "
          "'FORWARD'",
          "a.yaml:7:27: 'table' must start with a letter, '_' or '.' and go on with letters, digits and _ . / -, or "
          "nft could "
          "not read it; '9' does not",
          "a.yaml:8:51: unknown key 'priority'"}},
        {"firewall:\n  layout: rules\n  attach: [{family: ip, table: filter, chain: FORWARD}, {family: ip, table: "
         "filter, chain: FORWARD}, {family: ip, table: nftlink, chain: x}]\n",
         {"a.yaml:3:57: this chain is in 'attach' already",
          "a.yaml:3:102: 'attach' is for other programs' chains, and table 'nftlink' is nftlink's own: name another "
          "one "
          "with firewall.table"}},
        {"firewall: {layout: rules, attach: [{family: ip, table: filter, chain: FORWARD}]}\n"
         "containers: {a: {bridge: br0, addresses: ['fd00::1']}}\n",
         {"a.yaml:2:43: 'a' has only IPv6 addresses, and 'attach' names no chain for IPv6; add one of family ip6 or "
          "inet"}},
    });
}

TEST(Errors, OfPrioritiesInTheBridgeFamily) {
    expect({{"firewall: {family: bridge, priority: raw}\n",
             {"a.yaml:1:38: 'priority' cannot be 'raw' with 'family: bridge': filter is the one name there"}}});
}

TEST(Errors, OfTypesSayWhatIsExpectedAndWhatIsThere) {
    expect({
        {"firewall: 5\n"
         "bridges: [docker0]\n"
         "containers: redis\n"
         "env: []\n"
         "log: debug\n",
         {"a.yaml:1:11: 'firewall' must be a map, not '5'",
          "a.yaml:2:10: 'bridges' must be a map of bridges, not a list",
          "a.yaml:3:13: 'containers' must be a map of containers, not 'redis'",
          "a.yaml:4:6: 'env' must be a map, not a list", "a.yaml:5:6: 'log' must be a map, not 'debug'"}},
        {"firewall: {counters: yes, log_drops: \"true\", table_owner: 1, cut_flows: Off}\n",
         {"a.yaml:1:22: 'counters' must be links, bridges or none, or true or false, not 'yes'; write true",
          "a.yaml:1:38: 'log_drops' must be true or false, not the text 'true'; write it without quotes",
          "a.yaml:1:59: 'table_owner' must be true or false, not '1'",
          "a.yaml:1:73: 'cut_flows' must be true or false, not 'Off'; write false"}},
        {"firewall: {counters: , log_drops: [], table_owner: {}, cut_flows: ~}\n",
         {"a.yaml:1:12: 'counters' must be links, bridges or none, or true or false, not empty",
          "a.yaml:1:35: 'log_drops' must be true or false, not a list",
          "a.yaml:1:52: 'table_owner' must be true or false, not a map",
          "a.yaml:1:56: 'cut_flows' must be true or false, not empty"}},
        {"firewall: {counters: link, cut_flows: false}\n",
         {"a.yaml:1:22: 'counters' must be links, bridges or none, or true or false, not 'link'; did you mean 'links'?",
          "a.yaml:1:39: 'cut_flows: false' is no longer possible: a packet of an open connection passes only while its "
          "link stands; leave the key out"}},
        {"firewall: {counters: [links]}\n",
         {"a.yaml:1:22: 'counters' must be links, bridges or none, or true or false, not a list"}},
        {"firewall: {layout: sets}\nbridges: {br0: {base_rules: true}, br1: {base_rules: false}, 'x*': {base_rules: "
         "true}}\n",
         {"a.yaml:2:29: 'base_rules: true' needs 'firewall: {layout: rules}': they are Docker's, for chains that drop "
          "what no rule accepts, and nftlink's own table with 'layout: sets' needs none",
          "a.yaml:2:81: 'base_rules: true' needs 'firewall: {layout: rules}': they are Docker's, for chains that drop "
          "what no rule accepts, and nftlink's own table with 'layout: sets' needs none"}},
        {"firewall: {family: ip6, layout: set, replies: source_port, on_exit: delete}\n",
         {"a.yaml:1:20: 'family' must be inet, ip or bridge, not 'ip6'; did you mean 'ip'?",
          "a.yaml:1:33: 'layout' must be sets or rules, not 'set'; did you mean 'sets'?",
          "a.yaml:1:47: 'replies' must be established or source-port, not 'source_port'; did you mean 'source-port'?",
          "a.yaml:1:69: 'on_exit' must be keep or remove, not 'delete'"}},
        {"firewall: {family: , layout: [sets], replies: {a: b}, on_exit: ~}\n",
         {"a.yaml:1:12: 'family' must be inet, ip or bridge, not empty",
          "a.yaml:1:30: 'layout' must be sets or rules, not a list",
          "a.yaml:1:47: 'replies' must be established or source-port, not a map",
          "a.yaml:1:55: 'on_exit' must be keep or remove, not empty"}},
        {"env: {dialect: docker-29}\n"
         "log: {level: warn, format: JSON}\n",
         {"a.yaml:1:16: 'dialect' must be docker-0.10, docker-27 or docker-28, not 'docker-29'; did you mean "
          "'docker-27'?",
          "a.yaml:2:14: 'level' must be debug, info, warning or error, not 'warn'; did you mean 'warning'?",
          "a.yaml:2:28: 'format' must be text or json, not 'JSON'; did you mean 'json'?"}},
        {"bridges: {br0: deny, br1: {icc: true, base_rules: no}}\n",
         {"a.yaml:1:16: 'br0' must be a map, not 'deny'", "a.yaml:1:33: 'icc' must be deny or allow, not 'true'",
          "a.yaml:1:51: 'base_rules' must be true or false, not 'no'; write false"}},
        {"firewall: {layout: rules, attach: 5}\n"
         "env: {child_environment: \"no\", directory: []}\n",
         {"a.yaml:1:35: 'attach' must be a list of chains, not '5'; write [5]",
          "a.yaml:2:26: 'child_environment' must be true or false, not the text 'no'; write false",
          "a.yaml:2:43: 'directory' must be an absolute path, not a list"}},
    });
}

TEST(Errors, OfTheFirewallsValues) {
    expect({
        {"firewall: {table: 9lives}\n",
         {"a.yaml:1:19: 'table' must start with a letter, '_' or '.' and go on with letters, digits and _ . / -, or "
          "nft could not read it; '9lives' does not"}},
        {"firewall: {table: }\n", {"a.yaml:1:12: 'table' must be a table's name, not empty"}},
        {"firewall: {table: ''}\n",
         {"a.yaml:1:19: 'table' must start with a letter, '_' or '.' and go on with letters, digits and _ . / -, or "
          "nft could not read it; '' does not"}},
        {"firewall: {table: my table}\n",
         {"a.yaml:1:19: 'table' must start with a letter, '_' or '.' and go on with letters, digits and _ . / -, or "
          "nft could not read it; 'my table' does not"}},
        {"firewall: {table: log}\n",
         {"a.yaml:1:19: 'table' cannot be 'log': in nft's language that word means something else"}},
        {"firewall: {table: .}\n",
         {"a.yaml:1:19: 'table' cannot be '.': in nft's language that word means something else"}},
        {"firewall: {table: [a]}\n", {"a.yaml:1:19: 'table' must be a table's name, not a list"}},
        {("firewall: {table: " + std::string(249, 'a') + "}\n"), {"a.yaml:1:19: 'table' is longer than 248 bytes"}},
        {"firewall: {priority: fliter}\n",
         {"a.yaml:1:22: 'priority' must be a number, or filter, raw, mangle or security with or without an offset such "
          "as 'filter - 5', not 'fliter'; did you mean 'filter'?"}},
        {"firewall: {priority: filter 5}\n",
         {"a.yaml:1:22: 'priority' must be a number, or filter, raw, mangle or security with or without an offset such "
          "as 'filter - 5', not 'filter 5'"}},
        {"firewall: {priority: filter - }\n",
         {"a.yaml:1:22: 'priority' must be a number, or filter, raw, mangle or security with or without an offset such "
          "as 'filter - 5', not 'filter -'"}},
        {"firewall: {priority: filter - x}\n",
         {"a.yaml:1:22: 'priority' must be a number, or filter, raw, mangle or security with or without an offset such "
          "as 'filter - 5', not 'filter - x'"}},
        {"firewall: {priority: 5 filter}\n",
         {"a.yaml:1:22: 'priority' must be a number, or filter, raw, mangle or security with or without an offset such "
          "as 'filter - 5', not '5 filter'"}},
        {"firewall: {priority: 1.5}\n",
         {"a.yaml:1:22: 'priority' must be a number, or filter, raw, mangle or security with or without an offset such "
          "as 'filter - 5', not '1.5'"}},
        {"firewall: {priority: 0x10}\n",
         {"a.yaml:1:22: 'priority' must be a number, or filter, raw, mangle or security with or without an offset such "
          "as 'filter - 5', not '0x10'"}},
        {"firewall: {priority: - -5}\n",
         {"a.yaml:1:22: not valid YAML: a '-' cannot stand here; is the indentation right?"}},
        {"firewall: {priority: dstnat + 1}\n",
         {"a.yaml:1:22: 'priority' cannot be 'dstnat': a forward chain has no such priority"}},
        {"firewall: {priority: srcnat}\n",
         {"a.yaml:1:22: 'priority' cannot be 'srcnat': a forward chain has no such priority"}},
        {"firewall: {priority: 2147483648}\n",
         {"a.yaml:1:22: 'priority' must be from -2147483648 to 2147483647, not '2147483648'"}},
        {"firewall: {priority: filter - 2147483649}\n",
         {"a.yaml:1:22: 'priority' must be from -2147483648 to 2147483647, not 'filter - 2147483649'"}},
        {"firewall: {priority: 99999999999999999999}\n",
         {"a.yaml:1:22: 'priority' must be a number, or filter, raw, mangle or security with or without an offset such "
          "as 'filter - 5', not '99999999999999999999'"}},
        {"firewall: {priority: }\n", {"a.yaml:1:12: 'priority' must be a number or a name such as filter, not empty"}},
        {"firewall: {priority: ''}\n",
         {"a.yaml:1:22: 'priority' must be a number, or filter, raw, mangle or security with or without an offset such "
          "as 'filter - 5', not ''"}},
        {"firewall: {priority: {a: 1}}\n",
         {"a.yaml:1:22: 'priority' must be a number or a name such as filter, not a map"}},
        {"firewall: {accept_mark: 0}\n",
         {"a.yaml:1:25: 'accept_mark' must be a number from 1 to 0xffffffff, not '0'; leave it empty to set no mark"}},
        {"firewall: {accept_mark: 0x100000000}\n",
         {"a.yaml:1:25: 'accept_mark' must be a number from 1 to 0xffffffff, not '0x100000000'"}},
        {"firewall: {accept_mark: -1}\n",
         {"a.yaml:1:25: 'accept_mark' must be a number from 1 to 0xffffffff, not '-1'"}},
        {"firewall: {accept_mark: 010}\n",
         {"a.yaml:1:25: 'accept_mark' must be a number from 1 to 0xffffffff, not '010'"}},
        {"firewall: {accept_mark: '5'}\n",
         {"a.yaml:1:25: 'accept_mark' must be a number from 1 to 0xffffffff, not the text '5'; write it without "
          "quotes"}},
        {"firewall: {accept_mark: 0x}\n",
         {"a.yaml:1:25: 'accept_mark' must be a number from 1 to 0xffffffff, not '0x'"}},
        {"firewall: {accept_mark: five}\n",
         {"a.yaml:1:25: 'accept_mark' must be a number from 1 to 0xffffffff, not 'five'"}},
        {"firewall: {accept_mark: [1]}\n",
         {"a.yaml:1:25: 'accept_mark' must be a number from 1 to 0xffffffff, not a list"}},
        {"firewall: {accept_mark: true}\n",
         {"a.yaml:1:25: 'accept_mark' must be a number from 1 to 0xffffffff, not 'true'"}},
    });
}

TEST(Errors, OfAllSourcesComeTogether) {
    EXPECT_EQ(
        errors({{"b.yaml", "foo: 1\nlog: {level: loud}\n"},
                {"a.yaml", "log: [\n"},
                {"c.yaml", "containers:\n  web: {bridge: br0, addresses: [10.0.0.1], links: [redis, web]}\nbar: 2\n"}}),
        (std::vector<std::string>{"b.yaml:1:1: unknown key 'foo'",
                                  "b.yaml:2:14: 'level' must be debug, info, warning or error, not 'loud'",
                                  "a.yaml:2:1: not valid YAML: a list that '[' began has no ',' or ']' here",
                                  "c.yaml:2:60: 'web' cannot have a link to itself", "c.yaml:3:1: unknown key 'bar'"}))
        << "redis may be in a.yaml: nothing is said of it";
}

TEST(Errors, OfSourcesThatContradict) {
    EXPECT_EQ(
        errors({{"a.yaml",
                 "firewall: {table: x}\nbridges: {br0: {icc: deny}}\nenv: {dialect: docker-27}\n"
                 "containers:\n  redis: {bridge: br0, addresses: [10.0.0.1]}\n"},
                {"b.yaml", "firewall: {table: x}\nbridges: {br0: {icc: deny}}\nenv: {dialect: docker-28}\n"},
                {"c.yaml",
                 "firewall: 5\ncontrol: {socket: x}\nfoo: 1\n"
                 "containers:\n  redis: {expose: [6379]}\n  web: {bridge: br0, addresses: [10.0.0.1]}\n"},
                {"d.yaml", "firewall: {accept_mark: ~, table: y}\ncontrol: {socket: x}\nfoo: 1\n"}}),
        (std::vector<std::string>{
            "b.yaml:1:12: 'table' is given twice; the first is at a.yaml:1:12",
            "b.yaml:2:17: 'icc' is given twice; the first is at a.yaml:2:17",
            "b.yaml:3:7: 'dialect' is given twice; the first is at a.yaml:3:7",
            "c.yaml:1:11: 'firewall' must be a map, not '5'", "c.yaml:2:19: 'socket' must be an absolute path, not 'x'",
            "c.yaml:3:1: unknown key 'foo'", "c.yaml:5:3: container 'redis' is given twice; the first is at a.yaml:5:3",
            "c.yaml:6:34: the address 10.0.0.1 is used twice on bridge 'br0': 'redis' has it already, at a.yaml:5:36",
            "d.yaml:1:28: 'table' is given twice; the first is at a.yaml:1:12",
            "d.yaml:2:11: 'socket' is given twice; the first is at c.yaml:2:11", "d.yaml:3:1: unknown key 'foo'"}));
}

TEST(Errors, OfTextsMadeToExhaustUs) {
    std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 20; ++i) {
        const std::string alias = "*a" + std::to_string(i - 1);
        bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + alias;
        for (int j = 1; j < 10; ++j)
            bomb += ", " + alias;
        bomb += "]\n";
    }
    EXPECT_EQ(errors({{"a.yaml", bomb}}),
              std::vector<std::string>{"a.yaml:6:45: the aliases up to here stand for more than 1000000 values"});

    for (const std::size_t levels : {64, 1000, 100'000})
        EXPECT_EQ(errors({{"a.yaml", "x: " + std::string(levels, '[') + std::string(levels, ']')}}),
                  std::vector<std::string>{"a.yaml:1:67: values are nested more than 64 deep here"});
    EXPECT_EQ(errors({{"a.yaml", "x: " + std::string(63, '[') + std::string(63, ']')}}),
              std::vector<std::string>{"a.yaml:1:1: unknown key 'x'"});

    EXPECT_EQ(errors({{"a.yaml", std::string((64 << 20) + 1, ' ')}}),
              std::vector<std::string>{"a.yaml: larger than 64 MiB"});
}

TEST(Errors, OfASharedValueAreSaidOnce) {
    EXPECT_EQ(errors({{"a.yaml",
                       "containers:\n  a: {bridge: br0, addresses: [10.0.0.1], expose: &p [x]}\n"
                       "  b: {bridge: br0, addresses: [10.0.0.2], expose: *p}\n"}}),
              std::vector<std::string>{"a.yaml:2:55: 'x' is not a port number"});
}

TEST(Errors, AreAllSaid) {
    std::string text;
    std::vector<std::string> messages;
    for (int i = 1; i <= 2000; ++i) {
        text += "k" + std::to_string(i) + ": 1\n";
        messages.push_back("a.yaml:" + std::to_string(i) + ":1: unknown key 'k" + std::to_string(i) + "'");
    }
    EXPECT_EQ(errors({{"a.yaml", text}}), messages);
}

}  // namespace
}  // namespace nftlink::config
