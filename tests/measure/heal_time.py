"""How long nothing is enforced after another program has flushed the ruleset, measured from outside.

pytest -s heal_time.py [--links N] [--rounds N]
"""
import statistics
import time

from support.netfilter import Netfilter
from support.service import Service, add_bridge, elements


def configuration(links):
    lines = ["containers:", "  redis: {bridge: docker0, addresses: [10.0.0.2], expose: [6379]}"]
    lines += [f"  web{n}: {{bridge: docker0, addresses: [10.1.{n // 250}.{n % 250}], links: [redis]}}"
              for n in range(links)]
    return "\n".join(lines)


def flush_and_wait(netfilter, links):
    """Seconds from the flush's beginning to each commit after it: what isn't linked is denied; the links are back. Few links
    come with the first."""
    before = netfilter.generation()
    begin = time.monotonic()
    netfilter.flush()
    times = []
    for commit in range(2 if links > 64 else 1):
        while netfilter.generation() < before + 2 + commit:
            assert time.monotonic() < begin + 10, "it is not repaired"
            time.sleep(0.00005)  # so that the service gets a processor
        times.append(time.monotonic() - begin)
    return times


def test_a_flushed_ruleset_is_back_at_once(place, how_many):
    links, rounds = how_many("links", 1000), how_many("rounds", 100)
    add_bridge()
    service = Service(place, configuration(links))
    wanted, times = elements(), []
    assert len(wanted) == links
    with Netfilter() as netfilter:
        for _ in range(rounds):
            times.append(flush_and_wait(netfilter, links))
            assert elements() == wanted
    for what, seconds in zip(("denied again", "links back"), zip(*times)):
        print(f"{links} links, {rounds} flushes: {what} after {statistics.median(seconds) * 1000:.2f} ms "
              f"(median), {max(seconds) * 1000:.2f} ms (worst)")
    assert service.status()["heals"] == rounds
