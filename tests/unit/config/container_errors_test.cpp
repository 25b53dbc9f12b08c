// Wrong containers, and exactly what is said about them.
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

TEST(Errors, OfNamesSayTheRule) {
    expect({
        {"bridges: {a b: ~, a/b: ~, abcdefghijklmnop: ~, .: ~, ..: ~, '': ~, 'a\"b': ~, 'a:b': ~, brü: ~}\n",
         {"a.yaml:1:11: bridge 'a b': an interface's name has no blanks",
          "a.yaml:1:19: bridge 'a/b': an interface's name cannot have '/' in it",
          "a.yaml:1:27: bridge 'abcdefghijklmnop': an interface's name has at most 15 characters, not 16",
          "a.yaml:1:48: bridge '.': an interface cannot have this name",
          "a.yaml:1:54: bridge '..': an interface cannot have this name",
          "a.yaml:1:61: bridge '': an interface's name cannot be empty",
          "a.yaml:1:68: bridge 'a\"b': an interface's name cannot have '\"' in it",
          "a.yaml:1:78: bridge 'a:b': an interface's name cannot have ':' in it",
          "a.yaml:1:88: bridge 'brü': an interface's name can have ASCII characters only"}},
        {"containers:\n"
         "  -a: {bridge: br0, addresses: [10.0.0.1]}\n"
         "  a/b: {bridge: b/r, addresses: [10.0.0.2]}\n"
         "  '': {networks: {'b r': [10.0.0.3]}}\n"
         "  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: {bridge: '', addresses: [10.0.0.4]}\n",
         {"a.yaml:2:3: container '-a': a name starts with a letter or digit and goes on with letters, digits, '_', '.' "
          "and '-'",
          "a.yaml:3:3: container 'a/b': a name starts with a letter or digit and goes on with letters, digits, '_', "
          "'.' and '-'",
          "a.yaml:3:17: bridge 'b/r': an interface's name cannot have '/' in it",
          "a.yaml:4:3: container '': a name cannot be empty",
          "a.yaml:4:19: bridge 'b r': an interface's name has no blanks",
          "a.yaml:5:3: container 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…': a name has at "
          "most 64 characters, not 65",
          "a.yaml:5:79: bridge '': an interface's name cannot be empty"}},
    });
}

TEST(Errors, OfWhereAContainerIs) {
    expect({
        {"containers:\n"
         "  a:\n"
         "  b: {}\n"
         "  c: {bridge: br0}\n"
         "  d: {addresses: [10.0.0.1]}\n"
         "  e: {bridge: br0, networks: {br0: [10.0.0.2]}}\n"
         "  f: {addresses: [10.0.0.3], networks: {br0: [10.0.0.4]}}\n",
         {"a.yaml:2:3: 'a' is on no bridge; write 'bridge' and 'addresses', or 'networks'",
          "a.yaml:3:3: 'b' is on no bridge; write 'bridge' and 'addresses', or 'networks'",
          "a.yaml:4:3: 'c' has a 'bridge' but no 'addresses'", "a.yaml:5:3: 'd' has 'addresses' but no 'bridge'",
          "a.yaml:6:3: 'e' has 'networks' beside 'bridge' or 'addresses'; write one or the other",
          "a.yaml:7:3: 'f' has 'networks' beside 'bridge' or 'addresses'; write one or the other"}},
        {"containers:\n"
         "  a: {bridge: br0, addresses: []}\n"
         "  b: {bridge: br0, addresses: 10.0.0.1}\n"
         "  c: {bridge: br0, addresses: }\n"
         "  d: {bridge: [br0], addresses: {br0: 10.0.0.1}}\n",
         {"a.yaml:2:31: 'addresses' must have an address",
          "a.yaml:3:31: 'addresses' must be a list of addresses, not '10.0.0.1'; write it in [ ]",
          "a.yaml:4:20: 'addresses' must be a list of addresses, not empty",
          "a.yaml:5:15: 'bridge' must be a bridge's name, not a list",
          "a.yaml:5:33: 'addresses' must be a list of addresses, not a map"}},
        {"containers:\n"
         "  a: {networks: }\n"
         "  b: {networks: {}}\n"
         "  c: {networks: [br0]}\n"
         "  d: {networks: br0}\n"
         "  e: {networks: {br0: , br1: 10.0.0.1, br2: [], br3: {ipv4_address: 10.0.0.1}}}\n",
         {"a.yaml:2:7: 'networks' must be a map from bridge to addresses, not empty",
          "a.yaml:3:17: 'networks' must name a bridge and its addresses",
          "a.yaml:4:17: 'networks' must be a map from bridge to addresses, not a list",
          "a.yaml:5:17: 'networks' must be a map from bridge to addresses, not 'br0'",
          "a.yaml:6:18: 'br0' must be a list of addresses, not empty",
          "a.yaml:6:30: 'br1' must be a list of addresses, not '10.0.0.1'; write it in [ ]",
          "a.yaml:6:45: 'br2' must have an address", "a.yaml:6:54: 'br3' must be a list of addresses, not a map"}},
        {"containers:\n"
         "  a:\n"
         "    bridge: br0\n"
         "    addresses:\n"
         "      - 10.0.0.256\n"
         "      - 10.0.0.0/16\n"
         "      - [10.0.0.1]\n"
         "      -\n"
         "      - fd00::\n"
         "      - ::1\n"
         "      - 127.0.0.1\n"
         "      - ~\n",
         {"a.yaml:5:9: '10.0.0.256' is not an IPv4 or IPv6 address",
          "a.yaml:6:9: '10.0.0.0/16' is not an address: leave the prefix length off",
          "a.yaml:7:9: each of 'addresses' must be an address, not a list",
          "a.yaml:8:7: each of 'addresses' must be an address, not empty",
          "a.yaml:9:9: each of 'addresses' must be an address, not a map; put an IPv6 address that ends in ':' in "
          "quotes",
          "a.yaml:10:9: '::1' is a loopback address", "a.yaml:11:9: '127.0.0.1' is a loopback address",
          "a.yaml:12:9: each of 'addresses' must be an address, not empty"}},
        {"containers: {a: [], b: 5, c: ~}\n",
         {"a.yaml:1:17: 'a' must be a map, not a list", "a.yaml:1:24: 'b' must be a map, not '5'",
          "a.yaml:1:27: 'c' is on no bridge; write 'bridge' and 'addresses', or 'networks'"}},
    });
}

TEST(Errors, OfAddressesNameBothPlaces) {
    expect({
        {"containers:\n"
         "  a: {bridge: br0, addresses: [10.0.0.1, 10.0.0.1]}\n"
         "  b: {bridge: br0, addresses: [fd00::1]}\n"
         "  c: {networks: {br0: ['fd00:0::1', 10.0.0.1], br1: [10.0.0.1]}}\n"
         "  d: {bridge: br1, addresses: [10.0.0.2, 10.0.0.1]}\n",
         {"a.yaml:2:42: the address 10.0.0.1 is used twice on bridge 'br0': 'a' has it already, at a.yaml:2:32",
          "a.yaml:4:24: the address fd00::1 is used twice on bridge 'br0': 'b' has it already, at a.yaml:3:32",
          "a.yaml:4:37: the address 10.0.0.1 is used twice on bridge 'br0': 'a' has it already, at a.yaml:2:32",
          "a.yaml:5:42: the address 10.0.0.1 is used twice on bridge 'br1': 'c' has it already, at a.yaml:4:54"}},
        {"containers: {a: {bridge: br0, addresses: [fd00::3], networks: {br0: [fd00::3]}}}\n",
         {"a.yaml:1:14: 'a' has 'networks' beside 'bridge' or 'addresses'; write one or the other",
          "a.yaml:1:70: the address fd00::3 is used twice on bridge 'br0': 'a' has it already, at a.yaml:1:43"}},
        {"firewall: {family: ip}\n"
         "containers:\n"
         "  a: {bridge: br0, addresses: [fd00::1]}\n"
         "  b: {bridge: br0, addresses: [fd00::2, 10.0.0.1]}\n",
         {"a.yaml:3:32: 'a' has only IPv6 addresses, and 'family: ip' is about IPv4 only; use 'family: inet'"}},
    });
}

TEST(Errors, OfAContainerAreNotSaidAgainInWhatFollowsFromThem) {
    expect({
        {"firewall: {family: ip}\n"
         "containers: {a: {bridge: br0, addresses: [fd00::1, x]}, b: {bridge: br0}}\n",
         {"a.yaml:2:52: 'x' is not an IPv4 or IPv6 address", "a.yaml:2:57: 'b' has a 'bridge' but no 'addresses'"}},
        {"limits: {permissions: 1}\n"
         "containers:\n"
         "  a: {bridge: br0, addresses: [10.0.0.1], expose: [80, 81, x]}\n"
         "  b: {bridge: br0, addresses: [10.0.0.2], links: [a]}\n",
         {"a.yaml:3:60: 'x' is not a port number"}},
    });
}

TEST(Errors, OfPorts) {
    expect({
        {"containers: {a: {bridge: br0, addresses: [10.0.0.1], expose: [0, 65536, 80/icmp, x, 90-80, '', 1-, ~, [80], "
         "{80: 80}, -5, 80/]}}\n",
         {"a.yaml:1:63: port 0 is out of range: ports are 1 to 65535",
          "a.yaml:1:66: port 65536 is out of range: ports are 1 to 65535",
          "a.yaml:1:73: unknown protocol 'icmp': tcp, udp and sctp are supported",
          "a.yaml:1:82: 'x' is not a port number", "a.yaml:1:85: the range 90-80 is reversed: write 80-90",
          "a.yaml:1:92: '' is not a port number", "a.yaml:1:96: '' is not a port number",
          "a.yaml:1:100: each of 'expose' must be a port such as 6379/tcp, not empty",
          "a.yaml:1:103: each of 'expose' must be a port such as 6379/tcp, not a list",
          "a.yaml:1:109: each of 'expose' must be a port such as 6379/tcp, not a map",
          "a.yaml:1:119: '' is not a port number",
          "a.yaml:1:123: unknown protocol '': tcp, udp and sctp are supported"}},
        {"containers: {a: {bridge: br0, addresses: [10.0.0.1], expose: 80}}\n",
         {"a.yaml:1:62: 'expose' must be a list of ports, not '80'; write [80]"}},
        {"containers: {a: {bridge: br0, addresses: [10.0.0.1], expose: {80: tcp}}}\n",
         {"a.yaml:1:62: 'expose' must be a list of ports, not a map"}},
        {"containers: {a: {bridge: br0, addresses: [10.0.0.1], expose: [1-1025]}}\n",
         {"a.yaml:1:63: the range 1-1025 has more than 1024 ports"}},
        {"containers: {a: {bridge: br0, addresses: [10.0.0.1], expose: [1-1024, 9, 53/udp]}}\n",
         {"a.yaml:1:74: 'a' exposes more than 1024 ports"}},
    });
}

TEST(Errors, OfTheEnvironment) {
    expect({
        {"containers: {a: {bridge: br0, addresses: [10.0.0.1], environment: {A=B: c, '': d, E: [f], G: {h: i}, "
         "\"N\\0\": x, M: \"a\\0b\"}}}\n",
         {"a.yaml:1:68: the variable's name 'A=B' has a '=' in it", "a.yaml:1:76: a variable without a name: '=d'",
          "a.yaml:1:86: 'E' must be text, not a list", "a.yaml:1:94: 'G' must be text, not a map",
          "a.yaml:1:102: the variable 'N\\x00' has a NUL byte in it",
          "a.yaml:1:115: the variable 'M' has a NUL byte in it"}},
        {"containers: {a: {bridge: br0, addresses: [10.0.0.1], environment: ['=x', '', A=1, A=2, A, [b], {c: d}, ~, "
         "\"Z=\\0\"]}}\n",
         {"a.yaml:1:68: a variable without a name: '=x'", "a.yaml:1:74: a variable without a name: ''",
          "a.yaml:1:83: the variable 'A' is given twice; the first is at a.yaml:1:78",
          "a.yaml:1:88: the variable 'A' is given twice; the first is at a.yaml:1:78",
          "a.yaml:1:91: each of 'environment' must be KEY=VALUE, not a list",
          "a.yaml:1:96: each of 'environment' must be KEY=VALUE, not a map; write '=' for ': ', or leave out the '-'",
          "a.yaml:1:104: each of 'environment' must be KEY=VALUE, not empty",
          "a.yaml:1:107: the variable 'Z' has a NUL byte in it"}},
        {"containers: {a: {bridge: br0, addresses: [10.0.0.1], environment: A=1}}\n",
         {"a.yaml:1:67: 'environment' must be a map, or a list of KEY=VALUE, not 'A=1'"}},
        {"containers: {a: {bridge: br0, addresses: [10.0.0.1], environment: {A: 1, A: 2}}}\n",
         {"a.yaml:1:74: 'A' is given twice; the first is at a.yaml:1:68"}},
    });
}

TEST(Errors, OfLinks) {
    expect({
        {"containers:\n"
         "  redis: {bridge: br0, addresses: [10.0.0.1], expose: [6379]}\n"
         "  other: {bridge: br1, addresses: [10.0.0.2]}\n"
         "  web:\n"
         "    bridge: br0\n"
         "    addresses: [10.0.0.3]\n"
         "    links: [reds:db, nobody, web, 'web:me', redis:x, other:x, other, redis:, ':db', 'redis:a b', 're dis', "
         "a:b:c, ~, [redis], redis: db]\n",
         {"a.yaml:7:13: there is no container 'reds'; did you mean 'redis'?",
          "a.yaml:7:22: there is no container 'nobody'", "a.yaml:7:30: 'web' cannot have a link to itself",
          "a.yaml:7:35: 'web' cannot have a link to itself",
          "a.yaml:7:54: 'web' has the alias 'x' twice; the first is at a.yaml:7:45",
          "a.yaml:7:70: each of 'links' must be 'child' or 'child:alias', not a map; write it without a blank, in "
          "quotes if need be",
          "a.yaml:7:78: link ':db': child '': a name cannot be empty",
          "a.yaml:7:85: link 'redis:a b': alias 'a b': a name starts with a letter or digit and goes on with letters, "
          "digits, '_', '.' and '-'",
          "a.yaml:7:98: link 're dis': child 're dis': a name starts with a letter or digit and goes on with letters, "
          "digits, '_', '.' and '-'",
          "a.yaml:7:108: link 'a:b:c': alias 'b:c': a name starts with a letter or digit and goes on with letters, "
          "digits, '_', '.' and '-'",
          "a.yaml:7:115: each of 'links' must be 'child' or 'child:alias', not empty",
          "a.yaml:7:118: each of 'links' must be 'child' or 'child:alias', not a list",
          "a.yaml:7:127: each of 'links' must be 'child' or 'child:alias', not a map; write it without a blank, in "
          "quotes if need be"}},
        {"containers: {a: {bridge: br0, addresses: [10.0.0.1], links: b}}\n",
         {"a.yaml:1:61: 'links' must be a list of 'child' or 'child:alias', not 'b'; write [b]"}},
        {"containers: {a: {bridge: br0, addresses: [10.0.0.1], links: {b: c}}}\n",
         {"a.yaml:1:61: 'links' must be a list of 'child' or 'child:alias', not a map"}},
        {"containers:\n"
         "  a: {bridge: br0, addresses: [10.0.0.1], expos: [80]}\n"
         "  b: {networks: {br1: [10.0.0.2], br2: [10.0.0.3]}, links: [a]}\n",
         {"a.yaml:2:43: unknown key 'expos'; did you mean 'expose'?"}},
        {"containers:\n"
         "  a: {bridge: br0, addresses: [x]}\n"
         "  b: {bridge: br1, addresses: [10.0.0.2], links: [a]}\n",
         {"a.yaml:2:32: 'x' is not an IPv4 or IPv6 address"}},
    });
}

}  // namespace
}  // namespace nftlink::config
