"""Where things are measured: network namespaces, commands, medians."""
import os
import pathlib
import statistics
import subprocess
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from support.namespaces import CLONE_NEWNET  # pylint: disable=wrong-import-position
from support.process import libc  # pylint: disable=wrong-import-position

PARENT, CHILD, STRANGER = "172.17.0.3", "172.17.0.2", "172.17.0.4"  # containers on docker0


def run(*command, stdin=None):
    subprocess.run(command, input=stdin, text=True, check=True, stdout=subprocess.DEVNULL)


def milliseconds(*command, stdin=None):
    """What a command takes as a whole process."""
    begin = time.perf_counter()
    subprocess.run(command, input=stdin, text=True, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return (time.perf_counter() - begin) * 1000


def add_bridge():
    run("ip", "link", "add", "docker0", "type", "bridge")
    run("ip", "link", "set", "docker0", "up")
    switch_bridge_netfilter_off()


def switch_bridge_netfilter_off():
    """For all bridges at once, as hosts have it: nftlink switches it on for those that it polices."""
    for switch in ("iptables", "ip6tables"):
        with open(f"/proc/sys/net/bridge/bridge-nf-call-{switch}", "w", encoding="ascii") as file:
            file.write("0")


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
    """A container on docker0."""
    guest = Namespace()
    with host:
        run("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns",
            f"/proc/{os.getpid()}/fd/{guest.descriptor}")
        run("ip", "link", "set", name, "master", "docker0", "up")
    with guest:
        run("ip", "address", "add", f"{address}/16", "dev", "eth0")
        run("ip", "link", "set", "eth0", "up")
        run("ip", "link", "set", "lo", "up")
    return guest


def summary(samples):
    """Median, quartiles and the 99th percentile."""
    ordered = sorted(samples)
    at = lambda share: ordered[min(len(ordered) - 1, int(len(ordered) * share))]
    return {"median": statistics.median(ordered), "low": at(0.25), "high": at(0.75), "p99": at(0.99),
            "samples": len(ordered)}
