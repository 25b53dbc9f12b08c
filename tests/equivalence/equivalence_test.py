"""The quick form of equivalence.py: a few topologies for each group of policies, and the test's own trustworthiness."""
import functools
import itertools

import packets
import pytest
import rules
import shrink
import trial
from equivalence import report, scenes
from mutants import MUTANTS
from support import programs
from wire import Wire, WireError

GROUPS = tuple(dict.fromkeys(variant.group for variant in rules.VARIANTS))
SEED = "quick"
FOUND = ("a port is lost", "other frames pass", "invalid passes", "connections outlive their links", "the bridge is forgotten",
         "ways across are lost", "routed is open", "IPv6 passes", "IPv6 replies are lost")  # mutants


@functools.cache
def the_wire():
    return Wire()


@pytest.fixture
def host(place):
    """A host on the wire."""
    the_wire().enter()
    return rules.Host(the_wire(), str(programs.nftlink), place.folder)


@pytest.fixture
def topologies(request):
    """How many random ones."""
    return itertools.islice(scenes(SEED), request.config.getoption("topologies"))


@pytest.fixture
def variants(request):
    """The policies that this is about."""
    chosen = request.config.getoption("group")
    return [variant for variant in rules.VARIANTS if chosen in (None, variant.group)]


def pytest_generate_tests(metafunc):
    """One case for each mutant that the first policy is to find, and for each group of policies."""
    chosen = metafunc.config.getoption("group")
    if "mutant" in metafunc.fixturenames:
        first = next(variant for variant in rules.VARIANTS if chosen in (None, variant.group))
        metafunc.parametrize("mutant", [name for name in FOUND if first.family == "inet" or MUTANTS[name].of_any_family])
    if "group" in metafunc.fixturenames:
        metafunc.parametrize("group", [chosen] if chosen else GROUPS)


def refuses(wire, frames, words):
    try:
        wire.exchange(frames)
    except WireError as error:
        assert words in str(error), error
        return
    raise AssertionError(f"no error: {words}")


def sample():
    """Traffic of one topology, and its frames."""
    _, topology, flows = next(scenes(SEED))
    return topology, packets.frames(flows)[0]


def test_a_lost_sentinel_is_an_error_and_no_drop(host):
    topology, frames = sample()
    assert all(host.without_rules(topology, frames[:20]))
    with host.wire.losing_sentinels():
        refuses(host.wire, frames[:20], "sentinel")


def test_a_late_packet_is_an_error(host):
    sender, _, frame = sample()[1][0]
    host.clear()
    host.wire.senders[sender].send(frame)
    refuses(host.wire, [], "before any was sent")


def test_packets_that_are_alike_are_an_error(host):
    _, frames = sample()
    refuses(host.wire, frames[:2] + frames[:1], "the same")


def test_a_packet_that_comes_out_elsewhere_is_an_error(host):
    _, frames = sample()
    sender, _, frame = next(each for each in frames if each[1].startswith("c") and each[2][0] == 2)
    host.clear()
    refuses(host.wire, [(sender, "outside", frame)], "came out at")


def test_a_mistake_is_found_and_made_small(host, variants, topologies, mutant):
    host.mutant = MUTANTS[mutant]
    first = variants[0]
    for _, topology, flows in topologies:
        if trial.trial(host, topology, flows, [first]).failures:
            topology, flows = shrink.shrink(host, first, topology, flows)
            assert trial.fails(host, first, topology, flows)
            assert sum(map(len, flows)) <= 4 and len(topology["containers"]) <= 2, (topology, flows)
            return
    raise AssertionError("not found")


def examine(host, wanted, cases):
    refusals = {variant: host.refusal(variant) for variant in wanted}
    variants = [variant for variant, refusal in refusals.items() if not refusal]
    for refusal in set(refusals.values()) - {""}:
        left_out = ", ".join(variant.name for variant in wanted if refusals[variant] == refusal)
        print(f"left out: {left_out}; {refusal}")
    if not variants:
        pytest.skip("this kernel can do none of these policies")
    total = trial.Outcome()
    for name, topology, flows in cases:
        outcome = trial.trial(host, topology, flows, variants)
        assert not outcome.failures, report(host, name, topology, flows, outcome.failures)
        total.add(outcome)
    print(f"{len(variants)} policies, {total.verdicts} verdicts, {total.passed} to let pass, {dict(total.reasons)}")
    assert 0 < total.passed < total.verdicts


def test_equivalent_to_dockers_rules(host, variants, topologies, group):
    examine(host, [variant for variant in variants if variant.group == group], topologies)


def test_kept_cases_stay_mended(host, variants):
    examine(host, variants, shrink.kept())
