"""What is said about enforcement: what is closed on each bridge, what is open, and whether by choice."""
import pytest

from support.guest import ip
from support.process import run
from support.ruleset import knows_bridges_by_name, nft
from support.service import Service, eventually

CLOSED = {"ipv4", "ipv6", "between_bridges", "other_frames"}
WORDS = CLOSED | {"ended_links"}  # said only where they go on
ATTACHED = "firewall: {layout: rules, attach: [{family: inet, table: fw, chain: forward}]}\n"
IN_RULES = "firewall: {layout: rules}\n"

# By name: the configuration, and what it leaves open.
CHOICES = {
    "default": ("bridges: {br1: {}}", set()),
    "rules": (IN_RULES + "bridges: {br1: {}}", set()),
    "source-port": ("firewall: {replies: source-port}\nbridges: {br1: {}}", set()),
    "family ip": ("firewall: {family: ip}\nbridges: {br1: {}}", {"ipv6", "between_bridges"}),
    "other frames": ("bridges: {br1: {other_frames: allow}}", {"other_frames"}),
    "published": ("bridges: {br1: {routed: published}}", {"between_bridges"}),
    "routed": ("bridges: {br1: {routed: allow}}", {"between_bridges"}),
    "several": ("firewall: {family: ip}\nbridges: {br1: {routed: allow, other_frames: allow}}",
                {"ipv6", "between_bridges", "other_frames"}),
    "attached": (ATTACHED + "bridges: {br1: {}}", {"between_bridges", "other_frames", "ended_links"}),
    "attached, without other frames": (ATTACHED + "bridges: {br1: {other_frames: deny}}",
                                       {"between_bridges", "ended_links"}),
    "attached for IPv4": (ATTACHED.replace("inet, table: fw", "ip, table: fw4") + "bridges: {br1: {}}",
                          {"ipv6", "between_bridges", "other_frames", "ended_links"}),
    "base rules": (IN_RULES + "bridges: {br1: {base_rules: true}}", {"ended_links", "between_bridges"}),
}


def bridge_state(service, name="br1"):
    state = next(bridge for bridge in service.status()["bridges"] if bridge["bridge"] == name)
    assert_sound(state)
    return state


def assert_sound(state):
    """Nothing is left unsaid, and enforced means what it says."""
    opened = [each["what"] for each in state["open"]]
    assert len(opened) == len(set(opened)) and len(state["closed"]) == len(set(state["closed"])), state
    assert set(opened) <= WORDS and set(state["closed"]) <= CLOSED and not set(opened) & set(state["closed"]), state
    assert all(each["why"] for each in state["open"]), state
    if state["enforced"]:
        assert set(opened) | set(state["closed"]) >= CLOSED and state["reason"] == "" and state["present"], state
        assert all(each["chosen"] is True for each in state["open"]), state


def opened(state):
    return {each["what"]: each["chosen"] for each in state["open"]}


def said(words, text):
    """Whether all of these words are named, written as people do."""
    return all(word.replace("_", " ") in text.lower().replace("_", " ") for word in words)


def status_lines(place):
    return place.nftlink("status").stdout.splitlines()


def add_bridge(name="br1"):
    ip(f"link add {name} type bridge", f"link set {name} up")


def add_foreign_chains():
    for table in ("inet fw", "ip fw4"):
        nft("-f", "-", stdin=f"table {table} {{ chain forward {{ type filter hook forward priority 0; }}; }}")


@pytest.mark.parametrize("text, left_open", CHOICES.values(), ids=CHOICES)
def test_what_a_configuration_leaves_open_is_enforced_and_named(place, text, left_open):
    add_foreign_chains()
    add_bridge()
    service = Service(place, text)
    state = bridge_state(service)
    assert state["enforced"] is True and opened(state) == {word: True for word in left_open}, state
    assert state == place.record("status")["bridges"][0], "the command says what the service says"
    (line,) = [line for line in status_lines(place) if "br1 " in line and "icc" in line]
    head, _, named = line.partition(" enforced, but open: ")
    assert said(left_open, named) if left_open else line.endswith(" enforced"), line
    assert not said(WORDS - left_open, named) and not any(said([word], named) for word in WORDS - left_open), line
    assert not any("NOT ENFORCED" in line for line in status_lines(place))
    assert 'nftlink_bridge_enforced{bridge="br1"} 1' in service.client.send("GET", "/metrics").text


def test_a_bridge_where_all_may_talk_says_so(place):
    add_bridge()
    service = Service(place, "bridges: {br1: {icc: allow}}")
    state = bridge_state(service)
    assert state["icc"] == "allow" and state["routed"] == "deny" and state["enforced"] is True, state
    assert "between_bridges" in state["closed"] and opened(state)["other_frames"] is True, state


def test_each_bridge_has_its_own_truth(place):
    for name in ("br1", "br2", "br3"):
        add_bridge(name)
    service = Service(place, "bridges: {br1: {}, br2: {routed: published}, br3: {other_frames: allow}, br4: {}}")
    states = {state["bridge"]: state for state in service.status()["bridges"]}
    assert {name: set(opened(state)) for name, state in states.items() if name != "br4"} == \
        {"br1": set(), "br2": {"between_bridges"}, "br3": {"other_frames"}}, states
    assert {name: state["routed"] for name, state in states.items()} == \
        {"br1": "deny", "br2": "published", "br3": "deny", "br4": "deny"}
    assert [name for name, state in states.items() if not state["enforced"]] == ["br4"]


def test_what_holds_follows_the_configuration(place):
    add_bridge()
    service = Service(place, "bridges: {br1: {}}")
    events = service.events()
    for text, left_open in CHOICES.values():
        if "attach" not in text:
            service.write(text)
            service.client.post("/v1/reload")
            assert opened(bridge_state(service)) == {word: True for word in left_open}, text
    events.close()


def assert_not_enforced(service, reason):
    state = bridge_state(service)
    assert state["enforced"] is False and reason in state["reason"], state
    lines = status_lines(service.place)
    assert any(line.startswith("NOT ENFORCED on br1: ") and reason in line for line in lines), lines
    (line,) = [line for line in lines if "br1 " in line and "icc" in line]
    assert "NOT enforced" in line and not line.endswith(" enforced"), line
    (policy,) = [line for line in lines if line.startswith("policy ")]
    assert policy.removeprefix("policy").strip() != "in force" and "NOT" in policy, policy
    assert 'nftlink_bridge_enforced{bridge="br1"} 0' in service.client.send("GET", "/metrics").text
    return state


def test_a_bridge_that_is_missing_enforces_nothing(place):
    service = Service(place, "bridges: {br1: {}}")
    assert assert_not_enforced(service, "does not exist")["present"] is False
    add_bridge()
    eventually(lambda: bridge_state(service)["enforced"])
    assert opened(bridge_state(service)) == {}
    run("ip", "link", "delete", "br1")
    eventually(lambda: not bridge_state(service)["enforced"])
    assert assert_not_enforced(service, "does not exist")["present"] is False


def test_an_interface_that_is_no_bridge_is_called_that(place):
    ip("link add br1 type veth peer name other", "link set br1 up")
    service = Service(place, "bridges: {br1: {}}")
    assert_not_enforced(service, "no bridge")
    ip("link delete br1")
    eventually(lambda: not bridge_state(service)["present"])
    assert_not_enforced(service, "does not exist")
    add_bridge()
    eventually(lambda: bridge_state(service)["enforced"])


def switches():
    details = run("ip", "-d", "link", "show", "br1").stdout
    texts = {"ipv4": "nf_call_iptables 1", "ipv6": "nf_call_ip6tables 1"}
    return {family for family, text in texts.items() if text in details}


def test_a_switch_that_is_off_is_open_and_nobodys_choice(place):
    add_bridge()
    service = Service(place, "bridges: {br1: {}}")
    for switch, family in (("nf_call_iptables", "ipv4"), ("nf_call_ip6tables", "ipv6")):
        for _ in range(10):
            run("ip", "link", "set", "br1", "type", "bridge", switch, "0")
            state = bridge_state(service)
            if family not in switches():
                assert state["enforced"] is False and opened(state)[family] is False, state
            eventually(lambda: family in switches())
        eventually(lambda: bridge_state(service)["enforced"])
        assert opened(bridge_state(service)) == {}


def test_a_chain_that_is_missing_closes_nothing(place):
    add_bridge()
    service = Service(place, ATTACHED + "bridges: {br1: {other_frames: deny}}")
    state = bridge_state(service)
    assert state["enforced"] is False and not {"ipv4", "ipv6", "between_bridges"} & set(state["closed"]), state
    assert "does not exist" in state["reason"] and opened(state)["ipv4"] is False, state
    add_foreign_chains()
    eventually(lambda: bridge_state(service)["enforced"])
    assert opened(bridge_state(service)) == {"between_bridges": True, "ended_links": True}


def test_a_table_of_others_in_our_place_closes_nothing(place):
    add_bridge()
    service = Service(place, "bridges: {br1: {}}")
    nft("-f", "-", stdin="delete table inet nftlink\ntable inet nftlink { chain theirs { accept; }; }")
    eventually(lambda: service.status()["in_force"] is False)
    state = bridge_state(service)
    assert state["enforced"] is False and not {"ipv4", "ipv6", "between_bridges"} & set(state["closed"]), state


def test_check_does_not_call_ok_what_this_kernel_can_not_do(place):
    if knows_bridges_by_name():
        pytest.skip("this kernel has meta ibrname")
    add_bridge()
    place.write("firewall: {family: bridge}\nbridges: {br1: {}}")
    planned, checked = (place.nftlink(verb, status=1) for verb in ("plan", "check"))
    assert "meta ibrname" in checked.stderr and checked.stdout == "", checked
    assert planned.stderr.removeprefix("nftlink: ") in checked.stderr, (checked, planned)
    (fault,) = place.record("check", status=1)["errors"]
    assert "meta ibrname" in fault["message"], fault


def test_check_and_plan_name_what_is_left_open(place):
    add_foreign_chains()
    add_bridge()
    for name, (text, left_open) in CHOICES.items():
        place.write(text)
        for verb, status in (("check", 0), ("plan", 2)):
            lines = place.nftlink(verb, status=status).stderr.splitlines()
            notes = [line for line in lines if "br1" in line and "open" in line]
            assert said(left_open, " ".join(notes)) and (left_open or not notes), (name, verb, notes)
            found = {state["bridge"]: opened(state) for state in place.record(verb, status=status)["left_open"]}
            assert found == ({"br1": {word: True for word in left_open}} if left_open else {}), (name, verb, found)
