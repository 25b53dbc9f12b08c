"""Mistakes that nftlink might make, made on purpose: each must be found."""
import copy
import dataclasses
import itertools
import re
from collections.abc import Callable

import topology as topologies
from wire import BRIDGES, run


@dataclasses.dataclass(frozen=True)
class Mutant:
    topology: Callable = lambda topology: topology  # what nftlink is told
    ruleset: Callable = None  # what happens to its table afterwards; of family inet

    @property
    def of_any_family(self):
        return self.ruleset is None


def changed(change):
    def mutate(topology):
        made = copy.deepcopy(topology)
        change(made)
        return made
    return mutate


def linked_children(topology):
    names = dict.fromkeys(child for *_, child in topologies.links(topology))
    return [topology["containers"][name] for name in names]


def lose_ports(topology):
    for child in linked_children(topology):
        child["expose"] = child["expose"][1:]


def widen_ports(topology):
    for child in linked_children(topology):
        child["expose"] += [f"{port + 1}/{protocol}" for protocol, port in topologies.ports(child["expose"])]


def link_everybody(topology):
    for name, record in topology["containers"].items():
        near = [other for other, its in topology["containers"].items()
                if other != name and set(its["bridges"]) & set(record["bridges"])]
        record["links"] = sorted({*record["links"], *(f"{other}:mutant-{other}" for other in near)})


def lose_ways_across(topology):
    across = {(parent, child) for start, parent, to, child in topologies.links(topology) if start != to}
    for name, record in topology["containers"].items():
        record["links"] = [link for link in record["links"] if (name, link.partition(":")[0]) not in across]


def open_to_routed(topology):
    for policy in topology["bridges"].values():
        policy["routed"] = "allow"


def allow(topology):
    for policy in topology["bridges"].values():
        policy["icc"] = "allow"


def without_rules(pattern):
    """Deletes the rules that match."""
    def mutate():
        chain = ""
        for line in run("nft", "-a", "list", "table", "inet", "nftlink").stdout.splitlines():
            chain = line.split()[1] if line.strip().startswith("chain ") else chain
            if chain and re.search(pattern, line):
                run("nft", "delete", "rule", "inet", "nftlink", chain, "handle", line.split()[-1])
    return mutate


def with_rule(text):
    return lambda: run("nft", f"insert rule inet nftlink forward {text} accept")


def open_all():
    """Every bridge to every other."""
    pairs = ", ".join(f"{one} . {other}" for one, other in itertools.permutations(BRIDGES, 2))
    run("nft", f"add element inet nftlink open {{ {pairs} }}; add element inet nftlink lenient {{ {', '.join(BRIDGES)} }}")


def spread():
    """Each permission of one bridge to all of them."""
    for name in ("links4", "replies4", "links6", "replies6"):
        text = run("nft", "list", "set", "inet", "nftlink", name).stdout
        keys = {key for key in re.findall(r'"[\w-]+" \. ([\da-f.:]+ \. [\da-f.:]+ \. \w+ \. \d+)', text)}
        elements = ", ".join(f"{bridge} . {key}" for key in sorted(keys) for bridge in BRIDGES)
        if elements:
            run("nft", "-n", f"add element inet nftlink {name} {{ {elements} }}")


def nft(*commands):
    return lambda: [run("nft", command) for command in commands]


REPLY = "iifname . ip saddr . ip daddr . meta l4proto . th sport"
MUTANTS = {
    "a port is lost": Mutant(changed(lose_ports)),
    "a port too many": Mutant(changed(widen_ports)),
    "links too many": Mutant(changed(link_everybody)),
    "icc is allowed": Mutant(changed(allow)),
    "ways across are lost": Mutant(changed(lose_ways_across)),
    "routed is open": Mutant(changed(open_to_routed)),
    "what is published is lost": Mutant(ruleset=without_rules(r"dnat oifname @published")),
    "answers of what is published are lost": Mutant(ruleset=without_rules(r"dnat iifname @published")),
    "published is open": Mutant(ruleset=with_rule("oifname @published iifname . oifname != @inside")),
    "answers to what was let in are lost": Mutant(ruleset=without_rules(r"^\s*iifname @routed")),
    "errors about what was let in are lost": Mutant(ruleset=without_rules(r"^\s*ct direction reply iifname @routed")),
    "replies are lost": Mutant(ruleset=without_rules(r"th sport @replies4")),
    "links are lost": Mutant(ruleset=without_rules(r"th dport @links4")),
    "IPv6 replies are lost": Mutant(ruleset=without_rules(r"th sport @replies6")),
    "IPv6 links are lost": Mutant(ruleset=without_rules(r"th dport @links6")),
    "IPv6 passes": Mutant(ruleset=with_rule("meta nfproto ipv6")),
    "discovery is lost": Mutant(ruleset=without_rules(r"nd-neighbor-solicit")),
    "discovery from afar passes": Mutant(ruleset=with_rule("icmpv6 type nd-neighbor-solicit")),
    "IPv6 errors pass": Mutant(ruleset=with_rule("meta l4proto ipv6-icmp ct state related")),
    "drops are lost": Mutant(ruleset=without_rules(r"\bdrop\b")),
    "errors are lost": Mutant(ruleset=without_rules(r"jump errors")),
    "errors pass": Mutant(ruleset=with_rule("meta l4proto icmp")),
    "errors about any connection pass": Mutant(ruleset=with_rule("ct state related")),
    "connections outlive their links": Mutant(ruleset=with_rule("ct state established")),
    "a child opens connections": Mutant(ruleset=with_rule(f"{REPLY} @replies4")),
    "the direction is forgotten": Mutant(ruleset=with_rule(f"ct state established {REPLY} @replies4")),
    "bridges are open to each other": Mutant(ruleset=open_all),
    "the bridge is forgotten": Mutant(ruleset=spread),
    "invalid passes": Mutant(ruleset=with_rule("ct state invalid")),
    "source ports are ignored": Mutant(ruleset=with_rule("udp sport 53")),
    "other frames pass": Mutant(ruleset=nft("flush table bridge nftlink-frames")),
    "tags are seen too late": Mutant(ruleset=nft("flush chain bridge nftlink-frames prerouting")),
}
