"""plan, apply, clear and render on the real kernel, with nft as the witness."""
import re
import subprocess
import time

import pytest

from support import programs
from support.process import run
from support.ruleset import generation, knows_bridges_by_name, nft, ruleset
from support.sample import BRIDGE_SWITCHES, add_bridge, commands, configuration


def test_a_second_apply_writes_nothing(place):
    add_bridge()
    place.write(configuration("web1", "web2"))
    before = generation()
    assert "add table inet nftlink" in place.nftlink("apply").stdout
    assert generation() == before + 1, "one transaction"
    listing = ruleset()
    again = place.nftlink("apply")
    assert again.stdout == "" and "nothing to do" in again.stderr, again
    assert generation() == before + 1 and ruleset() == listing


def test_plan_touches_nothing_and_says_whether_there_are_changes(place):
    add_bridge()
    place.write(configuration("web1"))
    before = generation()
    planned = place.nftlink("plan", status=2)
    assert generation() == before and ruleset() == []
    assert planned.stdout.splitlines()[-1] == "# " + BRIDGE_SWITCHES, planned.stdout
    assert place.nftlink("apply").stdout == planned.stdout
    done = place.nftlink("plan")
    assert done.stdout == "" and "nothing to do" in done.stderr, done


HEADS = {
    "sets": "",
    "rules": "firewall: {layout: rules}",
    "source-port": "firewall: {replies: source-port}",
    "rules and source-port": "firewall: {layout: rules, replies: source-port, counters: false}",
    "ip": "firewall: {family: ip, table: other, priority: filter - 5, log_drops: true, accept_mark: 7}",
    "bridge": "firewall: {family: bridge, replies: source-port}",
    "base rules": "firewall: {layout: rules}\nbridges: {docker0: {icc: allow, base_rules: true}}",
}


def test_family_bridge_is_refused_where_the_kernel_has_no_names_of_bridges(place):
    if knows_bridges_by_name():
        pytest.skip("this kernel has meta ibrname")
    add_bridge()
    place.write(configuration("web1"))
    place.nftlink("apply")
    before, listing = generation(), ruleset()
    place.write(configuration("web1", head=HEADS["bridge"]))
    for verb in ("plan", "apply"):
        failed = place.nftlink(verb, status=1)
        assert "family: inet" in failed.stderr and "meta ibrname" in failed.stderr and failed.stdout == "", failed
    assert generation() == before and ruleset() == listing


@pytest.fixture(params=HEADS.values(), ids=HEADS)
def head(request):
    """Of each policy."""
    if "family: bridge" in request.param and not knows_bridges_by_name():
        pytest.skip("this kernel has no meta ibrname")
    return request.param


def test_what_plan_prints_does_through_nft_what_apply_does(place, head):
    add_bridge()
    many = 25 if "rules," in head or "rules}" in head else 200  # what nft gets into its send buffer here
    steps = [configuration("web1", "web2", head=head), configuration("web2", "web3", head=head),
             configuration(*(f"web{number}" for number in range(many)), head=head, count=many),
             configuration("web1", head=head)]
    listings = []
    for step in steps:
        place.write(step)
        place.nftlink("apply")
        listings.append(ruleset())
    place.nftlink("clear")
    for step, listing in zip(steps, listings):
        place.write(step)
        nft("-f", "-", stdin=place.nftlink("plan", status=2).stdout)
        assert ruleset() == listing, "\n".join(ruleset())
        assert commands(place.nftlink("plan").stdout) == []
        before = generation()
        place.nftlink("apply")
        assert generation() == before


def test_render_loads_through_nft_over_itself_too(place, head):
    add_bridge()
    place.write(configuration("web1", "web2", head=head))
    script = place.nftlink("render").stdout
    for _ in range(2):
        nft("-f", "-", stdin=script)
        assert commands(place.nftlink("plan", status=0 if "allow" in head or "family: bridge" in head else 2).stdout) == [], ruleset()
    listing = ruleset()
    place.nftlink("clear")
    place.nftlink("apply")
    assert ruleset() == listing
    nft("-f", "-", stdin=nft("list", "ruleset") + "\n")


def without_comments(listing):
    """Those of tables, chains and sets, some of which nft 1.0.6 loses when it reads JSON, are for people alone."""
    return [line for line in listing if not line.startswith('comment "nftlink: ')]


def test_render_in_nfts_json_loads_too(place, head):
    add_bridge()
    place.write(configuration("web1", "web2", head=head))
    script = place.nftlink("render", "--json").stdout
    for _ in range(2):
        nft("-j", "-f", "-", stdin=script)
    place.nftlink("apply")
    listing = without_comments(ruleset())
    place.nftlink("clear")
    assert ruleset() == []
    place.nftlink("apply")
    assert without_comments(ruleset()) == listing


def monitored(place, action):
    """What `nft monitor` shows of the action."""
    log = place.folder / "monitor"
    with open(log, "wb") as out, subprocess.Popen(["nft", "monitor"], stdout=out) as monitor:
        try:
            # Marks in the log: when the first is seen, the monitor listens; after the last, nothing is missing.
            for mark, step in (("begin", action), ("end", lambda: None)):
                deadline = time.monotonic() + 20
                while f"add table ip {mark}\n" not in log.read_text():
                    assert time.monotonic() < deadline, log.read_text()
                    nft("add", "table", "ip", mark)
                    nft("delete", "table", "ip", mark)
                    time.sleep(0.02)
                step()
        finally:
            monitor.kill()
    text = log.read_text()
    events = text[text.rindex("table ip begin"):text.index("add table ip end")].splitlines()[1:]
    return [line for line in events if not line.startswith("# new generation")]


def test_one_changed_link_changes_its_own_elements_alone(place):
    add_bridge()
    place.write(configuration("web1", "web2"))
    place.nftlink("apply")
    key = '"docker0" . 172.17.1.1 . 172.17.0.2 . tcp . 6379'
    nft("-f", "-", stdin=f"""delete element inet nftlink links4 {{ {key} }}
        add element inet nftlink links4 {{ {key} counter packets 42 bytes 2520 comment "/web1/db" }}""")
    place.write(configuration("web1", "web3"))
    events = monitored(place, lambda: place.nftlink("apply"))
    assert events and all("element" in event for event in events), events
    assert not any("172.17.1.1 " in event or "fd00::1:1 " in event for event in events), events
    assert any(event.startswith("delete") and "172.17.1.2 " in event for event in events), events
    assert any(event.startswith("add") and "172.17.1.3 " in event for event in events), events
    assert f'{key} counter packets 42 bytes 2520 comment "/web1/db"' in nft("list", "ruleset")


def test_counters_survive_when_a_set_grows(place):
    add_bridge()
    place.write(configuration("web1"))
    place.nftlink("apply")
    key = '"docker0" . 172.17.1.1 . 172.17.0.2 . tcp . 6379'
    nft("-f", "-", stdin=f"""delete element inet nftlink links4 {{ {key} }}
        add element inet nftlink links4 {{ {key} counter packets 42 bytes 2520 comment "/web1/db" }}""")
    place.write(configuration(*(f"web{number}" for number in range(200)), count=200))
    before = generation()
    place.nftlink("apply")
    assert generation() == before + 1
    assert f'{key} counter packets 42 bytes 2520 comment "/web1/db"' in nft("list", "ruleset")


MALFORMED = [  # text, line and column of the first error
    ("containers: [", 1, None),
    ("containers:\n\t- a\n", 2, None),
    ("containers: {a: {bridge: docker0, addresses: [1.2.3]}}", 1, 47),
    ("containers: {a: {bridge: docker0, addresses: [10.0.0.1], expose: [70000]}}", 1, 67),
    ("containers: {a: {bridge: docker0, addresses: [10.0.0.1], expose: [20-10]}}", 1, 67),
    ("containers: {a: {bridge: docker0, addresses: [10.0.0.1], links: [b]}}", 1, None),
    ("containers: {a: {bridge: docker0, addresses: [10.0.0.1], links: [a]}}", 1, None),
    ("containers:\n  a: {bridge: docker0, addresses: [10.0.0.1]}\n  a: {bridge: docker0, addresses: [10.0.0.2]}\n", 3, 3),
    ("containers:\n  a: {bridge: d, addresses: [10.0.0.1]}\n  b: {bridge: d, addresses: [10.0.0.1]}\n", 3, None),
    ("bridges: {docker0: {routed: yes}}\n", 1, None),
    ("bridges: {docker0: {other_frames: drop}}\n", 1, None),
    ("firewall: {table: own-frames}\n", 1, None),
    ("containers:\n  'no name': {bridge: d, addresses: [10.0.0.1]}\n", 2, 3),
    ("firewal: {}\n", 1, 1),
    ("firewall: {table: 'a b'}\n", 1, None),
    ("firewall: {family: bridges}\n", 1, None),
    ("firewall: {attach: [{family: ip, table: filter, chain: FORWARD}]}\n", 1, 20),
    ("firewall: {layout: rules, attach: [{family: ip, table: filter}]}\n", 1, None),
    ("firewall: {table_owner: true}\n", 1, None),
    ("bridges: {'docker**': {}}\n", 1, None),
    ("bridges: {docker0: {icc: maybe}}\n", 1, None),
    ("a: 1\n---\nb: 2\n", 1, None),
    ("just text", 1, 1),
    (b"\xff\xfe\x00", 1, 1),
]


def test_malformed_configurations_are_refused_with_their_place_and_nothing_is_touched(place):
    add_bridge()
    place.write(configuration("web1"))
    place.nftlink("apply")
    before, listing = generation(), ruleset()
    for text, line, column in MALFORMED:
        place.write(text)
        for verb in ("check", "plan", "apply", "render"):
            failed = place.nftlink(verb, status=1)
            first = re.match(rf"{re.escape(str(place.file))}:(\d+):(\d+): \S", failed.stderr)
            assert failed.stdout == "" and first, (text, failed)
            assert int(first[1]) == line and column in (None, int(first[2])), (text, failed.stderr)
    assert generation() == before and ruleset() == listing


ATTACHED = "firewall: {layout: rules, attach: [{family: ip, table: filter, chain: FORWARD}]}"


def test_render_of_attached_rules_loads_says_what_it_leaves_out_and_apply_mends_it(place):
    add_bridge()
    run("iptables-nft", "-P", "FORWARD", "ACCEPT")
    place.write(configuration("web1", head=ATTACHED))
    rendered = place.nftlink("render")
    assert "left out, since nft's syntax can't express it" in rendered.stderr and "conntrack" in rendered.stderr, rendered
    assert "insert rule ip filter FORWARD" in rendered.stdout, rendered
    place.nftlink("apply")
    lines = run("iptables-nft", "-S", "FORWARD").stdout
    for _ in range(2):
        nft("-f", "-", stdin=rendered.stdout)
    run("iptables-nft", "-S")
    place.nftlink("apply")
    assert run("iptables-nft", "-S", "FORWARD").stdout == lines
    nft("-j", "-f", "-", stdin=place.nftlink("render", "--json").stdout)
    place.write("{")
    place.nftlink("clear")
    assert run("iptables-nft", "-S", "FORWARD").stdout == "-P FORWARD ACCEPT\n"


def test_what_the_kernel_refuses_changes_nothing_and_is_named(place):
    owner = subprocess.Popen(["nft", "-i"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    owner.stdin.write('add table inet nftlink { flags owner; comment "nftlink: of another program"; }\n')
    owner.stdin.flush()
    deadline = time.monotonic() + 20
    while not ruleset():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    try:
        before, listing = generation(), ruleset()
        place.write(configuration("web1"))
        failed = place.nftlink("apply", status=1)
        assert "kernel refused" in failed.stderr and "table inet nftlink" in failed.stderr, failed
        assert "Operation not permitted" in failed.stderr and failed.stdout == "", failed
        assert generation() == before and ruleset() == listing
        assert place.record("apply", status=1)["errors"][0]["message"] in failed.stderr
    finally:
        owner.stdin.close()
        owner.wait()


def test_bridge_netfilter_is_switched_on_as_plan_says(place):
    add_bridge()
    place.write(configuration("web1"))
    nft("-f", "-", stdin=place.nftlink("render").stdout)
    assert place.nftlink("plan", status=2).stdout == f"# {BRIDGE_SWITCHES}\n"
    before = generation()
    assert place.nftlink("apply").stdout == f"# {BRIDGE_SWITCHES}\n"
    assert generation() == before, "the ruleset was as wanted"
    shown = run("ip", "-d", "link", "show", "docker0").stdout
    assert "nf_call_iptables 1" in shown and "nf_call_ip6tables 1" in shown, shown
    place.nftlink("plan")
    run("ip", "link", "delete", "docker0")
    add_bridge()
    run(*place.nftlink("plan", status=2).stdout[2:].split())  # the command does what it says
    place.nftlink("plan")


def test_a_pattern_stands_for_the_bridges_there_are(place):
    run("ip", "link", "add", "br-app", "type", "bridge")
    run("ip", "link", "add", "other", "type", "bridge")
    place.write("bridges: {br-*: {}, '*0': {}}")
    rendered = place.nftlink("render")
    assert '"br-app"' in rendered.stdout and '"other"' not in rendered.stdout, rendered
    assert "run this again when others have come" in rendered.stderr, rendered
    nft("-f", "-", stdin=rendered.stdout)
    applied = place.nftlink("apply")
    assert applied.stdout == f"# {BRIDGE_SWITCHES}\n".replace("docker0", "br-app"), applied
    add_bridge()
    place.nftlink("plan", status=2)
    place.nftlink("apply")
    assert all('"docker0"' in nft("list", "set", "inet", "nftlink", name) for name in ("bridges", "denied"))
    run("ip", "link", "delete", "br-app")
    place.nftlink("apply")
    assert "br-app" not in nft("list", "ruleset")
    place.nftlink("plan")


def test_a_missing_bridge_is_a_warning(place):
    place.write(configuration("web1"))
    done = place.nftlink("apply")
    assert "warning: bridge docker0 does not exist" in done.stderr, done
    assert "docker0" in place.record("plan")["warnings"][0]["message"]


def test_records_say_what_changed(place):
    add_bridge()
    place.write(configuration("web1"))
    planned = place.record("plan", status=2)
    assert planned["bridge_netfilter"] == [BRIDGE_SWITCHES] and planned["generation"] == generation(), planned
    applied = place.record("apply")
    assert applied["changes"] == planned["changes"] and applied["generation"] == generation(), applied
    assert applied["changes"][0].startswith("add table inet nftlink"), applied
    assert place.record("apply")["changes"] == []
    assert place.record("clear")["changes"] == ["delete table inet nftlink", "delete table bridge nftlink-frames"]


def test_without_the_capability_the_message_says_what_is_needed(place):
    place.write(configuration("web1"))
    for words in (["plan"], ["apply"], ["clear"]):
        failed = run("setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin", programs.nftlink, *words, "-c", place.file,
                     status=1)
        assert failed.stdout == "" and "CAP_NET_ADMIN" in failed.stderr, failed
    assert ruleset() == []
