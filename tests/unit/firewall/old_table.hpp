// The tables of 0.1, by hand: a chain and sets for each bridge. For tests.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "nftlink/model/address.hpp"
#include "nftlink/nft/build.hpp"
#include "nftlink/nft/ruleset.hpp"

namespace nftlink::firewall {

// A link of 0.1: its element, or with `layout: rules` its rule.
struct OldLink {
    std::string parent, child;  // addresses
    std::uint16_t port = 0;
    nft::Counters counts = {};
};

struct OldBridge {
    std::string name;    // as in the names of its chain and sets: with `/40` for an @
    std::string bridge;  // as it is
    std::vector<OldLink> links;
    std::string slot = {};  // `/b`: the second
};

struct OldTable {
    nft::Family family = nft::Family::inet;
    bool by_rules = false;
    std::vector<OldBridge> bridges;
    bool marked = false;  // what came after 0.1 marked its objects
};

inline std::vector<std::uint8_t> old_address(const std::string& text) {
    const auto address = model::Address::parse(text).value();
    return {address.bytes().begin(), address.bytes().end()};
}

inline nft::Set old_set(const OldBridge& bridge, nft::Family family) {
    nft::Set set;
    set.name = (family == nft::Family::ip ? "links4-" : "links6-") + bridge.name + bridge.slot;
    set.key = nft::link_key(family);
    set.size = 192;
    set.counter = true;
    set.comment = "nftlink: parent . child . protocol . port";
    for (const OldLink& link : bridge.links)
        if (link.parent.contains(':') != (family == nft::Family::ip)) {
            nft::Element& element = set.elements.emplace_back();
            for (const std::string& end : {link.parent, link.child})
                element.key.append(old_address(end));
            element.key.append(std::array<std::uint8_t, 1>{6});
            element.key.append(
                std::array{static_cast<std::uint8_t>(link.port >> 8), static_cast<std::uint8_t>(link.port)});
            element.comment = "/client/db";
            element.counters = link.counts;
        }
    set.size = std::max(192U, static_cast<std::uint32_t>(set.elements.size() * 2));
    std::ranges::sort(set.elements, {}, &nft::Element::key);
    return set;
}

inline nft::Table old_table(const OldTable& old) {
    const auto rule = [&] { return nft::RuleBuilder(old.family); };
    const auto jump = [&](const OldBridge& bridge, const std::string& chain) {
        auto made = old.family == nft::Family::bridge ? rule().ibrname(bridge.bridge)
                                                      : rule().iifname(bridge.bridge).oifname(bridge.bridge);
        return made.jump(chain).comment("nftlink: icc deny").build();
    };
    nft::Table table;
    table.family = old.family;
    table.name = "nftlink";
    table.comment = "nftlink: written from its YAML configuration; change that instead";
    nft::Chain& forward = table.chains.emplace_back();
    forward.name = "forward";
    forward.hook = nft::Hook{"filter", 2, nft::filter_priority(old.family), 1};
    std::vector<nft::Chain> chains;
    for (const OldBridge& bridge : old.bridges) {
        nft::Chain& chain = chains.emplace_back();
        chain.name = "bridge-" + bridge.name + bridge.slot;
        forward.rules.push_back(jump(bridge, chain.name));
        for (const OldLink& link : bridge.links)
            if (old.by_rules) {
                nft::Rule made = rule()
                                     .source(old_address(link.parent))
                                     .destination(old_address(link.child))
                                     .destination_port(6, link.port)
                                     .counter()
                                     .accept()
                                     .comment("/client/db")
                                     .build();
                *nft::counters(made) = link.counts;
                chain.rules.push_back(made);
            }
        for (const nft::Family family : {nft::Family::ip, nft::Family::ip6})
            if (nft::Set set = old_set(bridge, family); !old.by_rules && !set.elements.empty()) {
                using nft::Field;
                chain.rules.push_back(
                    rule()
                        .in_set({Field::source, Field::destination, Field::protocol, Field::destination_port}, set.name,
                                family)
                        .accept()
                        .build());
                table.sets.push_back(std::move(set));
            }
        chain.rules.push_back(rule().established_or_related().accept().build());
        for (const std::uint8_t type : {std::uint8_t{135}, std::uint8_t{136}})
            chain.rules.push_back(rule().icmpv6_type(type).accept().build());
        chain.rules.push_back(rule().counter().drop().build());
    }
    std::ranges::move(chains, std::back_inserter(table.chains));
    const std::string owner = old.marked ? "nftlink" : "";
    table.owner = owner;
    for (nft::Set& set : table.sets)
        set.owner = owner;
    std::uint64_t handle = 1000;
    for (nft::Chain& chain : table.chains) {
        chain.owner = owner;
        for (nft::Rule& made : chain.rules) {
            made.owner = owner;
            made.handle = ++handle;
        }
    }
    return table;
}

// What 0.1 made of seed().
inline OldTable seed_of_01(nft::Family family = nft::Family::inet, nft::Counters counts = {}, bool marked = false) {
    return {
        family,
        false,
        {{"docker0", "docker0", {{"172.17.0.3", "172.17.0.2", 6379, counts}, {"fd00::3", "fd00::2", 6379, counts}}}},
        marked};
}

}  // namespace nftlink::firewall
