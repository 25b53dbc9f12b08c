"""Whose tables, chains and rules are: what clear removes, what is left alone, on the real kernel."""
import re

from support.process import run
from support.ruleset import generation, nft, ruleset
from support.sample import add_bridge, commands, configuration, save_and_load


def test_clear_removes_all_that_is_ours_and_nothing_else(place):
    add_bridge()
    nft("-f", "-", stdin='table inet foreign { comment "not nftlinks"; chain c { type filter hook forward priority 0; }; }')
    foreign = ruleset()
    place.write(configuration("web1"))
    place.nftlink("apply")
    place.write(configuration("web1", head="firewall: {family: ip, table: second}"))
    assert "delete table inet nftlink" in place.nftlink("plan", status=2).stdout
    nft("-f", "-", stdin=place.nftlink("render").stdout)
    cleared = place.nftlink("clear")
    assert sorted(cleared.stdout.splitlines()) == [
        "delete table bridge nftlink-frames", "delete table bridge second-frames", "delete table inet nftlink",
        "delete table ip second"], cleared
    assert "bridge netfilter is left as it is" in cleared.stderr
    assert "nf_call_iptables 1" in run("ip", "-d", "link", "show", "docker0").stdout
    assert ruleset() == foreign
    before = generation()
    assert place.nftlink("clear").stdout == "" and generation() == before


FOREIGN = {
    "a chain's comment": 'chain input { comment "nftlink: leave port 22 open for its operators"; tcp dport 22 accept; }',
    "a set's comment": 'set gw { type ipv4_addr; comment "nftlink: its bridges"; elements = { 10.9.0.1 }; }',
    "a jump's comment": 'chain x { }; chain input { jump x comment "nftlink: see there"; }',
    "an attached rule's comment": 'chain input { tcp dport 22 accept comment "nftlink attached: by hand"; }',
}


def test_a_comment_makes_nothing_ours(place):
    add_bridge()
    nft("-f", "-", stdin='add table inet site { comment "nftlink: mine"; }')
    for body in FOREIGN.values():
        nft("-f", "-", stdin="table inet site { " + body + "; }")
    foreign = ruleset()
    for head in ("", "firewall: {layout: rules, attach: [{family: inet, table: site, chain: input}]}", "firewall: {table: other}"):
        place.write(configuration("web1", head=head))
        place.nftlink("apply")
        place.nftlink("clear")
        assert ruleset() == foreign, head


def test_a_table_that_holds_what_others_put_into_it_is_deleted_by_force_alone(place):
    add_bridge()
    place.write(configuration("web1"))
    place.nftlink("apply")
    nft("-f", "-", stdin="table inet nftlink { chain theirs { tcp dport 22 accept; }; set s { type ipv4_addr; }; counter c { }; }")
    place.nftlink("plan")
    listing, before = ruleset(), generation()
    place.write(configuration("web1", head="firewall: {table: other}"))
    for verb in ("plan", "apply", "clear"):
        failed = place.nftlink(verb, status=1)
        words = "table inet nftlink holds what is not nftlink's: chain theirs, set s, 1 other object"
        assert words in failed.stderr and "--force" in failed.stderr and failed.stdout == "", failed
    assert ruleset() == listing and generation() == before
    assert "delete table inet nftlink" in place.nftlink("apply", "--force").stdout
    assert nft("list", "tables") == "table inet other\ntable bridge other-frames\n"
    nft("add", "rule", "inet", "other", "forward", "tcp", "dport", "22", "accept")
    assert "the rule with handle" in place.nftlink("clear", status=1).stderr
    place.nftlink("clear", "--force")
    assert ruleset() == []


def test_a_chain_that_is_not_there_yet_takes_nothing_away(place):
    add_bridge()
    place.write(configuration("web1"))
    place.nftlink("apply")
    for chain in ("{family: ip, table: filter, chain: LATER}", "{family: inet, table: fw, chain: later}"):
        place.write(configuration("web1", head=f"firewall: {{layout: rules, attach: [{chain}]}}"))
        applied = place.nftlink("apply")
        assert "does not exist" in applied.stderr and "stays in force, with the links of now" in applied.stderr, applied
        assert "ip saddr 172.17.1.1 ip daddr 172.17.0.2 tcp dport 6379" in nft("list", "chain", "inet", "nftlink", "links")
        place.nftlink("plan")
    nft("-f", "-", stdin="table inet fw { chain later { type filter hook forward priority 0; }; }")
    place.nftlink("apply")
    assert "chain forward" not in nft("list", "table", "inet", "nftlink")
    assert "tcp dport 6379" in nft("list", "chain", "inet", "fw", "later")


def test_a_table_that_nft_has_loaded_with_what_is_not_ours_is_still_ours(place):
    add_bridge()
    place.write(configuration("web1"))
    place.nftlink("apply")
    nft("-f", "-", stdin="table inet nftlink { chain theirs { iifname . ip saddr . ip daddr . meta l4proto . th dport @links4 accept; }; }")
    save_and_load()
    assert commands(place.nftlink("plan").stdout) == []
    place.write(configuration(head="firewall: {layout: rules}"))
    place.nftlink("apply")
    assert "links4" not in nft("list", "ruleset") and "chain theirs" in nft("list", "ruleset")
    assert "chain theirs" in place.nftlink("clear", status=1).stderr
    place.nftlink("clear", "--force")
    assert ruleset() == []


def test_a_leftover_of_another_name_without_our_mark_is_named(place):
    add_bridge()
    place.write(configuration("web1"))
    place.nftlink("apply")
    save_and_load()
    place.write(configuration("web1", head="firewall: {table: other}"))
    assert "nft delete table inet nftlink" in place.nftlink("apply").stderr
    assert "nft delete table inet nftlink" in place.nftlink("plan").stderr


def test_clear_works_with_a_broken_configuration_and_without_one(place):
    place.write(configuration("web1"))
    place.nftlink("apply")
    place.write("containers: [")
    place.nftlink("clear")
    assert ruleset() == []
    place.write(configuration("web1"))
    place.nftlink("apply")
    place.file.unlink()
    place.nftlink("clear")
    assert ruleset() == []


def test_clear_finds_a_table_whose_comment_was_lost(place):
    place.write(configuration("web1"))
    place.nftlink("apply")
    script = re.sub(r'^\tcomment "nftlink.*\n', "", nft("list", "ruleset"), flags=re.MULTILINE)
    assert "\n\tcomment" not in script
    nft("flush", "ruleset")
    nft("-f", "-", stdin=script)
    assert place.nftlink("clear").stdout == "delete table inet nftlink\ndelete table bridge nftlink-frames\n"
    assert ruleset() == []


def test_somebody_elses_table_of_our_name_is_refused_and_left_alone(place):
    nft("-f", "-", stdin="table inet nftlink { chain c { type filter hook forward priority 0; drop; }; }")
    before, listing = generation(), ruleset()
    place.write(configuration("web1"))
    for verb in ("plan", "apply"):
        failed = place.nftlink(verb, status=1)
        assert failed.stdout == "" and "table inet nftlink" in failed.stderr, failed
    assert place.nftlink("clear").stdout == ""
    assert generation() == before and ruleset() == listing
    nft("-f", "-", stdin="delete table inet nftlink; table inet nftlink { counter theirs { packets 5 bytes 50 }; }")
    place.nftlink("apply", status=1)
    assert "packets 5 bytes 50" in nft("list", "ruleset")
    nft("-f", "-", stdin="delete table inet nftlink; table inet nftlink { }")
    place.nftlink("apply")  # an empty one is nobody's
