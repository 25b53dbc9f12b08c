"""Docker 0.10's rules, the ways to say the same to nftlink, and how either gets into the kernel."""
import dataclasses
import json
import os
import subprocess

import topology as topologies
import wire
from wire import WireError, run

PLACES = {"iptables": [{"family": family, "table": "filter", "chain": "FORWARD"} for family in ("ip", "ip6")],
          "nft": [{"family": "inet", "table": "fw", "chain": "forward"}]}


@dataclasses.dataclass(frozen=True)
class Variant:
    group: str
    family: str
    layout: str
    replies: str
    base_rules: bool
    attach: str = ""  # iptables | nft: the kind of chain that is there already
    policy: str = "ACCEPT"  # that chain's

    @property
    def name(self):
        place = f"{self.attach} chain, policy {self.policy}" if self.attach else f"{self.family} {self.layout}"
        return f"{place}, {self.replies}{', base rules' if self.base_rules else ''}"

    @property
    def firewall(self):
        made = {"family": self.family, "layout": self.layout, "replies": self.replies}
        return made | ({"attach": PLACES[self.attach]} if self.attach else {})

    def polices(self, family):
        return family == 4 or self.family != "ip"


EMPTY = "*filter\n:FORWARD {}\nCOMMIT\n"
REPLIES = ("established", "source-port")
VARIANTS = [
    *(Variant(f"{family} table", family, layout, replies, base_rules) for family in ("inet", "ip")
      for layout in ("sets", "rules") for replies in REPLIES
      for base_rules in ((False,) if layout == "sets" else (False, True))),
    *(Variant("bridge table", "bridge", layout, replies, False) for layout in ("sets", "rules") for replies in REPLIES),
    *(Variant(f"on top of an {attach} chain", "inet", "rules", replies, base_rules, attach, policy)
      for attach in ("iptables", "nft") for replies in REPLIES
      for base_rules, policy in ((False, "ACCEPT"), (True, "ACCEPT"), (True, "DROP"))),
]


def docker(topology, policy, family):
    """The rules that Docker 0.10 would have, for iptables-restore. A link across bridges, which it hadn't, is written like
    the others."""
    links, base = [], []
    for start, parent, to, child in topologies.links(topology):
        if family not in topologies.families(topology, parent, child):
            continue
        one, other = topologies.address(parent, start, family), topologies.address(child, to, family)
        for protocol, port in topologies.ports(topology["containers"][child]["expose"]):
            links += [f"-A FORWARD -i {start} -o {to} -p {protocol} -s {one} --dport {port} -d {other} -j ACCEPT",
                      f"-A FORWARD -i {to} -o {start} -p {protocol} -s {other} --sport {port} -d {one} -j ACCEPT"]
    for bridge, settings in topology["bridges"].items():
        base += [f"-A FORWARD -o {bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
                 f"-A FORWARD -i {bridge} ! -o {bridge} -j ACCEPT",
                 f"-A FORWARD -i {bridge} -o {bridge} -j {'DROP' if settings['icc'] == 'deny' else 'ACCEPT'}"]
    return "\n".join(["*filter", f":FORWARD {policy}", *links, *base, "COMMIT", ""])


class Refused(Exception):
    """nftlink did not apply a configuration."""


def publish(topology):
    """By destination NAT, beside whatever rules."""
    if published := topology.get("published"):
        rules = ""
        for address in published["addresses"]:
            family = 6 if ":" in address else 4
            words, to = ("ip6", f"[{address}]") if family == 6 else ("ip", address)
            rules += f"{words} daddr {wire.bridge_address(published['bridge'], family)}" \
                     f" {published['protocol']} dport {published['number']} dnat {words} to {to}:{published['port']}\n"
        run("nft", "-f", "-", stdin="table inet scene { chain prerouting { type nat hook prerouting priority -100;\n"
                                    f"{rules}}}\n}}\n")


def restore(program, text_of):
    """text_of(family) for iptables-restore, and for ip6tables-restore."""
    for family, name in ((4, program), (6, program.replace("iptables", "ip6tables"))):
        run(name, stdin=text_of(family))


MINIMAL = {"bridges": {"docker0": {"icc": "deny"}}, "strangers": {}, "containers": {
    "c0": {"bridges": ["docker0"], "expose": [80], "links": []},
    "c1": {"bridges": ["docker0"], "expose": [], "links": ["c0"]}}}


class Host:
    """The host on the wire: loads one policy at a time, and says which packets it lets pass."""

    def __init__(self, on, program, folder, mutant=None):
        self.wire, self.program, self.file, self.mutant = on, program, os.path.join(folder, "nftlink.yaml"), mutant
        os.environ["XTABLES_LOCKFILE"] = os.path.join(folder, "xtables.lock")

    def clear(self, switches=()):
        """No rules, no connections, and bridge netfilter on where `switches` says."""
        on = "".join(f"link set {name} type bridge nf_call_iptables 1 nf_call_ip6tables 1\n" for name in switches)
        run("ip", "-batch", "-", stdin=wire.SWITCHES_OFF + on)
        run("nft", "flush", "ruleset")
        self.wire.flush_connections()

    def without_rules(self, topology, frames):
        self.clear(switches=topology["bridges"])
        publish(topology)
        return self.wire.exchange(frames)

    def exchange(self, topology, stages, load):
        """Verdicts over all stages; load(topology) comes before each that has traffic, and for the first."""
        verdicts = []
        for stage, frames in enumerate(stages):
            if frames or stage == 0:
                load(topologies.at(topology, stage))
                verdicts += self.wire.exchange(frames)
        return verdicts

    def reference(self, program, policy, topology, stages):
        self.clear(switches=topology["bridges"])
        publish(topology)
        try:
            return self.exchange(topology, stages, lambda now: restore(program, lambda family: docker(now, policy, family)))
        finally:
            if "legacy" in program:
                restore(program, lambda _: EMPTY.format("ACCEPT"))

    def write(self, topology, variant):
        with open(self.file, "w", encoding="utf-8") as out:  # JSON is YAML
            json.dump(topologies.configuration(topology, variant.firewall, variant.base_rules), out, indent=1)

    def prepare(self, variant):
        self.clear()
        if variant.attach == "iptables":
            restore("iptables-nft-restore", lambda _: EMPTY.format(variant.policy))
        elif variant.attach == "nft":
            run("nft", "-f", "-", stdin=f"table inet fw {{ chain forward {{ type filter hook forward priority 0;"
                                        f" policy {variant.policy.lower()}; }}; }}")

    def apply(self, topology, variant):
        self.write(self.mutant.topology(topology) if self.mutant else topology, variant)
        try:
            run(self.program, "apply", "-c", self.file)
        except WireError as error:
            raise Refused(str(error)) from None
        if self.mutant and self.mutant.ruleset:
            self.mutant.ruleset()

    def verdicts(self, variant, topology, stages):
        self.prepare(variant)
        publish(topology)
        return self.exchange(topology, stages, lambda now: self.apply(now, variant))

    def refusal(self, variant):
        """Why nftlink refuses it here; nothing where it doesn't. What the kernel cannot do, it must refuse and leave alone."""
        if self.can_do(variant):
            return ""
        self.prepare(variant)
        self.write(MINIMAL, variant)
        before = run("nft", "list", "ruleset").stdout
        refused = run(self.program, "apply", "-c", self.file, status=1)
        if run("nft", "list", "ruleset").stdout != before:
            raise Refused("a refused configuration changed the ruleset")
        return refused.stderr.strip()

    @staticmethod
    def can_do(variant):
        """Whether this kernel knows, in the bridge family, the bridges' names, and connections where they are asked for."""
        if variant.family != "bridge":
            return True
        rules = ["meta ibrname docker0"] + ["ct state new"] * (variant.replies == "established")
        script = "".join(f"add rule bridge probe c {rule}\n" for rule in rules)
        script = f"add table bridge probe\nadd chain bridge probe c\n{script}"
        return subprocess.run(["nft", "-c", "-f", "-"], input=script, text=True, capture_output=True, check=False).returncode == 0
