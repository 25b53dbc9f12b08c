"""One topology under all policies: Docker's verdicts, ours, and what differs."""
import collections
import dataclasses

import packets
import rules
from compare import compare

REFERENCES = ("iptables-legacy-restore", "iptables-nft-restore")


@dataclasses.dataclass
class Outcome:
    verdicts: int = 0  # compared
    passed: int = 0  # of Docker's
    reasons: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    failures: list = dataclasses.field(default_factory=list)

    def add(self, other):
        self.verdicts += other.verdicts
        self.passed += other.passed
        self.reasons += other.reasons
        self.failures += other.failures


@dataclasses.dataclass(frozen=True)
class Failure:
    """variant is None where the test's own ground gave way: Docker's rules loaded in two ways, or no rules at all."""
    variant: object
    about: str
    refused: bool = False  # the configuration, by nftlink


def grounds(host, topology, flows, policies):
    """Docker's verdicts for each policy of the chain, and what is wrong with them."""
    failures, references = [], {}
    flat, stages = packets.flat(flows), packets.frames(flows)
    without = host.without_rules(topology, sum(stages, []))
    if not all(without):
        failures.append(Failure(None, f"doesn't pass without rules: {flat[without.index(False)]}"))
    for policy in policies:
        legacy, references[policy] = (host.reference(restore, policy, topology, stages) for restore in REFERENCES)
        if legacy != references[policy]:
            place = next(place for place, _ in enumerate(flat) if legacy[place] != references[policy][place])
            failures.append(Failure(None, f"iptables-legacy and iptables-nft disagree: {flat[place]}"))
    return references, failures


def judge(host, variant, topology, flows, reference):
    """Our verdicts against Docker's."""
    flat = packets.flat(flows)
    try:
        verdicts = host.verdicts(variant, topology, packets.frames(flows))
    except rules.Refused as error:
        return Outcome(failures=[Failure(variant, str(error), refused=True)])
    counts, wrong = compare(topology, variant, flat, reference, verdicts)
    return Outcome(len(flat), sum(reference), counts, [Failure(variant, about) for about in wrong])


def trial(host, topology, flows, variants):
    outcome = Outcome()
    policies = sorted({variant.policy for variant in variants})
    references, outcome.failures = grounds(host, topology, flows, policies)
    for variant in variants:
        outcome.add(judge(host, variant, topology, flows, references[variant.policy]))
    return outcome


def fails(host, variant, topology, flows):
    """The quick form, for one variant that is known to fail somewhere."""
    reference = host.reference(REFERENCES[1], variant.policy, topology, packets.frames(flows))
    return judge(host, variant, topology, flows, reference).failures
