#!/usr/bin/env python3
"""Proves with real packets that nftlink's rules let pass what Docker 0.10's rules do, for random topologies.

What differs on purpose is listed in compare.py; anything else ends with exit status 1, made small and kept in cases/.
"""
import argparse
import os
import pathlib
import random
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import rules
import shrink
import topology as topologies
import traffic
from compare import KNOWN, REASONS
from mutants import MUTANTS
from support.namespaces import enter_private_namespaces
from trial import Outcome, trial
from wire import Wire

ENOUGH_FAILURES = 3  # topologies that fail; more of them say nothing new


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("nftlink", help="the built program")
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument("--seconds", type=float)
    extent.add_argument("--topologies", type=int, default=200)
    parser.add_argument("--seed", default=f"{random.randrange(1 << 32)}")
    parser.add_argument("--mutant", choices=MUTANTS, help="make a mistake on purpose, to see that it is found")
    return parser.parse_args()


def scenes(seed):
    """Random topologies with their traffic, without end. Each depends on its number and the seed alone."""
    number = 0
    while True:
        dice = random.Random(f"{seed}/{number}")
        made = topologies.generate(dice)
        yield f"topology {number}", made, traffic.generate(dice, made)
        number += 1


def report(host, name, topology, flows, failures):
    """Says what failed, and the smallest form of it, which is kept."""
    lines = [f"{name}: {len(failures)} failures"]
    lines += [f"{each.variant.name if each.variant else 'the test itself'}: {each.about}" for each in failures[:5]]
    variant = next((failure.variant for failure in failures if failure.variant), None)
    if variant:
        topology, flows = shrink.shrink(host, variant, topology, flows)
        lines += [f"the smallest form of it, for {variant.name}:", str(topology)]
        lines += [f"  {packet}" for flow in flows for packet in flow]
    if not host.mutant:
        lines.append(f"kept as {shrink.keep(f'{name}: {failures[0].about}', topology, flows)}")
    return "\n".join(lines)


def campaign(host, variants, options):
    """Kept cases, then random ones until the time or number is up."""
    total, start, done = Outcome(), time.monotonic(), 0

    def examine(name, topology, flows):
        outcome = trial(host, topology, flows, variants)
        total.add(outcome)
        if outcome.failures:
            print(report(host, name, topology, flows, outcome.failures), flush=True)
        return not outcome.failures

    bad = sum(not examine(*case) for case in shrink.kept())
    for scene in scenes(options.seed):
        elapsed = time.monotonic() - start
        if bad >= ENOUGH_FAILURES or (elapsed > options.seconds if options.seconds else done >= options.topologies):
            break
        bad += not examine(*scene)
        done += 1
        if done % 10 == 0:
            print(f"{done:6} topologies {total.verdicts:9} verdicts {len(total.failures):3} unexplained"
                  f" {elapsed:6.0f} s", flush=True)
    return done, total


def summary(done, total):
    print(f"\n{done} topologies, {total.verdicts} verdicts compared, {total.passed} of them to let pass")
    for reason, (*_, sentence) in REASONS.items():
        print(f"{total.reasons[reason]:9} differ as they should, {reason}: {sentence}")
    print("not sent: data connections of helpers (ftp, tftp), which don't pass, and errors about what is published")
    for reason, (_, sentence) in KNOWN.items():
        print(f"{total.reasons[reason]:9} pass on no rule's purpose, {reason}: {sentence}")
    print(f"{len(total.failures):9} differ without a reason, or pass in spite of one")


def main():
    options = arguments()
    enter_private_namespaces()
    print(f"seed {options.seed}")
    with tempfile.TemporaryDirectory(prefix="nftlink-") as folder, Wire() as wire:
        host = rules.Host(wire, os.path.realpath(options.nftlink), folder, MUTANTS.get(options.mutant))
        refusals = {variant: host.refusal(variant) for variant in rules.VARIANTS}
        variants = [variant for variant, refusal in refusals.items() if not refusal]
        if options.mutant and not host.mutant.of_any_family:
            variants = [variant for variant in variants if variant.group == "inet table" and variant.layout == "sets"]
        for variant, refusal in refusals.items():
            print(f"left out: {variant.name}, since nftlink says: {refusal}" if refusal else f"with: {variant.name}")
        done, total = campaign(host, variants, options)
    summary(done, total)
    sys.exit(1 if total.failures else 0)


if __name__ == "__main__":
    main()
