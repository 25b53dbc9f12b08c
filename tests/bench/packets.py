"""What a packet costs between two containers on a bridge: by family, layout and number of links, beside no firewall, iptables,
and the smallest ruleset that one would write by hand."""
import re
import shutil
import socket
import statistics
import struct
import subprocess
import time

import rivals
from figure import Figure
from flow import datagram_socket
from place import CHILD, PARENT, STRANGER, Namespace, add_bridge, add_guest, run

PACKETS, CONNECTIONS, PER_CHILD = 20_000, 200, 1000


def port_count(count):
    """Half of the links are of tcp. One alone is both."""
    return max(1, min(count, PER_CHILD) // 2)


def configuration(family, layout, count):
    """So many permissions: up to a thousand of one child, and of other children the rest."""
    replies = "source-port" if family == "bridge" else "established"
    text = f"firewall: {{family: {family}, layout: {layout}, replies: {replies}}}\nbridges: {{docker0: {{icc: deny}}}}\ncontainers:\n"
    # The port that is measured is the last one: rules are walked to it.
    ports = "8000" if port_count(count) == 1 else f"{8001 - port_count(count)}-8000"
    children = max(1, count // PER_CHILD)
    for child in range(children):
        address = CHILD if child == 0 else f"172.17.{1 + child // 250}.{1 + child % 250}"
        text += f"  child{child}: {{bridge: docker0, addresses: [{address}], expose: [{ports}/udp, {ports}/tcp]}}\n"
    links = ", ".join(f"child{child}" for child in range(children))
    return text + f"  parent: {{bridge: docker0, addresses: [{PARENT}], links: [{links}]}}\n"


def docker(count):
    return rivals.docker((PARENT, CHILD, protocol, port) for port in range(8001 - port_count(count), 8001)
                         for protocol in ("udp", "tcp"))


def by_hand(count):
    """One set with counters, as ours has; established connections; the rest dropped."""
    elements = ", ".join(f"{PARENT} . 172.17.{1 + n // 1000 % 250}.9 . {protocol} . {1000 + n % 1000}"
                         for n in range(count // 2) for protocol in ("tcp", "udp"))
    ours = f"{PARENT} . {CHILD} . udp . 8000, {PARENT} . {CHILD} . tcp . 8000"
    return (f"table inet hand {{ set links {{ type ipv4_addr . ipv4_addr . inet_proto . inet_service; size {3 * count + 64}; "
            f"counter; elements = {{ {ours}{', ' + elements if elements else ''} }} }}\n"
            "chain forward { type filter hook forward priority 0; iifname docker0 oifname docker0 jump inside; }\n"
            "chain inside { ip saddr . ip daddr . meta l4proto . th dport @links accept; ct state established,related accept; "
            "counter drop; }\n}\n")


class Place:
    def __init__(self, bench):
        self.bench = bench
        self.host = Namespace()
        with self.host:
            add_bridge()
        self.parent, self.child = add_guest(self.host, "leg0", PARENT), add_guest(self.host, "leg1", CHILD)
        self.stranger = add_guest(self.host, "leg2", STRANGER)
        self.takers = [datagram_socket(self.child, (CHILD, 8000)), datagram_socket(self.parent, (PARENT, 9999))]
        # redis-tools alone has the server as redis-check-rdb: it is what it is called by.
        program = shutil.which("redis-server") or shutil.which("redis-check-rdb")
        words = "redis-server --port 8000 --save  --protected-mode no --tcp-backlog 500 --bind".split(" ")
        with self.child:
            self.redis = subprocess.Popen([*words, CHILD], executable=program, stdout=subprocess.DEVNULL)
        time.sleep(0.5)

    def close(self):
        self.redis.kill()
        self.redis.wait()

    def clear(self, switch):
        run("nft", "flush", "ruleset")
        run("iptables-legacy", "-F", "FORWARD")
        run("ip", "link", "set", "docker0", "type", "bridge", "nf_call_iptables", switch, "nf_call_ip6tables", switch)

    def ways(self):
        yield "no firewall", 1, lambda: self.clear("0")
        most = self.bench.counts[-1]
        for count in (1, 1000):
            for kind in ("legacy", "nft"):
                yield f"iptables-{kind}", count, lambda kind=kind, count=count: self.restore(kind, count)
            for family in ("inet", "ip", "bridge"):
                yield f"{family}, rules", count, lambda family=family, count=count: self.apply(family, "rules", count)
        for count in (1, 1000, most):
            yield "by hand, a set", count, lambda count=count: self.load(by_hand(count))
            for family in ("inet", "ip", "bridge"):
                yield f"{family}, sets", count, lambda family=family, count=count: self.apply(family, "sets", count)

    def restore(self, kind, count):
        self.clear("1")
        run(f"iptables-{kind}-restore", stdin=docker(count))

    def load(self, rules):
        self.clear("1")
        run("nft", "-f", "-", stdin=rules)

    def apply(self, family, layout, count):
        self.clear("0")
        file = self.bench.file("packets.yaml", configuration(family, layout, count))
        subprocess.run([self.bench.nftlink, "apply", "-c", file], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def nanoseconds_a_packet(self, namespace, local, remote):
        """From one end to another; nobody needs to take them."""
        with datagram_socket(namespace, local) as sender:
            sender.connect(remote)
            send, payload = sender.send, b"x" * 64
            for _ in range(500):
                send(payload)
            begin = time.perf_counter_ns()
            for _ in range(PACKETS):
                send(payload)
            return (time.perf_counter_ns() - begin) / PACKETS

    def nanoseconds_a_connection(self):
        """The median: of so many some wait for the listener."""
        times = []
        for _ in range(CONNECTIONS):
            with self.parent:
                client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            begin = time.perf_counter_ns()
            client.connect((CHILD, 8000))
            times.append(time.perf_counter_ns() - begin)
            client.close()
        return statistics.median(times)

    def nanoseconds_a_request(self):
        """Of redis-benchmark, over 20 connections."""
        with self.parent:
            text = subprocess.run(["redis-benchmark", "-h", CHILD, "-p", "8000", "-n", "10000", "-c", "20", "-t", "get", "--csv"],
                                  check=True, text=True, stdout=subprocess.PIPE).stdout
        return 1e9 / float(re.search(r'"GET","([\d.]+)"', text)[1])


def measure(bench):
    figure = Figure("packets", "What a packet costs", "ns", "no firewall, linked")
    place = Place(bench)
    try:
        for _ in range(bench.rounds):
            for way, count, set_up in place.ways():
                try:
                    with place.host:
                        set_up()
                except subprocess.CalledProcessError:
                    figure.left_out.add(f"{way} at {count:,}")
                    continue
                service, client = (CHILD, 8000), (PARENT, 9999)
                figure.add(f"{way}, linked", count, [place.nanoseconds_a_packet(place.parent, client, service)])
                figure.add(f"{way}, established", count, [place.nanoseconds_a_packet(place.child, service, client)])
                if way != "no firewall":
                    figure.add(f"{way}, denied", count, [place.nanoseconds_a_packet(place.stranger, (STRANGER, 9999), service)])
                figure.add(f"{way}, a connection", count, [place.nanoseconds_a_connection()])
                figure.add(f"{way}, a request of redis", count, [place.nanoseconds_a_request()])
    finally:
        place.close()
    most = bench.counts[-1]
    for family in ("inet", "ip", "bridge"):
        linked = f"{family}, sets, linked"
        figure.target(f"{family}: {most:,} links to 1", figure.ratio(linked, most, linked, 1), 1.05)
    figure.target(f"inet: {most:,} links to the set by hand", figure.ratio("inet, sets, linked", most, "by hand, a set, linked"), 1.05)
    return figure
