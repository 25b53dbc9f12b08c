"""Answers belong to links: real connections between network namespaces on a bridge, whose links end and come back."""
import pathlib
import socket

import pytest

from support.flows import Connection, Datagrams, goes_on, is_cut
from support.guest import Guest
from support.process import run
from support.ruleset import nft
from support.service import Service, add_bridge, container, eventually

REDIS = container("172.17.0.2", expose=[6379, "6379/udp"])
CONTAINERS = {"redis": REDIS, "web": container("172.17.0.3", links=["redis"]),
              "api": container("172.17.0.4", links=["redis"])}
DATABASE, ON_HOST = ("172.17.0.2", 6379), ("172.17.0.1", 80)


def settings(containers=None, head=""):
    lines = [f"  {name}: {record}" for name, record in (CONTAINERS if containers is None else containers).items()]
    return "\n".join([head, "containers:", *lines, ""])


class Network:
    """Guests of those addresses, with an open connection and an exchange of datagrams from web and from api."""

    def __init__(self, place, target=DATABASE):
        self.place, self.target = place, target
        self.guests = {name: Guest(place, name, record["addresses"][0]) for name, record in CONTAINERS.items()}
        self.tcp, self.udp = (self.guests["redis"].socket(kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM))
        for listener in (self.tcp, self.udp):
            place.endings.callback(listener.close)
            listener.bind(DATABASE)
        self.tcp.listen()
        self.web, self.api = self.flows("web"), self.flows("api")

    def flows(self, name):
        made = [Connection(self.place, self.guests[name], self.tcp, self.target),
                Datagrams(self.guests[name], self.udp, self.target)]
        assert goes_on(made), name
        return made


def add_running_bridge():
    add_bridge()
    run("ip", "link", "set", "docker0", "up")


def with_service(place, head=""):
    """The service, whose containers came by the API, and their open flows."""
    add_running_bridge()
    service = Service(place, head)
    service.client.post("/v1/transaction", {"put": {"containers": CONTAINERS}})
    return service, Network(place)


def publish(place):
    """Redis' port on the host's own address, as `docker run -p` without a proxy has it for its neighbours."""
    run("ip", "address", "add", "172.17.0.1/16", "dev", "docker0")
    pathlib.Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    nft("-f", "-", stdin="""table ip nat { chain prerouting { type nat hook prerouting priority dstnat;
        ip daddr 172.17.0.1 meta l4proto { tcp, udp } th dport 80 dnat to 172.17.0.2:6379; }; }""")


HEADS = {"sets": "", "rules": "firewall: {layout: rules}",
         "attached": "firewall: {layout: rules, attach: [{family: inet, table: fw, chain: forward}]}"}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_an_unlinked_connection_ends_both_ways_at_once_and_goes_on_when_it_is_linked_again(place, head):
    nft("-f", "-", stdin="table inet fw { chain forward { type filter hook forward priority 0; }; }")
    service, network = with_service(place, head)
    service.client.delete("/v1/links/web/redis")
    assert is_cut(network.web) and goes_on(network.api)
    assert is_cut(network.web), "for good"
    service.client.put("/v1/links/web/redis", {"child": "redis"})
    assert goes_on(network.web) and goes_on(network.api)


def test_what_comes_over_a_published_port_ends_with_the_link_too(place):
    add_running_bridge()
    publish(place)
    service = Service(place, "")
    service.client.post("/v1/transaction", {"put": {"containers": CONTAINERS}})
    network = Network(place, ON_HOST)
    assert service.links()["/web/redis"]["packets"] > 0
    service.client.delete("/v1/links/web/redis")
    assert is_cut(network.web) and goes_on(network.api)
    service.client.put("/v1/links/web/redis", {"child": "redis"})
    assert goes_on(network.web)


def test_a_container_that_is_removed_takes_its_connections_along(place):
    service, network = with_service(place)
    service.client.delete("/v1/containers/web")
    assert is_cut(network.web) and goes_on(network.api)
    service.client.put("/v1/containers/web", CONTAINERS["web"])
    assert goes_on(network.web)
    place.nftlink("rm", "api")
    assert is_cut(network.api) and goes_on(network.web)


def test_a_port_that_is_exposed_no_longer_ends_its_connections(place):
    service, network = with_service(place)
    service.client.put("/v1/containers/redis", REDIS | {"expose": ["6379/udp"]}, status=200)
    tcp, udp = network.web
    assert is_cut([tcp]) and goes_on([udp])
    service.client.put("/v1/containers/redis", REDIS, status=200)
    assert goes_on([tcp, udp])


def test_an_address_that_is_taken_away_ends_its_connections(place):
    service, network = with_service(place)
    service.client.put("/v1/containers/web", CONTAINERS["web"] | {"addresses": ["172.17.0.9"]}, status=200)
    assert is_cut(network.web) and goes_on(network.api)
    service.client.put("/v1/containers/web", CONTAINERS["web"], status=200)
    assert goes_on(network.web)
    service.client.put("/v1/containers/redis", REDIS | {"addresses": ["172.17.0.8"]}, status=200)
    assert is_cut(network.web) and is_cut(network.api)


def test_who_comes_to_an_address_inherits_nothing(place):
    service, network = with_service(place)
    service.client.delete("/v1/containers/web")
    service.client.put("/v1/containers/heir", container("172.17.0.3"))
    assert is_cut(network.web)
    # From the same port to another service: no connection that is known.
    heir = Datagrams(network.guests["web"], network.udp, DATABASE)
    assert is_cut([heir]) and goes_on(network.api)


def test_a_reload_ends_connections_and_brings_them_back(place):
    add_running_bridge()
    service = Service(place, settings())
    network = Network(place)
    for change in ({"web": container("172.17.0.3")}, {"web": container("172.17.0.9", links=["redis"])}):
        service.write(settings(CONTAINERS | change))
        service.client.post("/v1/reload")
        assert is_cut(network.web) and goes_on(network.api)
        service.write(settings())
        place.nftlink("reload")
        assert goes_on(network.web)
    service.write(settings({}))
    service.client.post("/v1/reload")
    eventually(lambda: service.links() == {})
    service.write(settings(head="bridges: {docker0: {icc: allow}}"))
    service.client.post("/v1/reload")
    service.write(settings({"redis": REDIS}, head="bridges: {docker0: {icc: deny}}"))
    assert goes_on(network.web) and goes_on(network.api), "all may talk"
    service.client.post("/v1/reload")
    assert is_cut(network.web) and is_cut(network.api)


def test_apply_ends_connections_and_brings_them_back(place):
    add_running_bridge()
    place.write(settings())
    place.nftlink("apply")
    network = Network(place)
    place.write(settings(CONTAINERS | {"web": container("172.17.0.3")}))
    place.nftlink("apply")
    assert is_cut(network.web) and goes_on(network.api)
    place.write(settings(head="firewall: {layout: rules}"))
    place.nftlink("apply")
    assert goes_on(network.web) and goes_on(network.api)
    place.write(settings(CONTAINERS | {"web": container("172.17.0.3")}, head="firewall: {family: ip, table: other}"))
    place.nftlink("apply")
    assert is_cut(network.web) and goes_on(network.api), "of the other table"
