"""Frames that no rule about IP sees: on a bridge with icc: deny none comes from one container to another."""
import functools
import itertools
import signal
import subprocess

import pytest

from support import programs
from support.frames import Wire, all_frames, come_through
from support.guest import ip
from support.process import run
from support.routed import EXPOSED, KINDS, Routed, linked
from support.ruleset import generation, knows_bridges_by_name, nft, ruleset
from support.service import Service, eventually

FRAMES = "table bridge nftlink-frames"
NAMES = ("redis", "web", "stranger")
PAIRS = tuple(itertools.permutations(NAMES, 2))
HEADS = {"sets": "", "rules": "firewall: {layout: rules}", "ip": "firewall: {family: ip}",
         "another name": "firewall: {table: other, replies: source-port}", "bridge": "firewall: {family: bridge}"}


def bridge_state(service, name="br1"):
    return next(bridge for bridge in service.status()["bridges"] if bridge["bridge"] == name)


def frames_table(name="nftlink-frames"):
    """Its text; none where there is none."""
    done = subprocess.run(["nft", "list", "table", "bridge", name], capture_output=True, text=True, check=False)
    return done.stdout


def words(text):
    """Those of a listing, in which elements come in another order each time."""
    return sorted(text.replace(",", " ").split())


@functools.cache
def by_name():
    """Whether the table goes by the bridges' names; else it does by their ports'."""
    return knows_bridges_by_name()


def skip_impossible(head):
    if "family: bridge" in head and not by_name():
        pytest.skip("this kernel knows no bridges by name")


def holds(*names):
    return {f'"{name}"' for name in names} <= set(words(frames_table()))


def eventually_known(*ports, gone=(), patience=1):
    """Waits, where the table goes by ports, until these are in it, and those that are gone are not."""
    if not by_name():
        eventually(lambda: holds(*ports) and not any(map(holds, gone)), patience)


def network(place):
    """A bridge with three containers."""
    net = Routed(place, "br1")
    for number, name in enumerate(NAMES, 2):
        net.guest(name, "br1", number)
    return net, {name: Wire(net.guests[name]) for name in NAMES}


def records(net):
    redis, web = net.guests["redis"], net.guests["web"]
    return {"redis": redis.record([EXPOSED, f"{EXPOSED}/udp"]), "web": web.record(links=["redis"])}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_no_strange_frame_comes_through_of_whoever_is_linked_too_while_links_and_ARP_and_ND_work(place, head):
    skip_impossible(head)
    net, wires = network(place)
    service = Service(place, head + "\nbridges: {br1: {}}")
    service.client.post("/v1/transaction", {"put": {"containers": records(net)}})
    assert come_through(wires, PAIRS) == set()
    for guest in net.guests.values():
        guest.ip("neighbour flush dev eth0")
    families = "4" if "family: ip" in head else "46"
    kinds = [kind for kind in KINDS if kind[-1] in families]
    net.assert_passes(linked("web>redis", families=families), kinds=kinds)


def test_what_a_configuration_leaves_comes_through_and_status_says_so(place):
    net, wires = network(place)
    service = Service(place, "bridges: {br1: {other_frames: allow}}")
    assert come_through(wires, PAIRS, all_frames(PAIRS)) == all_frames(PAIRS)
    state = bridge_state(service)
    opened = [(each["what"], each["chosen"]) for each in state["open"]]
    assert state["enforced"] and opened == [("other_frames", True)], state
    net.assert_passes(set())
    for policy, passing in (("icc: allow", all_frames(PAIRS)), ("", set())):
        service.write(f"bridges: {{br1: {{{policy}}}}}")
        service.client.post("/v1/reload")
        assert come_through(wires, PAIRS, passing) == passing, policy
    assert "other_frames" in bridge_state(service)["closed"]


def bridges_filter_tags():
    probe = ["unshare", "--net", "ip", "link", "add", "probe", "type", "bridge", "vlan_filtering", "1"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def test_a_bridge_that_takes_tags_off_itself_lets_none_through(place):
    if not bridges_filter_tags():
        pytest.skip("this kernel's bridges don't filter VLANs")
    net, wires = network(place)
    ip("link set br1 type bridge vlan_filtering 1")
    service = Service(place, "bridges: {br1: {}}")
    service.client.post("/v1/transaction", {"put": {"containers": records(net)}})
    assert come_through(wires, PAIRS) == set()
    net.assert_passes(linked("web>redis"))


def tagged_by(bridge, access=(), trunk=()):
    """That bridge filters VLANs from now on: access ports are in 5 alone, without tags; trunks carry 5 and 6, tagged."""
    ip(f"link set {bridge} type bridge vlan_filtering 1")
    for port in access:
        run("bridge", "vlan", "delete", "dev", port, "vid", 1)
        run("bridge", "vlan", "add", "dev", port, "vid", 5, "pvid", "untagged")
    for port in trunk:
        run("bridge", "vlan", "add", "dev", port, "vid", "5-6")


@pytest.mark.parametrize("head", ("", HEADS["bridge"]), ids=("inet", "bridge"))
def test_no_tagged_frame_comes_from_a_trunk_to_an_access_port_while_links_of_access_ports_work(place, head):
    if not bridges_filter_tags():
        pytest.skip("this kernel's bridges don't filter VLANs")
    skip_impossible(head)
    net, wires = network(place)
    tagged_by("br1", access=["redis", "web"], trunk=["stranger"])
    into_access = [("stranger", "redis"), ("stranger", "web")]
    from_trunk = all_frames(into_access, ["VLAN 5", "VLAN 5, IPv6", "VLAN 5, ARP"])
    assert from_trunk <= come_through(wires, PAIRS, from_trunk), "the bridge takes the tag off"
    service = Service(place, head + "\nbridges: {br1: {}}")
    service.client.post("/v1/transaction", {"put": {"containers": records(net)}})
    eventually_known(*NAMES)
    assert come_through(wires, PAIRS) == set()
    net.assert_passes(linked("web>redis"))
    if by_name():
        service.process.send_signal(signal.SIGSTOP)  # it is as slow as can be
    wires["new"] = Wire(net.guest("new", "br1", 10))
    tagged_by("br1", trunk=["new"])
    eventually_known("new")
    pairs = [pair for known in NAMES for pair in (("new", known), (known, "new"))]
    assert come_through(wires, pairs) == set(), "a new trunk is no way around"


def test_other_bridges_are_left_alone(place):
    net = Routed(place, "br1", "br2")
    for number, (name, bridge) in enumerate((("one", "br1"), ("two", "br1"), ("three", "br2"), ("four", "br2")), 2):
        net.guest(name, bridge, number)
    wires = {name: Wire(guest) for name, guest in net.guests.items()}
    Service(place, "bridges: {br1: {}}")
    pairs = (("one", "two"), ("three", "four"), ("four", "three"))
    assert come_through(wires, pairs, all_frames(pairs[1:])) == all_frames(pairs[1:])


def test_a_new_container_is_no_way_around(place):
    net, wires = network(place)
    service = Service(place, "bridges: {br1: {}}")
    service.process.send_signal(signal.SIGSTOP)  # it is as slow as can be
    wires["new"] = Wire(net.guest("new", "br1", 10))
    pairs = [pair for known in NAMES for pair in (("new", known), (known, "new"))]
    assert come_through(wires, pairs) == set(), "before it is seen"
    service.process.send_signal(signal.SIGCONT)
    wires["newer"] = Wire(net.guest("newer", "br1", 11))
    pairs = [pair for pair in itertools.permutations(wires, 2) if "new" in "".join(pair)]
    eventually_known(*wires)
    assert come_through(wires, pairs, chosen=["VLAN 0", "VLAN 5", "PPPoE", "MACsec"]) == set(), "and afterwards"


def test_a_port_that_goes_is_forgotten_and_one_that_comes_back_is_known(place):
    net, wires = network(place)
    ip("link add free type bridge", "link set free up")
    Service(place, "bridges: {br1: {}}")
    eventually_known("web")
    pairs = (("web", "redis"), ("redis", "web"))
    ip("link set web master free", "link set redis master free")
    eventually_known(gone=["web", "redis"])
    assert come_through(wires, pairs, all_frames(pairs)) == all_frames(pairs), "on a bridge that is not policed"
    ip("link set web master br1", "link set redis master br1")
    eventually_known(*NAMES)
    assert come_through(wires, pairs) == set()
    ip("link set web down", "link set web name renamed", "link set renamed up")
    eventually_known("renamed", gone=["web"])
    assert come_through(wires, pairs) == set()
    ip("link delete stranger")
    eventually_known(gone=["stranger"])
    ip("link set renamed nomaster")
    eventually_known("redis", gone=["renamed"])


def test_many_ports_that_come_and_go_at_once_and_a_restart_that_writes_nothing(place):
    network(place)
    service = Service(place, "bridges: {br1: {}, br-*: {}}")
    ip("link add br-late type bridge")
    eventually(lambda: holds("br-late") or not by_name(), patience=1)
    without_ports = generation()
    ends = [f"p{number}" for number in range(300)]
    ip(*(f"link add {end} type veth peer name {end}x" for end in ends),
       *(f"link set {end} master {'br1' if number % 2 else 'br-late'}" for number, end in enumerate(ends)))
    eventually_known(*ends, *NAMES, patience=3)
    assert service.status()["heals"] == 0, "the table was never wrong"
    before, listing = generation(), frames_table()
    service.stop()
    service.start()
    assert generation() == before and words(frames_table()) == words(listing)
    ip(*(f"link delete {end}" for end in ends))
    eventually_known(gone=ends, patience=3)
    assert (generation() == without_ports) is by_name(), "names of bridges don't change with their ports"


def test_a_table_that_is_taken_away_or_emptied_is_there_again(place):
    net, wires = network(place)
    service = Service(place, "bridges: {br1: {}}")
    before = frames_table()
    assert before.startswith(FRAMES)
    element = 'closed { "br1" }' if by_name() else 'ports { "web" }'
    for change in (f"delete {FRAMES}", f"flush {FRAMES}", "flush ruleset",
                   f"delete element bridge nftlink-frames {element}"):
        heals = service.status()["heals"]
        nft("-f", "-", stdin=change)
        eventually(lambda: service.status()["heals"] > heals and words(frames_table()) == words(before), patience=5)
    assert come_through(wires, PAIRS) == set()


def test_a_table_of_others_of_that_name_is_refused_and_left_alone(place):
    ip("link add br1 type bridge")
    nft("-f", "-", stdin=FRAMES + " { chain theirs { type filter hook forward priority 0; accept; }; }")
    place.write("bridges: {br1: {}}")
    before, listing = generation(), ruleset()
    for verb in ("plan", "apply"):
        failed = place.nftlink(verb, status=1)
        assert failed.stdout == "" and f"{FRAMES} exists and is not nftlink's" in failed.stderr, failed
    head = f"control: {{socket: {place.folder}/s}}\nstate: {{directory: {place.folder}/state}}\n"
    place.write(head + "bridges: {br1: {}}")
    done = subprocess.run([programs.nftlinkd, "-c", place.file], capture_output=True, text=True,
                          timeout=30, check=False)
    assert done.returncode == 1 and f"{FRAMES} exists and is not nftlink's" in done.stderr, done
    assert place.nftlink("clear").stdout == ""
    assert generation() == before and ruleset() == listing
    place.write("firewall: {table: other}\nbridges: {br1: {}}")
    place.nftlink("apply")
    assert frames_table("other-frames") and frames_table() in nft("list", "ruleset")
    nft("-f", "-", stdin="table ip filter { chain FORWARD { type filter hook forward priority 0; }; }")
    place.write("firewall: {layout: rules, attach: [{family: ip, table: filter, chain: FORWARD}]}\nbridges: {br1: {}}")
    place.nftlink("apply")
    assert frames_table("other-frames") == "" and "theirs" in frames_table(), "a name that isn't needed is anybody's"


def test_one_that_comes_while_the_service_runs_is_told_and_left(place):
    ip("link add br1 type bridge")
    service = Service(place, "bridges: {br1: {}}")
    nft("-f", "-", stdin=f"delete {FRAMES}\n{FRAMES} {{ chain theirs {{ accept; }}; }}")
    eventually(lambda: service.status()["in_force"] is False)
    status = service.status()
    assert FRAMES in status["last_error"]["message"] and bridge_state(service)["enforced"] is False, status
    nft("-f", "-", stdin=f"delete {FRAMES}")
    eventually(lambda: service.status()["in_force"] and bridge_state(service)["enforced"])
    assert "theirs" not in frames_table()


def test_the_commands_make_it_and_clear_takes_it_away(place):
    net, wires = network(place)
    place.write("bridges: {br1: {}}")
    planned = place.nftlink("plan", status=2).stdout
    assert f"add {FRAMES}" in planned
    assert place.nftlink("apply").stdout == planned and frames_table()
    before = generation()
    assert place.nftlink("apply").stdout == "" and generation() == before
    assert come_through(wires, PAIRS) == set()
    nft("-f", "-", stdin=place.nftlink("render").stdout)
    assert come_through(wires, PAIRS) == set()
    assert f"delete {FRAMES}" in place.nftlink("clear").stdout and ruleset() == []


def test_attached_rules_bring_none_unless_it_is_asked_for(place):
    net, wires = network(place)
    run("iptables-nft", "-P", "FORWARD", "ACCEPT")
    attach = "firewall: {layout: rules, attach: [{family: ip, table: filter, chain: FORWARD}]}\n"
    service = Service(place, attach + "bridges: {br1: {}}")
    assert come_through(wires, PAIRS, all_frames(PAIRS)) == all_frames(PAIRS) and frames_table() == ""
    service.write(attach + "bridges: {br1: {other_frames: deny}}")
    service.client.post("/v1/reload")
    assert come_through(wires, PAIRS) == set() and frames_table()
    assert "other_frames" in bridge_state(service)["closed"]
    service.write(attach + "bridges: {br1: {}}")
    service.client.post("/v1/reload")
    assert come_through(wires, PAIRS, all_frames(PAIRS)) == all_frames(PAIRS) and frames_table() == ""
