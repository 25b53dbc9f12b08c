"""Packets as plain values, and as the bytes on the wire."""
import dataclasses
import socket
import struct

import wire
from topology import STAGES

ICMP, TCP, UDP, SCTP = socket.IPPROTO_ICMP, socket.IPPROTO_TCP, socket.IPPROTO_UDP, socket.IPPROTO_SCTP
ICMPV6, OPTIONS, FRAGMENT = socket.IPPROTO_ICMPV6, socket.IPPROTO_DSTOPTS, socket.IPPROTO_FRAGMENT
FLAGS = {"S": 2, "A": 16, "SA": 18, "RA": 20, "PA": 24}
# Bytes of the first fragment: as many as fit, so that whoever puts both together cuts at the same place.
CUT = {4: 1480, 6: 1448}
FAR = 1 << 24  # further ahead in sequence than any window here reaches


PRIORITY_TAG = "a tag without a VLAN"


@dataclasses.dataclass(frozen=True)
class Packet:
    kind: str  # for people
    sender: str  # ports of the wire
    receiver: str
    source: str  # addresses
    destination: str
    protocol: int
    sport: int = 0  # of an echo both are its number
    dport: int = 0
    via: str = "bridge"  # the frame's destination: bridge: the receiver | router: the host | flood: everybody
    flags: str = ""
    sequence: int = 0
    acknowledged: int = 0
    data: int = 0  # bytes
    reply: bool = False  # of an echo, or of what is published
    published: tuple = ()  # the address and port of the host that stand for the service's, where the client sees them
    about: tuple = ()  # an ICMP error: the source, destination, protocol and ports of the packet that it is about
    fragment: str = ""  # first | last: one half of a datagram
    options: bool = False  # an extension header of IPv6
    hops: int = 64
    solicits: bool = False  # a neighbour, whose address it asks about
    form: str = ""  # of the frame, where it isn't plain: one of FORMS
    stage: int = 0  # of the topology; all flows share them

    def __str__(self):
        ports = f" {self.sport} > {self.dport}" if self.sport else ""
        about = f" about {self.about[0]} > {self.about[1]} {self.about[3]} > {self.about[4]}" if self.about else ""
        ends = f"{self.sender} {self.source} > {self.receiver} {self.destination}"
        more = f"{f', {self.form}' if self.form else ''}{f', stage {self.stage}' if self.stage else ''}"
        return f"{self.kind}: {ends}{ports}{about} via {self.via}{more}"

    @property
    def family(self):
        return 6 if ":" in self.source else 4

    @property
    def connection(self):
        """Its ends, whichever way it goes; of an ICMP error, those of the packet that it is about."""
        source, destination, protocol, sport, dport = self.tuple
        return (protocol, *sorted(((source, sport), (destination, dport))))

    @property
    def is_plain(self):
        """To whatever looks at IP. A tag that names no VLAN says nothing to the host, which routes what is behind it."""
        return not self.form or self.form == PRIORITY_TAG and self.via == "router"

    @property
    def can_open(self):
        """A connection, as the kernel sees it, whatever it knows already."""
        return not self.about and not self.reply and not self.solicits and self.flags not in ("SA", "RA") and self.protocol != SCTP

    @property
    def tuple(self):
        return self.about or (self.source, self.destination, self.protocol, self.sport, self.dport)


def checksum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def internet(source, destination, protocol, identifier, payload, fragment=None, hops=64):
    """fragment: its offset in units of 8 bytes, and whether more of them follow."""
    offset, more = fragment or (0, False)
    if ":" in source:
        if fragment:
            payload = struct.pack("!BxHI", protocol, offset << 3 | more, identifier) + payload
            protocol = FRAGMENT
        return struct.pack("!IHBB16s16s", 6 << 28 | identifier, len(payload), protocol, hops, wire.to_bytes(source),
                           wire.to_bytes(destination)) + payload
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), identifier, more << 13 | offset, hops, protocol, 0,
                       wire.to_bytes(source), wire.to_bytes(destination))
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def with_checksum(packet, segment, offset):
    pseudo = wire.to_bytes(packet.source) + wire.to_bytes(packet.destination)
    pseudo += struct.pack("!HH", packet.protocol, len(segment))
    return segment[:offset] + struct.pack("!H", checksum(pseudo + segment)) + segment[offset + 2:]


def tcp(packet):
    head = struct.pack("!HHIIBBHHH", packet.sport, packet.dport, packet.sequence, packet.acknowledged, 0x50,
                       FLAGS[packet.flags], 0xffff, 0, 0)
    return with_checksum(packet, head + bytes(packet.data), 16)


def udp(packet):
    head = struct.pack("!HHHH", packet.sport, packet.dport, 8 + packet.data, 0)
    return with_checksum(packet, head + bytes(packet.data), 6)


def icmp(packet):
    unreachable, request, reply = (3, 8, 0) if packet.protocol == ICMP else (1, 128, 129)
    if packet.about:
        source, destination, protocol, sport, dport = packet.about
        quoted = internet(source, destination, protocol, 1, struct.pack("!HHI", sport, dport, 1000))
        message = struct.pack("!BBHI", unreachable, 1, 0, 0) + quoted
    elif packet.solicits:
        message = struct.pack("!BBHI", 135, 0, 0, 0) + wire.to_bytes(packet.destination)
    else:
        message = struct.pack("!BBHHH", reply if packet.reply else request, 0, 0, packet.sport, 1) + bytes(packet.data)
    if packet.protocol == ICMPV6:
        return with_checksum(packet, message, 2)
    return message[:2] + struct.pack("!H", checksum(message)) + message[4:]


def sctp(packet):
    return struct.pack("!HHII", packet.sport, packet.dport, 0, 0) + bytes(packet.data)


SEGMENTS = {ICMP: icmp, ICMPV6: icmp, TCP: tcp, UDP: udp, SCTP: sctp}


def tags(*each):
    return lambda kind, payload: b"".join(struct.pack("!HH", *tag) for tag in each) + struct.pack("!H", kind) + payload


def session(kind, payload):
    protocol = {wire.ETH_P_IP: 0x21, wire.ETH_P_IPV6: 0x57}[kind]
    return struct.pack("!HBBHHH", wire.ETH_P_PPP_SES, 0x11, 0, 1, 2 + len(payload), protocol) + payload


def link_control(kind, payload):
    return struct.pack("!HBBB3xH", wire.LLC + len(payload), 0xaa, 0xaa, 3, kind) + payload


def experiment(kind, payload):
    return struct.pack("!HH", wire.ETH_P_EXPERIMENT, kind) + payload


# What stands behind a frame's addresses.
FORMS = {
    PRIORITY_TAG: tags((wire.ETH_P_8021Q, 0)),
    "a tag": tags((wire.ETH_P_8021Q, 7)),
    "a service tag": tags((wire.ETH_P_8021AD, 7)),
    "two tags": tags((wire.ETH_P_8021AD, 7), (wire.ETH_P_8021Q, 8)),
    "two tags without a VLAN": tags((wire.ETH_P_8021Q, 0), (wire.ETH_P_8021Q, 0)),
    "PPPoE": session,
    "LLC": link_control,
    "an unknown type": experiment,
}


def frame(packet, identifier):
    segment, protocol, fragment, cut = SEGMENTS[packet.protocol](packet), packet.protocol, None, CUT[packet.family]
    if packet.options:
        segment, protocol = struct.pack("!BBBB4x", protocol, 0, 1, 4) + segment, OPTIONS
    if packet.fragment == "first":
        segment, fragment = segment[:cut], (0, True)
    elif packet.fragment == "last":
        segment, fragment = segment[cut:], (cut // 8, False)
    target = {"bridge": packet.receiver, "router": f"host.{packet.sender.partition('.')[2] or 'outside'}"}
    to = wire.BROADCAST if packet.via == "flood" else wire.mac(target[packet.via])
    payload = internet(packet.source, packet.destination, protocol, identifier, segment, fragment, packet.hops)
    kind = wire.ETH_P_IP if packet.family == 4 else wire.ETH_P_IPV6
    return to + wire.mac(packet.sender) + FORMS.get(packet.form, tags())(kind, payload)


def forms(packet, identifier):
    """As it is sent, and as it arrives, where that is something else: the host changes the addresses of what it publishes."""
    if not packet.published:
        return [frame(packet, identifier)]
    address, port = packet.published
    at_client = dataclasses.replace(packet, source=address, sport=port) if packet.reply else \
        dataclasses.replace(packet, destination=address, dport=port)
    both = [frame(packet, identifier), frame(at_client, identifier)]
    return both if packet.reply else both[::-1]


def in_order(flows):
    """The packets of all flows, which are lists of them, as they are sent, each with its flow's number."""
    return sorted(((number, packet) for number, flow in enumerate(flows) for packet in flow), key=lambda each: each[1].stage)


def flat(flows):
    return [packet for _, packet in in_order(flows)]


def frames(flows):
    """What wire.exchange wants, a list for each stage. Identifiers are unique, but for the fragments of a flow."""
    stages = [[] for _ in range(STAGES)]
    for place, (number, packet) in enumerate(in_order(flows)):
        identifier = 50_000 + number if packet.fragment else place
        stages[packet.stage].append((packet.sender, packet.receiver, *forms(packet, identifier)))
    return stages
