"""Mistakes that nftlink might make, made on purpose: each must be found."""
import copy
import dataclasses
import re
from collections.abc import Callable

import topology as topologies
from wire import run


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
    names = dict.fromkeys(child for _, _, child in topologies.links(topology))
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


def allow(topology):
    for policy in topology["bridges"].values():
        policy["icc"] = "allow"


def without_rule(pattern):
    """Deletes the first rule that matches."""
    def mutate():
        chain = ""
        for line in run("nft", "-a", "list", "table", "inet", "nftlink").stdout.splitlines():
            chain = line.split()[1] if line.strip().startswith("chain ") else chain
            if re.search(pattern, line):
                run("nft", "delete", "rule", "inet", "nftlink", chain, "handle", line.split()[-1])
                return
    return mutate


def with_rule(text):
    return lambda: run("nft", f"insert rule inet nftlink forward {text} accept")


MUTANTS = {
    "a port is lost": Mutant(changed(lose_ports)),
    "a port too many": Mutant(changed(widen_ports)),
    "links too many": Mutant(changed(link_everybody)),
    "icc is allowed": Mutant(changed(allow)),
    "replies are lost": Mutant(ruleset=without_rule("ct state established,related")),
    "links are lost": Mutant(ruleset=without_rule("@links4-")),
    "drops are lost": Mutant(ruleset=without_rule(r"\bdrop\b")),
    "errors pass": Mutant(ruleset=with_rule("meta l4proto icmp")),
    "invalid passes": Mutant(ruleset=with_rule("ct state invalid")),
    "source ports are ignored": Mutant(ruleset=with_rule("udp sport 53")),
}
