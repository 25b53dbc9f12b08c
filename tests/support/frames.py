"""Frames that no rule about IP sees, from one guest to another: behind tags, in PPPoE, in LLC, behind any ethertype."""
import socket
import struct
import time

from support.flows import MOMENT
from support.routed import ETH_P_ALL, PACKET_OUTGOING, PATIENCE

PORT = 9999
VLAN_0, VLAN_1, VLAN_5, VLAN_6 = (struct.pack("!HH", 0x8100, number) for number in (0, 1, 5, 6))
IPV4, IPV6, ARP = (struct.pack("!H", ethertype) for ethertype in (0x0800, 0x86dd, 0x0806))
EVERYBODY = b"\xff" * 6


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def packet4(sender, receiver, word):
    source, target = (socket.inet_aton(guest.addresses["4"]) for guest in (sender, receiver))
    body = struct.pack("!HHHH", 5555, PORT, 8 + len(word), 0) + word
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 1, 0, 64, 17, 0, source, target)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body


def packet6(sender, receiver, word):
    source, target = (socket.inet_pton(socket.AF_INET6, guest.addresses["6"]) for guest in (sender, receiver))
    word += bytes(len(word) % 2)
    body = struct.pack("!HHHH", 5555, PORT, 8 + len(word), 0) + word
    total = checksum(source + target + struct.pack("!II", len(body), 17) + body)
    body = body[:6] + struct.pack("!H", total) + body[8:]
    return struct.pack("!IHBB", 6 << 28, len(body), 17, 64) + source + target + body


def request(sender, receiver, word):
    """One of ARP."""
    own, asked = (socket.inet_aton(guest.addresses["4"]) for guest in (sender, receiver))
    return struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, sender.mac, own, bytes(6), asked) + word


def in_llc(head):
    return lambda body: struct.pack("!H", len(head) + len(body)) + head + body


def in_pppoe(body):
    return b"\x88\x64\x11\x00" + struct.pack("!HH", 7, 2 + len(body)) + b"\x00\x21" + body


def behind(*heads):
    return lambda body: b"".join(heads) + body


# By name: the packet, and what is put round it.
STRANGE = {
    "VLAN 0": (packet4, behind(VLAN_0, IPV4)),
    "VLAN 0, IPv6": (packet6, behind(VLAN_0, IPV6)),
    "VLAN 1": (packet4, behind(VLAN_1, IPV4)),
    "VLAN 5": (packet4, behind(VLAN_5, IPV4)),
    "VLAN 5, IPv6": (packet6, behind(VLAN_5, IPV6)),
    "VLAN 5, ARP": (request, behind(VLAN_5, ARP)),
    "VLAN 0 twice": (packet4, behind(VLAN_0, VLAN_0, IPV4)),
    "VLAN 5 in VLAN 6": (packet4, behind(VLAN_6, VLAN_5, IPV4)),
    "802.1ad": (packet4, behind(b"\x88\xa8\x00\x05", IPV4)),
    "802.1ad 0": (packet4, behind(b"\x88\xa8\x00\x00", IPV4)),
    "802.1Q in 802.1ad": (packet4, behind(b"\x88\xa8\x00\x06", VLAN_5, IPV4)),
    "QinQ": (packet4, behind(b"\x91\x00\x00\x05", VLAN_5, IPV4)),
    "PPPoE": (packet4, in_pppoe),
    "PPPoE behind a tag": (packet4, lambda body: VLAN_0 + in_pppoe(body)),
    "LLC/SNAP": (packet4, in_llc(b"\xaa\xaa\x03\x00\x00\x00" + IPV4)),
    "LLC": (packet4, in_llc(b"\xf0\xf0\x03")),
    "an ethertype for experiments": (packet4, behind(b"\x88\xb5")),
    "MACsec": (packet4, behind(b"\x88\xe5\x00\x00\x00\x00\x00\x01")),
    "MPLS": (packet4, behind(b"\x88\x47\x00\x01\x01\x40")),
    "RARP": (request, behind(b"\x80\x35")),
}


class Wire:
    """A container's eth0, below everything: what it sends, and all that comes to it."""

    def __init__(self, guest):
        self.guest = guest
        self.raw = guest.socket(socket.SOCK_RAW, socket.AF_PACKET, socket.htons(ETH_P_ALL))
        self.raw.bind(("eth0", ETH_P_ALL))
        guest.mac = self.raw.getsockname()[4]
        self.datagrams = guest.socket(socket.SOCK_DGRAM, socket.AF_INET6)
        self.datagrams.bind(("::", PORT))
        for each in (self.raw, self.datagrams):
            each.setblocking(False)

    def send(self, other, chosen):
        """Each of these, to the other one and to everybody; the words in them, which nothing else has."""
        words = {}
        for target in (other.guest.mac, EVERYBODY):
            for name in chosen:
                make, wrap = STRANGE[name]
                word = f"<{self.guest.name}: {name}, {'everybody' if target == EVERYBODY else other.guest.name}>"
                words[word.encode()] = (self.guest.name, other.guest.name, name)
                self.raw.send(target + self.guest.mac + wrap(make(self.guest, other.guest, word.encode())))
        return words


def read(source):
    found = []
    try:
        while True:
            data, origin = source.recvfrom(2000)
            if len(origin) < 5 or origin[2] != PACKET_OUTGOING:
                found.append(data)
    except BlockingIOError:
        return found


def come_through(wires, pairs, expected=frozenset(), chosen=tuple(STRANGE)):
    """What of these frames comes through: (sender, receiver, name). It waits for what is expected, then a moment."""
    words = {}
    for sender, receiver in pairs:
        words |= wires[sender].send(wires[receiver], chosen)
    deadline, rest, found = time.monotonic() + PATIENCE, None, set()
    while time.monotonic() < (rest or deadline):
        for wire in wires.values():
            text = read(wire.raw) + read(wire.datagrams)
            found |= {key for word, key in words.items() if any(word in each for each in text)}
        if rest is None and expected <= found:
            rest = time.monotonic() + MOMENT
        time.sleep(0.01)
    return found


def all_frames(pairs, chosen=tuple(STRANGE)):
    return {(sender, receiver, name) for sender, receiver in pairs for name in chosen}
