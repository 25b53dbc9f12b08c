"""What nftlinkd says about bridges: whether a policy is enforced there, and what it does about it."""
import pathlib

from support.guest import Guest
from support.process import run
from support.ruleset import nft
from support.service import SEED, Service, add_bridge, container, eventually

SWITCHES = ("nf_call_iptables", "nf_call_ip6tables")


def bridge_state(service, name="docker0"):
    return next(bridge for bridge in service.status()["bridges"] if bridge["bridge"] == name)


def switches(name="docker0"):
    details = run("ip", "-d", "link", "show", name).stdout
    return all(f"{switch} 1" in details for switch in SWITCHES)


def switch_globally(value):
    for name in ("iptables", "ip6tables"):
        pathlib.Path(f"/proc/sys/net/bridge/bridge-nf-call-{name}").write_text(value, encoding="ascii")


def test_a_bridge_that_is_there_is_enforced_from_the_start(place):
    add_bridge()
    service = Service(place)
    assert bridge_state(service) == {
        "bridge": "docker0", "icc": "deny", "routed": "deny", "present": True, "enforced": True, "reason": "",
        "closed": ["ipv4", "ipv6", "between_bridges", "other_frames"], "open": []}
    assert switches()


def test_a_bridge_may_come_later_go_and_come_again(place):
    service = Service(place)
    events, state = service.events(), bridge_state(service)
    assert state["present"] is False and state["enforced"] is False and "does not exist" in state["reason"], state
    for _ in range(2):
        add_bridge()
        events.until("bridge", bridge="docker0", enforced=True, reason="")
        assert switches()
        state = bridge_state(service)
        assert state["present"] is True and state["enforced"] is True and state["reason"] == "", state
        run("ip", "link", "delete", "docker0")
        gone = events.until("bridge", bridge="docker0", enforced=False)
        state = bridge_state(service)
        assert state["present"] is False and state["enforced"] is False and state["reason"] == gone["reason"] != "", state
    assert service.status()["heals"] == 0, "the ruleset was never wrong"


def listens(place, guest, address, port):
    """The guest takes connections there."""
    listener = guest.socket()
    place.endings.callback(listener.close)
    listener.bind((address, port))
    listener.listen()


def reaches(guest, address, port, patience):
    with guest.socket() as client:
        client.settimeout(patience)
        try:
            client.connect((address, port))
        except TimeoutError:
            return False
    return True


def test_a_bridge_that_fits_a_pattern_is_policed_as_long_as_it_is_there(place):
    service = Service(place, "bridges: {docker0: {}, br-*: {}}")
    events = service.events()
    for _ in range(2):
        add_bridge("br-app")
        add_bridge("other")
        events.until("bridge", bridge="br-app", enforced=True)
        assert switches("br-app") and not switches("other")
        assert [bridge["bridge"] for bridge in service.status()["bridges"]] == ["br-app", "docker0"]
        run("ip", "link", "delete", "br-app")
        run("ip", "link", "delete", "other")
        eventually(lambda: [bridge["bridge"] for bridge in service.status()["bridges"]] == ["docker0"])
        assert "br-app" not in nft("list", "ruleset")
    assert service.status()["heals"] == 0, "the ruleset was never wrong"


def test_nothing_passes_on_a_bridge_that_fits_a_pattern_but_links(place):
    service = Service(place, "bridges: {br-*: {}}")
    events = service.events()
    add_bridge("br-app")
    run("ip", "link", "set", "br-app", "up")
    events.until("bridge", bridge="br-app", enforced=True)
    redis, web = Guest(place, "redis", "172.17.0.2", "br-app"), Guest(place, "web", "172.17.0.3", "br-app")
    for port in (6379, 80):
        listens(place, redis, "172.17.0.2", port)
    assert not reaches(web, "172.17.0.2", 6379, patience=0.5), "nobody has named the bridge, and no container is on it"
    service.client.put("/v1/containers/redis", container("172.17.0.2", expose=[6379], bridge="br-app"))
    service.client.put("/v1/containers/web", container("172.17.0.3", links=["redis"], bridge="br-app"))
    assert reaches(web, "172.17.0.2", 6379, patience=5)
    assert not reaches(web, "172.17.0.2", 80, patience=0.5)


def sysfs(place):
    """The bridge's folder; sysfs shows the namespace that it was mounted in."""
    folder = place.folder / "sys"
    folder.mkdir()
    run("mount", "-t", "sysfs", "sysfs", folder)
    place.endings.callback(run, "umount", "-l", folder)
    return folder / "class/net/docker0/bridge"


def test_a_bridges_netfilter_that_is_switched_off_is_switched_on_again(place):
    add_bridge()
    run("ip", "link", "set", "docker0", "up")
    switch, service = sysfs(place) / SWITCHES[1], Service(place)
    events = service.events()
    for _ in range(3):
        switch.write_text("0")
        told = events.until("bridge", bridge="docker0", enforced=True)
        assert switches() and "hooks were off" in told["reason"], told
    assert bridge_state(service)["enforced"] is True
    assert service.log().count("bridge docker0: switched its netfilter hooks on") == 4, "at the start and each time"


def test_a_switch_that_sends_no_message_is_seen_in_time_and_never_told_as_enforced(place):
    add_bridge()
    service = Service(place)
    run("ip", "link", "set", "docker0", "type", "bridge", "nf_call_iptables", "0")
    told = service.client.send("GET", "/metrics").text
    assert switches() or 'nftlink_bridge_enforced{bridge="docker0"} 0' in told, "enforced, as it says, and in truth is not"
    run("ip", "link", "set", "docker0", "type", "bridge", "nf_call_iptables", "0")
    told = bridge_state(service)["enforced"]
    assert switches() or not told, "enforced, as it says, and in truth is not"
    eventually(switches)
    assert bridge_state(service)["enforced"] is True


def test_a_bridge_that_comes_after_the_global_switches_went_off_is_switched_on(place):
    switch_globally("1")
    place.endings.callback(switch_globally, "0")
    add_bridge()
    Service(place, "bridges: {docker0: {}, 'br-*': {}}\n")
    assert not switches(), "which it doesn't need"
    switch_globally("0")
    add_bridge("br-new")
    eventually(lambda: switches("br-new") and switches())


def test_global_switches_that_go_off_are_seen_when_they_are_asked_for(place):
    switch_globally("1")
    place.endings.callback(switch_globally, "0")
    add_bridge()
    run("ip", "link", "set", "docker0", "up")
    service = Service(place)
    switch_globally("0")
    told = bridge_state(service)["enforced"]
    assert switches() or not told, "enforced, as it says, and in truth is not"
    eventually(switches)


def test_other_bridges_and_the_global_switches_are_left_alone(place):
    add_bridge()
    add_bridge("other")
    service = Service(place, "bridges: {open: {icc: allow}}\n" + SEED)
    assert switches() and not switches("other")
    for name in ("iptables", "ip6tables"):
        assert pathlib.Path(f"/proc/sys/net/bridge/bridge-nf-call-{name}").read_text() == "0\n"
    assert bridge_state(service)["enforced"] is True
