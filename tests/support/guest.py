"""A container's network namespace on a bridge, for tests that send real packets."""
import contextlib
import os
import socket

from support.namespaces import CLONE_NEWNET, check
from support.process import libc, run


class Space:
    """A network namespace. It is there as long as its descriptor is open."""

    def __init__(self, place):
        self.place = place
        self.host = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        place.endings.callback(os.close, self.host)
        check(libc.unshare(CLONE_NEWNET))
        self.space = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        place.endings.callback(os.close, self.space)
        check(libc.setns(self.host, 0))
        self.path = f"/proc/{os.getpid()}/fd/{self.space}"

    @contextlib.contextmanager
    def entered(self):
        check(libc.setns(self.space, 0))
        try:
            yield
        finally:
            check(libc.setns(self.host, 0))

    def socket(self, kind=socket.SOCK_STREAM, family=socket.AF_INET, protocol=0):
        with self.entered():
            made = socket.socket(family, kind, protocol)
        self.place.endings.callback(made.close)
        made.settimeout(5)
        return made

    def ip(self, *commands):
        with self.entered():
            ip(*commands)


def ip(*commands):
    """Those commands of ip, by one process."""
    run("ip", "-batch", "-", stdin="".join(command + "\n" for command in commands))


class Guest(Space):
    """A container's network namespace, with eth0 on a bridge."""

    def __init__(self, place, name, address, bridge="docker0"):
        super().__init__(place)
        self.name, self.address = name, address
        ip(f"link add {name} type veth peer name eth0 netns {self.path}", f"link set {name} master {bridge} up")
        self.ip(*([f"address add {address}/16 dev eth0"] if address else []), "link set eth0 up")
