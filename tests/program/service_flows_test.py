"""cut_flows, with real connections between network namespaces on a bridge."""
import contextlib
import os
import socket

import harness
from harness import case, run
from service import Service, add_bridge, container, eventually, libc

CONTAINERS = {"redis": container("172.17.0.2", expose=[6379]), "web": container("172.17.0.3", links=["redis"]),
              "api": container("172.17.0.4", links=["redis"])}


def check(result):
    if result != 0:
        raise OSError("unshare or setns")


class Guest:
    """A container's network namespace, with eth0 on docker0. It is there as long as its descriptor is open."""

    def __init__(self, place, name, address):
        host = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        place.endings.callback(os.close, host)
        self.host = host
        check(libc.unshare(harness.CLONE_NEWNET))
        self.space = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        place.endings.callback(os.close, self.space)
        check(libc.setns(host, 0))
        inside = f"/proc/{os.getpid()}/fd/{self.space}"
        run("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", inside)
        run("ip", "link", "set", name, "master", "docker0", "up")
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

    def socket(self):
        with self.entered():
            made = socket.socket()
        made.settimeout(5)
        return made


def connection(place, guest, listener):
    """Both ends of one from the guest to the listener."""
    client = guest.socket()
    place.endings.callback(client.close)
    client.connect(("172.17.0.2", 6379))
    server, _ = listener.accept()
    place.endings.callback(server.close)
    server.settimeout(5)
    return client, server


def passes(ends, patience=5):
    """Whether a byte gets from one end to the other within so many seconds."""
    client, server = ends
    client.send(b"x")
    server.settimeout(patience)
    try:
        return server.recv(100) != b""
    except TimeoutError:
        return False


def two_connections(place, head):
    """The service, and a connection of each link."""
    add_bridge()
    run("ip", "link", "set", "docker0", "up")
    service = Service(place, head)
    service.client.post("/v1/transaction", {"put": {"containers": CONTAINERS}})
    guests = {name: Guest(place, name, record["addresses"][0]) for name, record in CONTAINERS.items()}
    listener = guests["redis"].socket()
    place.endings.callback(listener.close)
    listener.bind(("172.17.0.2", 6379))
    listener.listen()
    web, api = (connection(place, guests[name], listener) for name in ("web", "api"))
    assert passes(web) and passes(api)
    assert service.links()["/web/redis"]["packets"] > 0
    return service, web, api


@case
def a_removed_links_connection_is_cut_and_others_live(place):
    service, web, api = two_connections(place, "firewall: {cut_flows: true}")
    service.client.delete("/v1/links/web/redis")
    assert passes(api)
    assert not passes(web, patience=0.5)
    assert passes(api)
    eventually(lambda: "ended 1 connection" in service.log())
    service.client.delete("/v1/containers/api")
    assert not passes(api, patience=0.5)


@case
def a_reload_cuts_too(place):
    service, web, api = two_connections(place, "firewall: {cut_flows: true}")
    service.client.put("/v1/links/api/redis", {"child": "redis"}, status=200)
    service.client.delete("/v1/containers/web")
    assert not passes(web, patience=0.5) and passes(api)


@case
def without_cut_flows_what_is_established_lives_on(place):
    service, web, api = two_connections(place, "")
    service.client.delete("/v1/links/web/redis")
    assert passes(web) and passes(api)


harness.main()
