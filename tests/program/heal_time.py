"""How long nothing is enforced after another program has flushed the ruleset, measured from outside.

heal_time.py NFTLINK NFTLINKD [--links N] [--rounds N]
"""
import argparse
import statistics
import sys
import time

import harness
from harness import case
from netfilter import Netfilter
from service import Service, add_bridge, elements

options = argparse.ArgumentParser()
options.add_argument("--links", type=int, default=1000)
options.add_argument("--rounds", type=int, default=100)
options = options.parse_args(sys.argv[3:])


def configuration():
    lines = ["containers:", "  redis: {bridge: docker0, addresses: [10.0.0.2], expose: [6379]}"]
    lines += [f"  web{n}: {{bridge: docker0, addresses: [10.1.{n // 250}.{n % 250}], links: [redis]}}"
              for n in range(options.links)]
    return "\n".join(lines)


def flush_and_wait(netfilter):
    """Seconds from the flush's beginning to each commit after it: what isn't linked is denied; the links are back. Few links
    come with the first."""
    before = netfilter.generation()
    begin = time.monotonic()
    netfilter.flush()
    times = []
    for commit in range(2 if options.links > 64 else 1):
        while netfilter.generation() < before + 2 + commit:
            assert time.monotonic() < begin + 10, "it is not repaired"
            time.sleep(0.00005)  # so that the service gets a processor
        times.append(time.monotonic() - begin)
    return times


@case
def a_flushed_ruleset_is_back_at_once(place):
    add_bridge()
    service = Service(place, configuration())
    wanted, times = elements(), []
    assert len(wanted) == options.links
    with Netfilter() as netfilter:
        for _ in range(options.rounds):
            times.append(flush_and_wait(netfilter))
            assert elements() == wanted
    for what, seconds in zip(("denied again", "links back"), zip(*times)):
        print(f"# {options.links} links, {options.rounds} flushes: {what} after {statistics.median(seconds) * 1000:.2f} ms "
              f"(median), {max(seconds) * 1000:.2f} ms (worst)")
    assert service.status()["heals"] == options.rounds


harness.main()
