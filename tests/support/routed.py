"""Bridges whose containers the host routes between, IPv4 and IPv6; and by real packets, who comes through to whom."""
import contextlib
import errno
import itertools
import pathlib
import socket
import time

from support.flows import MOMENT
from support.guest import Guest, Space, ip

EXPOSED, OTHER = PORTS = (6379, 80)
KINDS = ("tcp4", "tcp6", "udp4", "udp6", "icmp4", "icmp6")
PATIENCE = 10

FAMILIES = {"4": socket.AF_INET, "6": socket.AF_INET6}
PROTOCOLS = {"tcp": (socket.SOCK_STREAM, 6), "udp": (socket.SOCK_DGRAM, 17), "icmp4": (socket.SOCK_DGRAM, 1),
             "icmp6": (socket.SOCK_DGRAM, socket.IPPROTO_ICMPV6)}
ECHO = {"icmp4": b"\x08", "icmp6": b"\x80"}
ETHERTYPES = {0x0800: "4", 0x86dd: "6"}
ETH_P_ALL, PACKET_OUTGOING = 3, 4


def is_icmp(kind):
    return kind.startswith("icmp")


def forward():
    """This namespace routes from now on."""
    for switch in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
        pathlib.Path("/proc/sys/net", switch).write_text("1")


class Container(Guest):
    """A guest with an address of each family (or of one), whose way elsewhere is the host. It answers on both ports."""

    def __init__(self, place, name, bridge, net, number, families):
        v4, v6 = (address if family in families else None
                  for family, address in (("4", f"10.{net}.0.{number}"), ("6", f"fd00:{net}::{number}")))
        super().__init__(place, name, v4, bridge)
        self.bridge, self.addresses = bridge, {family: each for family, each in (("4", v4), ("6", v6)) if each}
        self.ip(*([f"address add {v6}/64 dev eth0 nodad", f"route add default via fd00:{net}::ffff"] if v6 else []),
                *([f"route add default via 10.{net}.255.254"] if v4 else []), "link set lo up")
        self.listeners, self.datagrams = [], []
        for port in PORTS:
            self.listens(port)
        with self.entered():
            pathlib.Path("/proc/sys/net/ipv4/ping_group_range").write_text("0 0")
        self.sniffer = self.socket(socket.SOCK_DGRAM, socket.AF_PACKET, socket.htons(ETH_P_ALL))
        self.sniffer.bind(("eth0", ETH_P_ALL))
        self.sniffer.setblocking(False)

    def listens(self, port):
        for kind, sockets in ((socket.SOCK_STREAM, self.listeners), (socket.SOCK_DGRAM, self.datagrams)):
            made = self.socket(kind, socket.AF_INET6)
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            made.bind(("::", port))
            sockets.append(made)
        self.listeners[-1].listen()

    def record(self, expose=(), links=()):
        """What the API takes of it."""
        return {"bridge": self.bridge, "addresses": list(self.addresses.values()), "expose": list(expose),
                "links": list(links)}

    def serve(self):
        """Answers datagrams, and ends connections."""
        for listener, datagrams in zip(self.listeners, self.datagrams):
            listener.setblocking(False)
            datagrams.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    listener.accept()[0].close()
            with contextlib.suppress(BlockingIOError):
                while True:
                    datagrams.sendto(*datagrams.recvfrom(100))

    def heard(self):
        """What has come to eth0: by kind, and the number of the attempt."""
        with contextlib.suppress(BlockingIOError):
            while True:
                packet, (_, ethertype, direction, *_) = self.sniffer.recvfrom(2000)
                if direction != PACKET_OUTGOING and ethertype in ETHERTYPES:
                    yield number_of(packet, ETHERTYPES[ethertype])


def number_of(packet, family):
    protocol, body = (packet[9], packet[(packet[0] & 15) * 4:]) if family == "4" else (packet[6], packet[40:])
    kind = {6: "tcp", 17: "udp", 1: "icmp", 58: "icmp"}.get(protocol, "other") + family
    if is_icmp(kind):
        return (kind, int.from_bytes(body[4:6], "big")) if body[:1] == ECHO[kind] else (kind, None)
    return kind, int.from_bytes(body[:2], "big")


class Attempt:
    """One guest begins towards another, from a port (for a ping: with an identifier) that no other attempt has."""

    numbers = itertools.count(20000)

    def __init__(self, sender, receiver, kind, port, address=None):
        self.receiver, self.kind, self.number = receiver, kind, next(self.numbers)
        self.name = f"{sender.name}>{receiver.name} {kind}" + ("" if is_icmp(kind) else f" {port}")
        type_, protocol = PROTOCOLS.get(kind) or PROTOCOLS[kind[:-1]]
        self.socket = sender.socket(type_, FAMILIES[kind[-1]], protocol)
        self.socket.setblocking(False)
        self.socket.bind(("", self.number))
        self.arrived = self.answered = False
        self.socket.connect_ex((address or receiver.addresses[kind[-1]], port))
        if not kind.startswith("tcp"):
            self.socket.send(ECHO[kind] + bytes(7) if is_icmp(kind) else b"?")

    def look(self):
        """Whether an answer has come; a connection that is made is one."""
        with contextlib.suppress(BlockingIOError):
            try:
                self.answered = bool(self.answered or (self.socket.getpeername() if self.kind.startswith("tcp")
                                                       else self.socket.recv(100)))
            except OSError as error:
                if error.errno != errno.ENOTCONN:
                    raise

    def outcome(self):
        return [self.name] if self.answered else [f"{self.name}, and no answer"] if self.arrived else []


def names(*pairs, kinds=KINDS, ports=PORTS):
    """The names of attempts: all of those between each of these pairs, written as `web>redis`."""
    return {f"{pair} {kind}" + ("" if is_icmp(kind) else f" {port}")
            for pair in pairs for kind in kinds for port in ports}


def linked(*pairs, families="46"):
    """Those that a link to the exposed port, of tcp and udp, lets pass."""
    return names(*pairs, kinds=[kind for kind in KINDS if kind[-1] in families and not is_icmp(kind)], ports=[EXPOSED])


class Routed:
    """A host with these bridges, routing; br1 has 10.1.0.0/16 and fd00:1::/64, and so on."""

    def __init__(self, place, *bridges):
        self.place, self.nets, self.guests = place, {}, {}
        forward()
        for number, bridge in enumerate(bridges, 1):
            self.bridge(bridge, number)

    def bridge(self, name, number):
        self.nets[name] = number
        ip(f"link add {name} type bridge", f"address add 10.{number}.255.254/16 dev {name}",
           f"address add fd00:{number}::ffff/64 dev {name} nodad", f"link set {name} up")

    def guest(self, name, bridge, number, families="46"):
        self.guests[name] = Container(self.place, name, bridge, self.nets[bridge], number, families)
        return self.guests[name]

    def outside(self):
        """One on a network beside the bridges, which is no policed bridge's."""
        self.bridge("uplink", 99)
        return self.guest("outside", "uplink", 2)

    def attempts(self, pairs=None, kinds=KINDS):
        """All that guests may try: between these pairs, or between any two."""
        chosen = [pair.split(">") for pair in pairs] if pairs else itertools.permutations(self.guests, 2)
        for sender, receiver in ((self.guests[one], self.guests[other]) for one, other in chosen):
            for kind in (kind for kind in kinds if kind[-1] in sender.addresses and kind[-1] in receiver.addresses):
                for port in PORTS[:1] if is_icmp(kind) else PORTS:
                    yield Attempt(sender, receiver, kind, port)

    def outcome(self, attempts, expected):
        """What comes of them: it waits for what is expected, and then a moment for what isn't."""
        by_number = {(each.receiver, each.kind, each.number): each for each in attempts}
        deadline, found = time.monotonic() + PATIENCE, set()
        rest = None
        while time.monotonic() < (rest or deadline):
            for guest in self.guests.values():
                guest.serve()
                for kind, number in guest.heard():
                    if (guest, kind, number) in by_number:
                        by_number[guest, kind, number].arrived = True
            for attempt in attempts:
                attempt.look()
            found = {name for attempt in attempts for name in attempt.outcome()}
            if rest is None and expected <= found:
                rest = time.monotonic() + MOMENT
            time.sleep(0.01)
        for attempt in attempts:
            attempt.socket.close()
        for guest in self.guests.values():
            guest.serve()
        return found

    def assert_passes(self, expected, pairs=None, kinds=KINDS, attempts=None):
        """Of all attempts exactly these come through, and are answered."""
        found = self.outcome(list(attempts or self.attempts(pairs, kinds)), set(expected))
        assert found == set(expected), "\n".join(["too much:", *sorted(found - set(expected)), "missing:",
                                                  *sorted(set(expected) - found)])


class Behind(Space):
    """A network behind a guest, to which it routes, with room for packets of 1280 bytes alone."""

    def __init__(self, guest):
        super().__init__(guest.place)
        net = 100 + int(guest.addresses["4"].split(".")[1])
        for space in (guest, self):
            with space.entered():
                pathlib.Path("/proc/sys/net/ipv6/conf/default/dad_transmits").write_text("0")
        self.addresses = {"4": f"10.{net}.0.2", "6": f"fd00:{net}::2"}
        guest.ip(f"link add inner type veth peer name eth0 netns {self.path}", "link set inner mtu 1280 up",
                 f"address add 10.{net}.0.1/24 dev inner", f"address add fd00:{net}::1/64 dev inner nodad")
        self.ip("link set eth0 up", f"address add 10.{net}.0.2/24 dev eth0",
                f"address add fd00:{net}::2/64 dev eth0 nodad",
                f"route add default via 10.{net}.0.1", f"route add default via fd00:{net}::1")
        with guest.entered():
            forward()
        ip(f"route add 10.{net}.0.0/24 via {guest.addresses['4']}",
           f"route add fd00:{net}::/64 via {guest.addresses['6']}")


def much_passes(client, server, family, address=None, port=9999, back=False):
    """Whether 100 kB pass by a connection, to the server or back, on a way that is narrower than their sender knows."""
    listener = server.socket(family=FAMILIES[family])
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("", 9999))
    listener.listen()
    begun = client.socket(family=FAMILIES[family])
    begun.settimeout(3)
    begun.connect((address or server.addresses[family], port))
    taken, _ = listener.accept()
    taken.settimeout(3)
    with listener, begun, taken:
        sender, receiver = (taken, begun) if back else (begun, taken)
        missing = 100000
        try:
            sender.sendall(bytes(missing))
            while missing:
                missing -= len(receiver.recv(missing))
        except TimeoutError:
            return False
    return True


def is_unreachable(sender, address, port, patience=PATIENCE):
    """Whether who sends a datagram is told that nobody listens. The kernel limits such messages, so it tries again."""
    client = sender.socket(socket.SOCK_DGRAM, socket.AF_INET6 if ":" in address else socket.AF_INET)
    client.settimeout(0.2)
    client.connect((address, port))
    deadline = time.monotonic() + patience
    with client:
        while time.monotonic() < deadline:
            try:
                client.send(b"?")
                client.recv(100)
            except TimeoutError:
                continue
            except ConnectionRefusedError:
                return True
    return False
