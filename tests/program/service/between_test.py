"""What is routed between policed bridges: nothing but links and what the target lets in, of both families."""
import pytest

from support.flows import MOMENT, Connection, Datagrams, goes_on, is_cut, passes
from support.guest import ip
from support.process import run
from support.routed import EXPOSED, KINDS, OTHER, Attempt, Behind, Routed, is_unreachable, linked, much_passes, names
from support.ruleset import nft
from support.service import Service, eventually

BOTH = [EXPOSED, f"{EXPOSED}/udp"]
HEADS = {"sets": "", "rules": "firewall: {layout: rules}", "ip": "firewall: {family: ip}",
         "source-port": "firewall: {replies: source-port}",
         "rules and source-port": "firewall: {layout: rules, replies: source-port}"}
TWO = {name: HEADS[name] for name in ("sets", "rules")}
HOST = "10.99.255.254"  # the host's address on the uplink, where ports are published


def with_each(heads, name="head"):
    """One case for each of them."""
    return pytest.mark.parametrize(name, heads.values(), ids=heads)


def bridges(**policies):
    return f"bridges: {{{', '.join(f'{name}: {{{policy}}}' for name, policy in policies.items())}}}\n"


def add(service, **records):
    service.client.post("/v1/transaction", {"put": {"containers": records}})


def link_across(place, head):
    """Web on one bridge has a link to redis on another one; a third bridge has nothing to do with them."""
    net = Routed(place, "br1", "br2", "br3")
    service = Service(place, head + "\n" + bridges(br1="", br2="", br3=""))
    web, redis = net.guest("web", "br1", 2), net.guest("redis", "br2", 2)
    net.guest("other", "br2", 3), net.guest("far", "br3", 2)
    add(service, redis=redis.record(BOTH), web=web.record(links=["redis"]))
    return service, net


def open_flows(place, net, parent="web", child="redis", families="46"):
    flows = []
    for family in families:
        target = net.guests[child].addresses[family]
        flows += [Connection(place, net.guests[parent], net.guests[child].listeners[0], (target, EXPOSED)),
                  Datagrams(net.guests[parent], net.guests[child].datagrams[0], (target, EXPOSED))]
    assert goes_on(flows)
    return flows


def policed(head):
    return "4" if "family: ip" in head else "46"


def all_of(net, families):
    """All that there is to try by these families."""
    pairs = [f"{one}>{other}" for one in net.guests for other in net.guests if one != other]
    return names(*pairs, kinds=[kind for kind in KINDS if kind[-1] in families])


@with_each(HEADS)
def test_nothing_passes_between_bridges_but_a_link_and_its_replies(place, head):
    service, net = link_across(place, head)
    families = policed(head)
    left_open = all_of(net, set("46") - set(families))
    net.assert_passes(linked("web>redis", families=families) | left_open)
    flows = open_flows(place, net, families=families)
    service.client.delete("/v1/links/web/redis")
    assert is_cut(flows), "both ways at once"
    net.assert_passes(left_open)
    assert is_cut(flows), "for good"
    service.client.put("/v1/links/web/redis", {"child": "redis"})
    assert goes_on(flows)


@with_each(TWO)
def test_apply_without_a_service_does_the_same(place, head):
    net = Routed(place, "br1", "br2")
    web, redis, own = net.guest("web", "br1", 2), net.guest("redis", "br2", 2), net.guest("own", "br2", 3)
    records = {"redis": redis.record(BOTH), "web": web.record(links=["redis"]), "own": own.record(links=["redis"])}
    place.write(f"{head}\ncontainers: {records}\n")
    place.nftlink("apply")
    net.assert_passes(linked("web>redis", "own>redis"))
    flows = open_flows(place, net)
    place.write(f"{head}\ncontainers: {records | {'web': web.record()}}\n")
    place.nftlink("apply")
    assert is_cut(flows)
    net.assert_passes(linked("own>redis"))


ATTACHED = """firewall: {layout: rules, attach: [{family: ip, table: filter, chain: FORWARD},
  {family: ip6, table: filter, chain: FORWARD}]}"""


@with_each({"policy accept": "ACCEPT", "policy drop": "DROP"}, "policy")
def test_attached_a_link_across_bridges_is_two_plain_rules(place, policy):
    for program in ("iptables-nft", "ip6tables-nft"):
        run(program, "-P", "FORWARD", policy)
    service, net = link_across(place, ATTACHED)
    listing = run("iptables-nft", "-S", "FORWARD").stdout.splitlines()
    rules = [rule.split() for rule in listing if f"port {EXPOSED}" in rule]
    ways = sorted((rule[rule.index("-i") + 1], rule[rule.index("-o") + 1]) for rule in rules)
    assert ways == [("br1", "br2")] * 2 + [("br2", "br1")] * 2, rules
    across = {name for name in all_of(net, "46") if "redis>other" not in name and "other>redis" not in name}
    net.assert_passes(across if policy == "ACCEPT" else linked("web>redis"))
    flows = open_flows(place, net)
    service.client.delete("/v1/links/web/redis")
    assert goes_on(flows) if policy == "ACCEPT" else is_cut(flows)


@with_each(HEADS)
def test_a_bridge_that_others_may_come_to_is_no_way_out_of_it(place, head):
    net = Routed(place, "br1", "br2", "br3")
    Service(place, head + "\n" + bridges(br1="", br2="routed: allow", br3=""))
    net.guest("one", "br1", 2), net.guest("two", "br2", 2), net.guest("own", "br2", 3), net.guest("three", "br3", 2)
    families = policed(head)
    allowed = names(*[f"{one}>{two}" for one in ("one", "three") for two in ("two", "own")])
    net.assert_passes(allowed | all_of(net, set("46") - set(families)))


@with_each(HEADS)
def test_icc_is_about_one_bridge_alone(place, head):
    net = Routed(place, "br1", "br2")
    Service(place, head + "\n" + bridges(br1="icc: allow", br2="icc: allow"))
    net.guest("one", "br1", 2), net.guest("own", "br1", 3), net.guest("two", "br2", 2)
    net.assert_passes(names("one>own", "own>one") | all_of(net, set("46") - set(policed(head))))


def open_flow(place, net, sender, receiver, address=None, port=EXPOSED):
    """Connection and datagrams, without a link."""
    target, listener = (address or net.guests[receiver].addresses["4"], port), net.guests[receiver]
    number = 1 if address else 0
    flow = [Connection(place, net.guests[sender], listener.listeners[number], target),
            Datagrams(net.guests[sender], listener.datagrams[number], target)]
    assert goes_on(flow)
    return flow


@with_each(TWO)
def test_what_was_begun_ends_with_what_let_it_in(place, head):
    net = Routed(place, "br1", "br2")
    net.guest("one", "br1", 2), net.guest("two", "br2", 2)
    before = open_flow(place, net, "one", "two")
    service = Service(place, head + "\n" + bridges(br1="", br2=""))
    assert is_cut(before), "of the time before the service"

    def reload(**policies):
        service.write(head + "\n" + bridges(**policies))
        service.client.post("/v1/reload")
    reload(br1="routed: allow", br2="routed: allow")
    assert goes_on(before)
    # A new one: who began the other is for conntrack who was heard first.
    there, back = open_flow(place, net, "one", "two"), open_flow(place, net, "two", "one")
    reload(br1="", br2="routed: allow")
    assert goes_on(there)
    assert not any(passes(flow, flow.client, MOMENT) for flow in back), "begun by whom may no longer begin"
    reload(br1="", br2="routed: published")
    assert is_cut(before + there + back), "by nobody's DNAT"


@with_each(TWO)
def test_errors_about_what_is_let_in_come_back_both_ways(place, head):
    net = Routed(place, "br1", "br2")
    Service(place, head + "\n" + bridges(br1="", br2="routed: allow"))
    one, two = net.guest("one", "br1", 2), net.guest("two", "br2", 2)
    small, other_small = Behind(two), Behind(one)
    for family in "46":
        assert much_passes(one, small, family), "a router at the target says that packets are too big"
        assert is_unreachable(one, two.addresses[family], 9)
        assert not is_unreachable(two, one.addresses[family], 9, patience=0.4)
        assert much_passes(other_small, two, family, back=True), "a router on the other side says so of answers"


PUBLISH = """
table ip nat {
  chain prerouting {
    type nat hook prerouting priority dstnat;
    ip daddr 10.99.255.254 tcp dport 8080 dnat to 10.2.0.2:80
    ip daddr 10.99.255.254 udp dport 8080 dnat to 10.2.0.2:80
    ip daddr 10.99.255.254 udp dport 8009 dnat to 10.2.0.2:9
    ip daddr 10.99.255.254 tcp dport 8081 dnat to 10.102.0.2:9999
  }
  chain postrouting {
    type nat hook postrouting priority srcnat;
    MASQUERADE
  }
}
table ip6 nat {
  chain prerouting {
    type nat hook prerouting priority dstnat;
    ip6 daddr fd00:99::ffff tcp dport 8080 dnat to [fd00:2::2]:80
    ip6 daddr fd00:99::ffff udp dport 8080 dnat to [fd00:2::2]:80
  }
}
"""
MASQUERADES = {"alone": "", "beside masquerade": """ip saddr 10.2.0.0/16 oifname != "br2" masquerade
    ip saddr 10.1.0.0/16 oifname != "br1" masquerade"""}


def over_the_host(net, senders, receiver="two"):
    """Attempts at the host's published port."""
    return [Attempt(net.guests[name], net.guests[receiver], kind, 8080, HOST if kind[-1] == "4" else "fd00:99::ffff")
            for name in senders for kind in KINDS if not kind.startswith("icmp")]


def published(*senders):
    return names(*[f"{name}>two" for name in senders], kinds=KINDS[:4], ports=[8080])


def published_network(place, masquerade, head=""):
    net = Routed(place, "br1", "br2")
    nft("-f", "-", stdin=PUBLISH.replace("MASQUERADE", masquerade))
    net.outside()
    net.guest("one", "br1", 2), net.guest("two", "br2", 2), net.guest("own", "br2", 3)
    return net


BEYOND = ("outside>one", "outside>two", "outside>own", "one>outside", "two>outside", "own>outside")


@with_each({f"{kind}, {name}": (head, masquerade)
            for kind, head in TWO.items() for name, masquerade in MASQUERADES.items()}, "head, masquerade")
def test_what_is_published_may_be_reached_over_the_host_alone(place, head, masquerade):
    net = published_network(place, masquerade)
    service = Service(place, head + "\n" + bridges(br1="", br2="routed: published"))
    senders = ("outside", "one", "own")
    net.assert_passes(published("outside", "one"), attempts=over_the_host(net, senders))
    net.assert_passes(names(*BEYOND))
    assert is_unreachable(net.guests["one"], HOST, 8009), "errors come back"
    assert much_passes(net.guests["one"], Behind(net.guests["two"]), "4", HOST, 8081), "of a router too"
    flow = [Connection(place, net.guests["one"], net.guests["two"].listeners[1], (HOST, 8080))]
    assert goes_on(flow)
    service.write(head + "\n" + bridges(br1="", br2=""))
    service.client.post("/v1/reload")
    assert is_cut(flow)
    net.assert_passes(published("outside"), attempts=over_the_host(net, senders))
    net.assert_passes(names(*BEYOND))


@with_each(TWO)
def test_a_link_is_good_for_a_published_port_too(place, head):
    net = published_network(place, "")
    service = Service(place, head + "\n" + bridges(br1="", br2=""))
    one, two, own = (net.guests[name] for name in ("one", "two", "own"))
    add(service, two=two.record([OTHER, f"{OTHER}/udp"]), one=one.record(links=["two"]), own=own.record(links=["two"]))
    flow = open_flow(place, net, "one", "two", HOST, 8080)
    net.assert_passes(published("outside", "one"), attempts=over_the_host(net, ("outside", "one")))
    service.client.delete("/v1/links/one/two")
    assert is_cut(flow)
    net.assert_passes(published("outside"), attempts=over_the_host(net, ("outside", "one")))


@with_each(TWO)
def test_of_two_parents_with_one_address_each_has_its_own_link(place, head):
    net = Routed(place, "br1", "br2", "br3")
    service = Service(place, head + "\n" + bridges(br1="", br2="", br3=""))
    redis, one, three = net.guest("redis", "br2", 2), net.guest("one", "br1", 2, "4"), net.guest("three", "br3", 2, "4")
    three.ip("address add 10.1.0.2/32 dev eth0", "route replace default via 10.3.255.254 src 10.1.0.2")
    three.addresses = {"4": "10.1.0.2"}
    add(service, redis=redis.record(BOTH), one=one.record(links=["redis"]), three=three.record(links=["redis"]))

    def is_linked(name):
        ip(f"route replace 10.1.0.2/32 dev {net.guests[name].bridge}")  # whose the address is at present, for the host
        net.assert_passes(linked(f"{name}>redis", families="4"), pairs=[f"{name}>redis", f"redis>{name}"])
    is_linked("three")
    is_linked("one")
    flows = open_flows(place, net, "one", families="4")
    service.client.delete("/v1/links/three/redis")
    assert goes_on(flows)
    ip("route replace 10.1.0.2/32 dev br3")
    net.assert_passes(set(), pairs=["three>redis", "redis>three"])
    ip("route replace 10.1.0.2/32 dev br1")
    is_linked("one")
    service.client.put("/v1/links/three/redis", {"child": "redis"})
    service.client.delete("/v1/links/one/redis")
    assert not any(passes(flow, flow.client, MOMENT) for flow in flows), "what it sends"
    is_linked("three")
    service.client.delete("/v1/links/three/redis")
    assert is_cut(flows)


@with_each(TWO)
def test_where_both_share_a_bridge_the_link_holds_there_alone(place, head):
    net = Routed(place, "br1", "br2", "br3")
    service = Service(place, head + "\n" + bridges(br1="", br2="", br3=""))
    web1, web2 = net.guest("web1", "br1", 2), net.guest("web2", "br2", 2)
    redis2, redis3 = net.guest("redis2", "br2", 3), net.guest("redis3", "br3", 3)
    of_web, of_redis = ({guest.bridge: list(guest.addresses.values()) for guest in guests}
                        for guests in ((web1, web2), (redis2, redis3)))
    add(service, redis={"networks": of_redis, "expose": BOTH}, web={"networks": of_web, "links": ["redis"]})
    net.assert_passes(linked("web2>redis2"))
    # The bridge that they shared is taken away: it goes by routing, from where the parent is left.
    service.client.put("/v1/containers/web", {"networks": {"br1": of_web["br1"]}, "links": ["redis"]}, status=200)
    net.assert_passes(linked("web1>redis2", "web1>redis3"))


REACHABLE = """
containers:
  db: {networks: {br2: ['fd00:2::5', 10.2.0.5], br3: [10.3.0.5]}, expose: [6379]}
  old: {bridge: br3, addresses: [10.3.0.6], expose: [6379]}
  across: {bridge: br1, addresses: [10.1.0.2, 'fd00:1::2'], links: [db]}
  six: {bridge: br1, addresses: ['fd00:1::3'], links: [db, old]}
  beside: {networks: {br1: ['fd00:1::4'], br2: ['fd00:2::4']}, links: [db]}
  four: {bridge: br3, addresses: [10.3.0.7], links: [db]}
  both: {networks: {br2: ['fd00:2::8'], br3: [10.3.0.8]}, links: [db]}
"""
ADDRESSES = {("across", "db"): "10.2.0.5", ("six", "db"): "fd00:2::5", ("six", "old"): None,
             ("beside", "db"): "fd00:2::5", ("four", "db"): "10.3.0.5", ("both", "db"): "10.3.0.5"}


def test_variables_and_hosts_have_an_address_that_the_parent_may_reach(place):
    service = Service(place, REACHABLE)
    place.nftlink("check")
    for (parent, child), address in ADDRESSES.items():
        prefix, env = child.upper(), place.nftlink("env", parent).stdout.splitlines()
        line = f"{prefix}_PORT_6379_TCP_ADDR={address}"
        assert line in env if address else not any(each.startswith(f"{prefix}_PORT") for each in env), (parent, env)
        assert f"{prefix}_NAME=/{parent}/{child}" in env, (parent, env)
        hosts = [each.split() for each in place.nftlink("hosts", parent).stdout.splitlines()]
        assert [each[0] for each in hosts if each[1] == child] == ([address] if address else []), (parent, hosts)
        assert service.client.get(f"/v1/containers/{parent}/env"), parent
    assert "DB_PORT=tcp://[fd00:2::5]:6379" in place.nftlink("env", "six").stdout.splitlines()


def test_a_bridge_that_comes_later_or_by_a_pattern_is_closed_too(place):
    net = Routed(place, "br1")
    Service(place, "bridges: {br1: {}, br-*: {}}")
    net.guest("one", "br1", 2)
    net.bridge("br-late", 7)
    eventually(lambda: "br-late" in nft("list", "table", "inet", "nftlink"))
    net.guest("late", "br-late", 2)
    net.assert_passes(set())
