"""The quick form of equivalence.py: a few topologies for each group of policies, and the test's own trustworthiness."""
import argparse
import functools
import itertools
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "program"))

import harness
import packets
import rules
import shrink
import trial
from equivalence import report, scenes
from harness import Skip, case
from mutants import MUTANTS
from wire import Wire, WireError

GROUPS = tuple(dict.fromkeys(variant.group for variant in rules.VARIANTS))
SEED = "quick"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("nftlink", help="the built program")
    parser.add_argument("--group", choices=GROUPS, help="of policies, that alone")
    parser.add_argument("--topologies", type=int, default=5, help="for each group")
    return parser.parse_args()


OPTIONS = arguments()
VARIANTS = [variant for variant in rules.VARIANTS if OPTIONS.group in (None, variant.group)]
FIRST = VARIANTS[0]


@functools.cache
def the_wire():
    return Wire()


def on_the_wire(function):
    """Registers a case that needs a host on the wire."""
    def with_host(place):
        the_wire().enter()
        function(rules.Host(the_wire(), harness.program, place.folder))
    with_host.__name__ = function.__name__
    case(with_host)


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


@on_the_wire
def a_lost_sentinel_is_an_error_and_no_drop(host):
    topology, frames = sample()
    assert all(host.without_rules(topology, frames[:20]))
    with host.wire.losing_sentinels():
        refuses(host.wire, frames[:20], "sentinel")


@on_the_wire
def a_late_packet_is_an_error(host):
    sender, _, frame = sample()[1][0]
    host.clear()
    host.wire.senders[sender].send(frame)
    refuses(host.wire, [], "before any was sent")


@on_the_wire
def packets_that_are_alike_are_an_error(host):
    _, frames = sample()
    refuses(host.wire, frames[:2] + frames[:1], "the same")


@on_the_wire
def a_packet_that_comes_out_elsewhere_is_an_error(host):
    _, frames = sample()
    sender, _, frame = next(each for each in frames if each[1].startswith("c") and each[2][0] == 2)
    host.clear()
    refuses(host.wire, [(sender, "outside", frame)], "came out at")


def find_mutant(name):
    def found(host):
        host.mutant = MUTANTS[name]
        for _, topology, flows in itertools.islice(scenes(SEED), OPTIONS.topologies):
            if trial.trial(host, topology, flows, [FIRST]).failures:
                topology, flows = shrink.shrink(host, FIRST, topology, flows)
                assert trial.fails(host, FIRST, topology, flows)
                assert sum(map(len, flows)) <= 4 and len(topology["containers"]) <= 2, (topology, flows)
                return
        raise AssertionError("not found")
    found.__name__ = f"found and made small: {name}"
    on_the_wire(found)


def examine(host, wanted, cases):
    refusals = {variant: host.refusal(variant) for variant in wanted}
    variants = [variant for variant, refusal in refusals.items() if not refusal]
    for refusal in set(refusals.values()) - {""}:
        left_out = ", ".join(variant.name for variant in wanted if refusals[variant] == refusal)
        print(f"# left out: {left_out}; {refusal}")
    if not variants:
        raise Skip("this kernel can do none of these policies")
    total = trial.Outcome()
    for name, topology, flows in cases:
        outcome = trial.trial(host, topology, flows, variants)
        assert not outcome.failures, report(host, name, topology, flows, outcome.failures)
        total.add(outcome)
    print(f"# {len(variants)} policies, {total.verdicts} verdicts, {total.passed} to let pass, {dict(total.reasons)}")
    assert 0 < total.passed < total.verdicts


def equivalent(group):
    def holds(host):
        examine(host, [variant for variant in VARIANTS if variant.group == group],
                itertools.islice(scenes(SEED), OPTIONS.topologies))
    holds.__name__ = f"{group}: equivalent to Docker's rules"
    on_the_wire(holds)


@on_the_wire
def kept_cases_stay_mended(host):
    examine(host, VARIANTS, shrink.kept())


for each in ("a port is lost", "other frames pass", "invalid passes", "connections outlive their links",
             "the bridge is forgotten", "ways across are lost", "routed is open", "IPv6 passes", "IPv6 replies are lost"):
    if FIRST.family == "inet" or MUTANTS[each].of_any_family:
        find_mutant(each)
for each in [OPTIONS.group] if OPTIONS.group else GROUPS:
    equivalent(each)
harness.main()
