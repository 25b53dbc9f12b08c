"""cut_flows, with real connections between network namespaces on a bridge."""
import harness
from guest import Guest
from harness import case, run
from service import Service, add_bridge, container, eventually

CONTAINERS = {"redis": container("172.17.0.2", expose=[6379]), "web": container("172.17.0.3", links=["redis"]),
              "api": container("172.17.0.4", links=["redis"])}


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
