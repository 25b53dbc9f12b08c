#!/usr/bin/env python3
"""What a linked packet costs: udp from parent to child over a bridge, by family, layout and number of links.

Everything runs in namespaces of its own. The ways are measured in turn, round after round; the figures are medians.
"""
import ctypes
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time

CLONE_NEWNET = 0x40000000
PARENT, CHILD = "172.17.0.3", "172.17.0.2"
ROUNDS, PACKETS = 9, 20_000
libc = ctypes.CDLL(None, use_errno=True)


def run(*command, stdin=None):
    subprocess.run(command, input=stdin, text=True, check=True, stdout=subprocess.DEVNULL)


class Namespace:
    """A fresh network namespace; `with` is inside it."""

    def __init__(self):
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        assert libc.unshare(CLONE_NEWNET) == 0
        self.descriptor = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        libc.setns(before, CLONE_NEWNET)
        os.close(before)

    def __enter__(self):
        self.before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        assert libc.setns(self.descriptor, CLONE_NEWNET) == 0

    def __exit__(self, *_):
        libc.setns(self.before, CLONE_NEWNET)
        os.close(self.before)


def add_guest(host, name, address):
    guest = Namespace()
    with host:
        run("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns",
            f"/proc/{os.getpid()}/fd/{guest.descriptor}")
        run("ip", "link", "set", name, "master", "docker0", "up")
    with guest:
        run("ip", "address", "add", f"{address}/16", "dev", "eth0")
        run("ip", "link", "set", "eth0", "up")
    return guest


def configuration(family, layout, count):
    replies = "source-port" if family == "bridge" else "established"
    return (f"firewall: {{family: {family}, layout: {layout}, replies: {replies}}}\n"
            f"containers:\n  child: {{bridge: docker0, addresses: [{CHILD}], expose: [1-{count}/udp]}}\n"
            f"  parent: {{bridge: docker0, addresses: [{PARENT}], links: [child]}}\n")


def docker(count):
    """Docker 0.10's rules with icc off, as iptables-restore takes them."""
    here, lines = "-i docker0 -o docker0", ["*filter", ":FORWARD ACCEPT [0:0]"]
    for port in range(1, count + 1):
        lines += [f"-A FORWARD {here} -p udp -s {PARENT} --dport {port} -d {CHILD} -j ACCEPT",
                  f"-A FORWARD {here} -p udp -s {CHILD} --sport {port} -d {PARENT} -j ACCEPT"]
    lines += ["-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
              "-A FORWARD -i docker0 ! -o docker0 -j ACCEPT", f"-A FORWARD {here} -j DROP", "COMMIT", ""]
    return "\n".join(lines)


def ways(nftlink, folder):
    """Names of what is compared, and how each is set up in the host's namespace."""
    def clear(switch):
        run("nft", "flush", "ruleset")
        run("iptables-legacy", "-F", "FORWARD")
        run("ip", "link", "set", "docker0", "type", "bridge", "nf_call_iptables", switch, "nf_call_ip6tables", switch)

    def bare():
        clear("0")

    def through_docker(count):
        clear("1")
        run("iptables-legacy-restore", stdin=docker(count))

    def through_nftlink(family, layout, count):
        clear("0")
        file = os.path.join(folder, "nftlink.yaml")
        with open(file, "w", encoding="ascii") as out:
            out.write(configuration(family, layout, count))
        subprocess.run([nftlink, "apply", "-c", file], check=True, capture_output=True)

    yield "no firewall", 1, bare
    for count in (1, 1000):
        yield "iptables-legacy", count, lambda count=count: through_docker(count)
        for family in ("inet", "ip", "bridge"):
            for layout in ("sets", "rules"):
                yield f"{family} {layout}", count, \
                    lambda family=family, layout=layout, count=count: through_nftlink(family, layout, count)


def nanoseconds_a_packet(sender, port):
    sender.connect((CHILD, port))
    send, payload = sender.send, b"x" * 64
    for _ in range(500):
        send(payload)
    start = time.perf_counter_ns()
    for _ in range(PACKETS):
        send(payload)
    return (time.perf_counter_ns() - start) / PACKETS


def main():
    host = Namespace()
    with host:
        run("ip", "link", "add", "docker0", "type", "bridge")
        run("ip", "link", "set", "docker0", "up")
        for switch in ("iptables", "ip6tables"):
            with open(f"/proc/sys/net/bridge/bridge-nf-call-{switch}", "w", encoding="ascii") as file:
                file.write("0")
    parent, child = add_guest(host, "leg0", PARENT), add_guest(host, "leg1", CHILD)
    with parent:
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receivers = {}
    with child:
        for port in (1, 1000):
            receivers[port] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            receivers[port].bind((CHILD, port))
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(ROUNDS):
            for name, count, set_up in ways(sys.argv[1], folder):
                with host:
                    set_up()
                figures.setdefault((name, count), []).append(nanoseconds_a_packet(sender, count))
    base = statistics.median(figures["no firewall", 1])
    print(f"{'the last of':>12} {'links':<6} {'way':<16} {'ns a packet':>12} {'over none':>10} {'ratio':>6}   min to max")
    for (name, count), values in figures.items():
        median = statistics.median(values)
        print(f"{'':>12} {count:<6} {name:<16} {median:12.0f} {median - base:10.0f} {median / base:6.2f}   "
              f"{min(values):.0f} to {max(values):.0f}")


if __name__ == "__main__":
    if os.environ.get("NFTLINK_BENCH_INSIDE") != "1":
        os.environ["NFTLINK_BENCH_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "--map-root-user", "--net", "--mount", sys.executable, "-B", *sys.argv])
    main()
