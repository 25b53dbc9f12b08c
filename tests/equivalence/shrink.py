"""Makes a failing case small enough to read, and keeps it."""
import copy
import dataclasses
import itertools
import json
import pathlib
import zlib

import topology as topologies
from packets import Packet
from trial import fails

CASES = pathlib.Path(__file__).with_name("cases")
TRIALS = 300


def reduced(values, still_fails):
    """A list without whatever it fails without: tries halves, quarters, …, and single values."""
    size = (len(values) + 1) // 2
    while size:
        start = 0
        while start < len(values):
            less = values[:start] + values[start + size:]
            if still_fails(less):
                values = less
            else:
                start += size
        size //= 2
    return values


def only(topology, names):
    """The topology with those containers alone."""
    containers = copy.deepcopy({name: topology["containers"][name] for name in names})
    for record in containers.values():
        record["links"] = [link for link in record["links"] if link.partition(":")[0] in containers]
    twins = topology.get("twins", {})
    for prefix in topologies.TWINS:  # both of a pair, or none
        pair = [name for name in twins if name[0] == prefix]
        if any(f"c{name[1:]}" not in containers for name in pair):
            twins = {name: record for name, record in twins.items() if name not in pair}
    return {**topology, "containers": containers, "twins": twins}


def changed(topology, name, key, value):
    made = copy.deepcopy(topology)
    made["containers"][name][key] = value
    return made


class Shrinker:
    def __init__(self, host, variant, topology, flows):
        self.host, self.variant, self.topology, self.flows, self.left = host, variant, topology, flows, TRIALS
        self.refused = fails(host, variant, topology, flows)[0].refused

    def fails(self, topology, flows):
        self.left -= 1
        failures = fails(self.host, self.variant, topology, flows) if self.left >= 0 else []
        return bool(failures) and failures[0].refused == self.refused

    def shrink_flows(self):
        self.flows = reduced(self.flows, lambda less: self.fails(self.topology, less))
        for place, flow in enumerate(self.flows):
            before, after = self.flows[:place], self.flows[place + 1:]
            # Half a datagram would wait in the kernel for its other half, and meet that of another trial.
            if not flow[0].fragment:
                flow = reduced(flow, lambda less: bool(less) and self.fails(self.topology, [*before, less, *after]))
            self.flows = [*before, flow, *after]

    def shrink_topology(self):
        names = list(self.topology["containers"])
        names = reduced(names, lambda less: self.fails(only(self.topology, less), self.flows))
        self.topology = only(self.topology, names)
        for name, key in itertools.product(names, ("links", "expose", "bridges")):
            value = reduced(self.topology["containers"][name][key],
                            lambda less: self.fails(changed(self.topology, name, key, less), self.flows))
            self.topology = changed(self.topology, name, key, value)
        everybody = topologies.at(self.topology, 0)["containers"].values()
        inhabited = {bridge for record in everybody for bridge in record["bridges"]}
        empty = [bridge for bridge in self.topology["bridges"] if bridge not in inhabited]
        empty = reduced(empty, lambda less: self.fails(self.with_bridges([*inhabited, *less]), self.flows))
        self.topology = self.with_bridges([*inhabited, *empty])

    def with_bridges(self, names):
        return {**self.topology, "bridges": {name: self.topology["bridges"][name] for name in sorted(names)}}


def shrink(host, variant, topology, flows):
    """The smallest failing case found within a bounded number of trials."""
    shrinker = Shrinker(host, variant, {**topology, "strangers": {}}, flows)  # they are no part of any rule
    for step in (shrinker.shrink_flows, shrinker.shrink_topology, shrinker.shrink_flows):
        step()
    return shrinker.topology, shrinker.flows


def as_json(packet):
    default = {field.name: field.default for field in dataclasses.fields(Packet)}
    return {key: value for key, value in dataclasses.asdict(packet).items() if value != default[key]}


def as_packet(record):
    return Packet(**record | {key: tuple(record.get(key, ())) for key in ("about", "published")})


def keep(why, topology, flows):
    record = {"why": why, "topology": topology, "flows": [[as_json(packet) for packet in flow] for flow in flows]}
    text = json.dumps(record, indent=1) + "\n"
    path = CASES / f"found-{zlib.crc32(text.encode()):08x}.json"
    path.write_text(text, encoding="utf-8")
    return path


def kept():
    """(name, topology, flows) of the cases that are kept."""
    for path in sorted(CASES.glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        yield path.name, record["topology"], [[as_packet(packet) for packet in flow] for flow in record["flows"]]
