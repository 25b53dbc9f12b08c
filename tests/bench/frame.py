"""The frame beside 0.1's ruleset, at one bridge and at a thousand: what a packet costs. All are loaded once into one
host, and sleep (`flags dormant`) while another is measured: each meets the same devices, addresses and connections. Of
a round the best slice counts, since whatever else the machine does only adds; of the rounds the median."""
import os
import re
import subprocess

import rivals
from figure import Figure
from flow import Connections, Packets, Pinned, datagram_socket
from place import CHILD, PARENT, STRANGER, Namespace, add_bridge, add_guest, run

MANY, PORTS, PORTS_A_BRIDGE = 1000, 50, 10
LEFT, RIGHT = "10.8.1.2", "10.8.2.2"  # in networks that no bridge has
SLICES, CONNECTIONS = 60, 30
FIRST, FRAME, WHOLE = "0.1's ruleset", "the frame", "with the frames table"


def bridge_names(bridges):
    """The one that is measured is the last: rules are walked to it."""
    return [f"br{number:04}" for number in range(bridges - 1)] + ["docker0"]


def ports(bridges):
    """So many links a bridge, half of them of tcp; at a single bridge there is one, which both are."""
    return range(8001 - (PORTS if bridges > 1 else 1), 8001)


def configuration(table, bridges):
    numbers = f"{ports(bridges)[0]}-8000"
    text = f"firewall: {{table: {table}}}\nbridges:\n"
    text += "".join(f"  {bridge}: {{icc: deny}}\n" for bridge in bridge_names(bridges)) + "containers:\n"
    for bridge in bridge_names(bridges):
        text += (f"  child-{bridge}: {{bridge: {bridge}, addresses: [{CHILD}], "
                 f"expose: [{numbers}/udp, {numbers}/tcp]}}\n"
                 f"  parent-{bridge}: {{bridge: {bridge}, addresses: [{PARENT}], links: [child-{bridge}]}}\n")
    return text


def frame(bench, table, bridges):
    """As nftlink writes it, with the ports that so many bridges have."""
    file = bench.file("frame.yaml", configuration(table, bridges))
    text = subprocess.run([bench.nftlink, "render", "-c", file], check=True, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout
    if bridges > 1 and "set ports {" in text:
        names = ", ".join(f'"port{number:05}"' for number in range(bridges * PORTS_A_BRIDGE))
        text += f"add element bridge {table}-frames ports {{ {names} }}\n"
    return text


def first_release(table, bridges):
    permissions = [(PARENT, CHILD, protocol, port) for port in ports(bridges) for protocol in ("tcp", "udp")]
    return rivals.first_release(table, {bridge: permissions for bridge in bridge_names(bridges)})


class Host:
    """Routes, and has a bridge with containers."""

    def __init__(self):
        self.namespace = Namespace()
        with self.namespace:
            add_bridge()
            run("ip", "link", "set", "docker0", "type", "bridge", "nf_call_iptables", "1", "nf_call_ip6tables", "1")
            with open("/proc/sys/net/ipv4/ip_forward", "w", encoding="ascii") as file:
                file.write("1")
        parent, child, stranger = (add_guest(self.namespace, f"leg{number}", address)
                                   for number, address in enumerate((PARENT, CHILD, STRANGER)))
        left, right = self.add_network("left", LEFT), self.add_network("right", RIGHT)
        self.sockets = [datagram_socket(namespace, (address, port)) for namespace, address, port in
                        ((parent, PARENT, 9999), (child, CHILD, 8000), (stranger, STRANGER, 9999), (child, CHILD, 8000),
                         (left, LEFT, 9999), (right, RIGHT, 8000))]
        for one, other in ((0, 1), (1, 0), (2, 3), (4, 5)):
            self.sockets[one].connect(self.sockets[other].getsockname())
        client, service, denied, undelivered, here, there = self.sockets
        self.measured = {"linked": (Packets(client, service), SLICES), "reply": (Packets(service, client), SLICES),
                         "denied": (Packets(denied, undelivered, arrive=False), SLICES),
                         "elsewhere": (Packets(here, there), SLICES),
                         "a connection": (Connections(parent, child, (CHILD, 8000)), CONNECTIONS)}

    def add_network(self, name, address):
        """A network of its own, and somebody in it."""
        guest, router = Namespace(), address.rsplit(".", 1)[0] + ".1"
        with self.namespace:
            run("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns",
                f"/proc/{os.getpid()}/fd/{guest.descriptor}")
            run("ip", "address", "add", f"{router}/24", "dev", name)
            run("ip", "link", "set", name, "up")
        with guest:
            run("ip", "address", "add", f"{address}/24", "dev", "eth0")
            run("ip", "link", "set", "eth0", "up")
            run("ip", "route", "add", "default", "via", router)
        return guest


class Rulesets:
    """Loaded, and asleep but for one."""

    def __init__(self, bench):
        self.tables, self.refused = {}, []
        for bridges in (1, MANY):
            self.load(first_release(f"first-{bridges}", bridges), FIRST, bridges)
            self.load(frame(bench, f"frame-{bridges}", bridges), WHOLE, bridges)
        for (way, bridges), tables in list(self.tables.items()):
            if way == WHOLE:
                self.tables[FRAME, bridges] = [table for table in tables if table[0] == "inet"]

    def load(self, text, way, bridges):
        """Where an ordinary user's send buffer is too small it is left out."""
        try:
            run("nft", "-f", "-", stdin=text)
        except subprocess.CalledProcessError:
            self.refused.append(f"{way} at {bridges:,}")
            return
        self.tables[way, bridges] = re.findall(r"^table (\w+) ([\w-]+) {", text, re.M)
        self.wake(None)

    def wake(self, way):
        awake = self.tables.get(way, [])
        run("nft", "-f", "-", stdin="".join(
            f"add table {family} {name} {{ {'' if (family, name) in awake else 'flags dormant;'} }}\n"
            for family, name in sorted(set(sum(self.tables.values(), [])))))


def measure(bench):
    figure = Figure("frame", "What a packet costs beside 0.1's ruleset", "ns", across="bridges")
    host = Host()
    with host.namespace:
        rulesets = Rulesets(bench)
        figure.left_out.update(rulesets.refused)
        for _ in range(4 * bench.rounds):
            for way, bridges in rulesets.tables:
                rulesets.wake((way, bridges))
                with Pinned():
                    for what, (flow, slices) in host.measured.items():
                        figure.add(f"{way}, {what}", bridges, [flow.nanoseconds(slices)])
        run("nft", "flush", "ruleset")
    add_targets(figure)
    return figure


def add_targets(figure):
    for what in ("linked", "reply", "a connection"):
        whole = f"{WHOLE}, {what}"
        figure.target(f"{what}: {MANY:,} bridges with {2 * MANY * PORTS:,} links to one of each",
                      figure.paired(whole, MANY, whole, 1), 1.02)
    for way, what, limit in ((FRAME, "linked", 1.02), (WHOLE, "linked", 1.05), (WHOLE, "reply", 1.05),
                             (WHOLE, "a connection", 1.05), (WHOLE, "denied", 1.15), (WHOLE, "elsewhere", 1.03)):
        figure.target(f"{what}: {way} to 0.1's ruleset, one bridge",
                      figure.paired(f"{way}, {what}", 1, f"{FIRST}, {what}", 1), limit)
