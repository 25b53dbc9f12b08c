"""A container's network namespace on a bridge, for tests that send real packets."""
import contextlib
import os
import socket

import harness
from harness import run
from service import libc


def check(result):
    if result != 0:
        raise OSError("unshare or setns")


class Guest:
    """A container's network namespace, with eth0 on a bridge. It is there as long as its descriptor is open."""

    def __init__(self, place, name, address, bridge="docker0"):
        host = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        place.endings.callback(os.close, host)
        self.host, self.address = host, address
        check(libc.unshare(harness.CLONE_NEWNET))
        self.space = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        place.endings.callback(os.close, self.space)
        check(libc.setns(host, 0))
        inside = f"/proc/{os.getpid()}/fd/{self.space}"
        run("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", inside)
        run("ip", "link", "set", name, "master", bridge, "up")
        with self.entered():
            run("ip", "address", "add", f"{address}/16", "dev", "eth0")
            run("ip", "link", "set", "eth0", "up")

    @contextlib.contextmanager
    def entered(self):
        check(libc.setns(self.space, 0))
        try:
            yield
        finally:
            check(libc.setns(self.host, 0))

    def socket(self, kind=socket.SOCK_STREAM):
        with self.entered():
            made = socket.socket(type=kind)
        made.settimeout(5)
        return made
