"""The wire: a host namespace with bridges, and the far ends of its cables in another one, where no stack answers.

Everything is there from the start (each bridge with all its ports, static neighbours, static forwarding tables), so
that a topology costs rules and packets only. The process stays on one CPU: there, softirqs work in the order of
sending, and when a sentinel has come out, whatever was sent before it has come out or never will.
"""
import contextlib
import ctypes
import itertools
import os
import pathlib
import socket
import struct
import subprocess
import time

BRIDGES = ("docker0", "br-back", "br-front")
SLOTS = 12  # ports of each bridge: containers c0 to c11
CONTAINERS = [f"c{slot}.{bridge}" for bridge in BRIDGES for slot in range(SLOTS)]
PORTS = [*CONTAINERS, "first", "second", "outside"]  # the far ends
OUTSIDE = {4: "192.0.2.9", 6: "fd00:ff::9"}
BROADCAST = b"\xff" * 6
CLONE_NEWNET = 0x40000000
ETH_P_ALL, ETH_P_IP, ETH_P_ARP, ETH_P_IPV6 = 3, 0x0800, 0x0806, 0x86dd
ETH_P_8021Q, ETH_P_8021AD, ETH_P_PPP_SES, ETH_P_EXPERIMENT = 0x8100, 0x88a8, 0x8864, 0x88b5
# Bytes behind the type; the last of them say what follows.
HEADERS = {ETH_P_8021Q: 4, ETH_P_8021AD: 4, ETH_P_PPP_SES: 8, ETH_P_EXPERIMENT: 2}
LLC, LONGEST_LLC = 8, 1500  # bytes of LLC and SNAP, behind a length instead of a type
SO_ATTACH_FILTER = 26
# What IPv6 itself says about multicast groups would fill a socket: no frame of type IPv6 (at 12) with hop-by-hop options
# (at 20) is heard.
UNHEARD = ((0x28, 0, 0, 12), (0x15, 0, 2, ETH_P_IPV6), (0x30, 0, 0, 20), (0x15, 1, 0, 0), (6, 0, 0, 0xffffffff), (6, 0, 0, 0))
SOL_PACKET, PACKET_STATISTICS, PACKET_IGNORE_OUTGOING = 263, 6, 23
PATIENCE = 10  # seconds for what takes microseconds
BATCH = 64  # frames, well below what a socket's default buffer holds
SWITCHES_OFF = "".join(f"link set {name} type bridge nf_call_iptables 0 nf_call_ip6tables 0\n" for name in BRIDGES)


class WireError(Exception):
    """The wire itself misbehaved, so that nothing can be said about any verdict."""


def address(bridge, number, family):
    place = BRIDGES.index(bridge)
    return f"10.0.{place}.{number}" if family == 4 else f"fd00:{place + 1}::{number:x}"


def bridge_address(bridge, family):
    return address(bridge, 1, family)


def to_bytes(text):
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


# The host's own, and what IPv6 has before it has any.
OWN_ADDRESSES = {to_bytes(bridge_address(bridge, family)) for bridge in BRIDGES for family in (4, 6)} | {bytes(16)}


def mac(port):
    """Of a container's port (c3.docker0), or the host's on a bridge (host.docker0) or on the cable outside."""
    name, _, bridge = port.partition(".")
    others = {"host": 0xff, "outside": 0xfe, "first": 0xfd, "second": 0xfc}
    number = others[name] if name in others else int(name[1:])
    return bytes((2, 0, 0, 0, BRIDGES.index(bridge) if bridge in BRIDGES else 0xf, number))


def plug(port):
    """The bridge that the cable with that far end is plugged into; none for the one that leads outside."""
    return {"first": "sentinel", "second": "sentinel"}.get(port, port.partition(".")[2])


def packet_in(frame):
    """The IP packet in a frame of whatever form. Packet sockets take a tag off, so that it makes no difference here."""
    start = 14
    kind = length = int.from_bytes(frame[12:14])
    while kind in HEADERS:
        start += HEADERS[kind]
        kind = int.from_bytes(frame[start - 2:start])
    return frame[start + LLC if start == 14 and length <= LONGEST_LLC else start:]


def identity(frame):
    """What routing leaves alone of the packet in a frame: all but its TTL or hop limit, checksum, and the number of an IPv6
    fragment, which whoever puts fragments together and cuts them again makes anew."""
    packet = packet_in(frame)
    if is_ipv4(packet):
        return packet[:8] + packet[9:10] + packet[12:]
    end = 44 if packet[6] == socket.IPPROTO_FRAGMENT else len(packet)
    return packet[:7] + packet[8:end] + packet[end + 4:]


def is_ipv4(packet):
    return packet[0] >> 4 == 4


def is_own(frame):
    """What the host says by itself."""
    packet = packet_in(frame)
    return (packet[12:16] if is_ipv4(packet) else packet[8:24]) in OWN_ADDRESSES


def run(*command, stdin=None, status=0):
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != status:
        raise WireError(f"{' '.join(command)}: status {done.returncode}\n{done.stdout}{done.stderr}\n{stdin or ''}")
    return done


def system(name, *arguments):
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), name)


def set_switches(value, *paths):
    for path in paths:
        pathlib.Path("/proc/sys/net", path).write_text(value)


def packet_socket(port, protocol=0):
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(protocol))
    made.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in UNHEARD))
    made.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", len(UNHEARD), ctypes.addressof(code)))
    if port:
        made.bind((port, protocol))
    return made


class Wire:
    def __init__(self):
        processors = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {processors[os.getpid() % len(processors)]})
        self.senders, self.listeners, self.sentinels, self.loses_sentinels = {}, {}, 0, False
        self._enter_namespace()
        self.far = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.ear = packet_socket(None, ETH_P_ALL)
        self._enter_namespace()
        self.near = os.open("/proc/self/ns/net", os.O_RDONLY)
        set_switches("1", "ipv4/ip_forward", "ipv6/conf/all/forwarding", "ipv6/conf/default/addr_gen_mode")
        set_switches("0", "bridge/bridge-nf-call-iptables", "bridge/bridge-nf-call-ip6tables")
        self._lay_cables()
        self._settle()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for opened in [*self.senders.values(), *self.listeners.values(), self.ear]:
            opened.close()
        os.close(self.far)
        os.close(self.near)

    @staticmethod
    def _enter_namespace():
        system("unshare", CLONE_NEWNET)
        for scope in ("all", "default"):
            set_switches("1", f"ipv6/conf/{scope}/disable_ipv6")
            set_switches("0", f"ipv4/conf/{scope}/rp_filter", f"ipv4/conf/{scope}/send_redirects")

    def _lay_cables(self):
        run("ip", "-batch", "-", stdin="\n".join(self._near_ends()))
        for device in (*BRIDGES, "voutside"):
            set_switches("0", f"ipv6/conf/{device}/accept_ra", f"ipv6/conf/{device}/disable_ipv6")
        run("ip", "-batch", "-", stdin="\n".join(self._addresses()))
        table = [f"fdb replace {mac(port).hex(':')} dev v{port} master static" for port in CONTAINERS]
        run("bridge", "-batch", "-", stdin="\n".join(table))
        for bridge in BRIDGES:
            self.senders[f"host.{bridge}"] = packet_socket(bridge)
            self.listeners[f"host.{bridge}"] = packet_socket(bridge, ETH_P_ALL)
            self.listeners[f"host.{bridge}"].setblocking(False)
        system("setns", self.far, CLONE_NEWNET)
        run("ip", "-batch", "-", stdin="\n".join(f"link set {port} up" for port in PORTS))
        self.senders.update((port, packet_socket(port)) for port in PORTS)
        self.enter()

    def _near_ends(self):
        """Commands for the host's side, and for whatever it would otherwise learn from traffic."""
        far = f"/proc/{os.getpid()}/fd/{self.far}"
        for bridge in (*BRIDGES, "sentinel"):
            yield f"link add {bridge} type bridge forward_delay 0 mcast_snooping 0"
        for port in PORTS:
            yield f"link add v{port} type veth peer name {port} address {mac(port).hex(':')} netns {far}"
            if plug(port):
                yield f"link set v{port} master {plug(port)}"
            yield f"link set v{port} up"
        yield "link set sentinel up"
        for bridge in BRIDGES:
            yield f"link set {bridge} address {mac(f'host.{bridge}').hex(':')} up"
        yield f"link set voutside address {mac('host.outside').hex(':')}"

    @staticmethod
    def _addresses():
        """Commands for the host's addresses, and those that it would ask for."""
        for bridge, (family, length) in itertools.product(BRIDGES, ((4, "24"), (6, "64 nodad"))):
            yield f"address add {bridge_address(bridge, family)}/{length} dev {bridge}"
            for slot in range(SLOTS):
                port = mac(f"c{slot}.{bridge}").hex(":")
                yield f"neighbor add {address(bridge, 10 + slot, family)} lladdr {port} dev {bridge}"
        yield "address add 192.0.2.1/24 dev voutside"
        yield "address add fd00:ff::1/64 dev voutside nodad"
        for outside in OUTSIDE.values():
            yield f"neighbor add {outside} lladdr {mac('outside').hex(':')} dev voutside"

    def _settle(self):
        """Bridges learn of their ports' carriers a little later; until then they forward nothing."""
        self._be_patient(0.02)
        for sender, receiver in zip(PORTS, PORTS[1:]):
            if plug(sender) != plug(receiver):
                continue
            deadline = time.monotonic() + PATIENCE
            while not self._reaches(sender, receiver):
                if time.monotonic() > deadline:
                    raise WireError(f"nothing gets from {sender} to {receiver}")
        self._be_patient(PATIENCE)
        self._collect()

    def _be_patient(self, seconds):
        patience = struct.pack("ll", int(seconds), int(seconds % 1 * 1e6))
        self.ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, patience)

    def _reaches(self, sender, receiver):
        self.senders[sender].send(mac(receiver) + mac(sender) + struct.pack("!H", ETH_P_ARP) + bytes(46))
        try:
            while self.ear.recvfrom(2048)[1][0] != receiver:
                pass
            return True
        except BlockingIOError:
            return False

    def enter(self):
        """Makes the host's namespace that of this process."""
        system("setns", self.near, CLONE_NEWNET)

    @contextlib.contextmanager
    def losing_sentinels(self):
        """For the test of this test."""
        self.loses_sentinels = True
        self._be_patient(0.1)
        yield
        self.loses_sentinels = False
        self._be_patient(PATIENCE)

    def exchange(self, frames):
        """Sends frames (sender, receiver, bytes), in order; says of each whether it came out at its receiver, as it was or as
        the bytes that may follow."""
        expected = {identity(form): (number, receiver) for number, (_, receiver, *forms) in enumerate(frames) for form in forms}
        if len(expected) != sum(len(forms) for _, _, *forms in frames):
            raise WireError("two packets of a batch are the same")
        if not all(is_own(frame) for _, frame in self._collect()):
            raise WireError("packets came out before any was sent")
        passed = [False] * len(frames)
        for start in range(0, len(frames), BATCH):
            for sender, _, frame, *_ in frames[start:start + BATCH]:
                self.senders[sender].send(frame)
            for port, frame in self._collect():
                number, receiver = expected.get(identity(frame), (None, None))
                if port == receiver:
                    passed[number] = True
                    continue
                flooded = receiver and frame[:6] == BROADCAST
                if not flooded and not port.startswith("host.") and not is_own(frame):
                    raise WireError(f"{frame[:60].hex()} came out at {port}, and was meant for {receiver}")
        return passed

    def _collect(self):
        """All frames that have come out, with their ports; ARP is the kernel's own, and the sentinels'."""
        self.sentinels += 1
        number = struct.pack("!Q", self.sentinels)
        if not self.loses_sentinels:
            self.senders["first"].send(BROADCAST + mac("first") + struct.pack("!H", ETH_P_ARP) + number + bytes(38))
        found = []
        while True:
            try:
                frame, (port, protocol, *_) = self.ear.recvfrom(2048)
            except BlockingIOError:
                raise WireError("a sentinel got lost") from None
            if port == "second" and frame[14:22] == number:
                break
            if protocol != ETH_P_ARP:
                found.append((port, frame))
        for port, listener in self.listeners.items():
            found += self._heard_by_host(port, listener)
        for listener in (self.ear, *self.listeners.values()):
            if struct.unpack("II", listener.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]:
                raise WireError("a socket's buffer was too small")
        return found

    @staticmethod
    def _heard_by_host(port, listener):
        found = []
        while True:
            try:
                frame, (_, protocol, *_) = listener.recvfrom(2048)
            except BlockingIOError:
                return found
            if protocol != ETH_P_ARP:
                found.append((port, frame))

    def flush_connections(self):
        """Forgets all connections that the host namespace tracks, over netlink."""
        request = struct.pack("=IHHIIBBH", 20, 1 << 8 | 2, 1 | 4, 1, 0, socket.AF_UNSPEC, 0, 0)
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12) as netlink:
            netlink.send(request)
            (error,) = struct.unpack_from("=i", netlink.recv(4096), 16)
        if error:
            raise OSError(-error, "cannot flush conntrack")
