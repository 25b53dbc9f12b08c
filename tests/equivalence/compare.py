"""Where verdicts differ from Docker's on purpose, and why. Whatever no reason here explains is a failure; so is a packet
that passes although a reason forbids it."""
import collections
import dataclasses

import topology as topologies
from packets import FAR, TCP, UDP

NAMES = {TCP: "tcp", UDP: "udp"}


@dataclasses.dataclass
class Scene:
    """What the reasons look at: a packet, and those before it that passed with Docker's rules and with ours."""
    topology: dict
    variant: object
    packet: object
    docker: list
    ours: list  # only what the kernel tracks

    def __post_init__(self):
        now = topologies.at(self.topology, self.packet.stage)
        self.containers, self.links = now["containers"], topologies.links(now)
        self.origin, self.target = self.policed(self.packet.sender), self.policed(self.packet.receiver)

    def policed(self, port):
        """The bridge of that port of the wire, if there is a policy of it; none for the host's own end."""
        name, _, bridge = port.partition(".")
        return bridge if name != "host" and bridge in self.topology["bridges"] else None

    @property
    def is_denied(self):
        """Stays on a bridge where no packet passes without a link."""
        return self.origin and self.origin == self.target and self.topology["bridges"][self.origin]["icc"] == "deny"

    @property
    def is_tracked(self):
        """By the kernel, with ours: it may switch netfilter off for what stays on a bridge where all may talk."""
        stays = self.origin and self.origin == self.target and self.packet.via != "router"
        return not stays or self.is_denied

    @property
    def is_by_key(self):
        """The policy is ours alone: Docker's base rules let pass by state whatever conntrack knows."""
        return not self.variant.base_rules

    def is_permitted(self, parent, child, protocol, port):
        """By a link, now, on the bridge that the packet comes from."""
        return any(bridge == self.origin and topologies.address(one, bridge) == parent
                   and topologies.address(other, bridge) == child
                   and (NAMES.get(protocol), port) in topologies.ports(self.containers[other]["expose"])
                   for bridge, one, other in self.links)

    def is_question(self, tuple_of):
        source, destination, protocol, _, dport = tuple_of
        return self.is_permitted(source, destination, protocol, dport)

    def is_answer(self, tuple_of):
        source, destination, protocol, sport, _ = tuple_of
        return self.is_permitted(destination, source, protocol, sport)

    def first(self, passed):
        """What opened the packet's connection, of those that passed."""
        return next((packet for packet in passed if packet.connection == self.packet.connection and not packet.about), None)


def ended(scene):
    """No link permits it (any more), on that bridge, and it is no error: by its connection's state alone it doesn't pass."""
    packet = scene.packet
    return scene.is_denied and scene.is_by_key and not packet.about \
        and not scene.is_question(packet.tuple) and not scene.is_answer(packet.tuple)


def known_from_elsewhere(scene):
    """Docker's base rules let it pass, since another bridge has a connection of the same addresses, which ours doesn't."""
    first = scene.first(scene.docker)
    return scene.is_denied and not scene.is_by_key and not scene.packet.about and not scene.is_question(scene.packet.tuple) \
        and first and scene.policed(first.sender) != scene.origin


def opened_by_child(scene):
    """The first packet of the connection that passed with Docker's rules came from the service of a link, to its parent."""
    first = scene.first(scene.docker)
    if scene.variant.replies != "established" or not scene.is_denied or not first:
        return False
    return bool(scene.packet.about or scene.packet.source == first.source) and scene.is_answer(first.tuple)


def outside_the_window(scene):
    """It comes from the service, but belongs to no connection that conntrack knows."""
    packet, first = scene.packet, scene.first(scene.docker)
    return scene.variant.replies == "established" and scene.is_denied and packet.protocol == TCP \
        and packet.sequence >= FAR and first.source == packet.destination and scene.is_answer(packet.tuple)


def opens_as_child(scene):
    """For certain: nothing of its connection has passed, or this side opened it elsewhere."""
    packet, first = scene.packet, scene.first(scene.ours)
    if scene.variant.replies != "established" or not scene.is_denied or packet.about \
            or scene.is_question(packet.tuple) or not scene.is_answer(packet.tuple):
        return False
    # Rules that iptables is to read don't ask for the direction.
    of_child = first and packet.protocol == UDP and first.source == packet.source
    return not first or bool(of_child and scene.is_by_key and scene.variant.attach != "iptables")


def error_of_others(scene, passed):
    """Not from one end of a link to the other, about what the parent opened; without sets there are no words for that."""
    packet, first = scene.packet, scene.first(passed)
    if not packet.about or not scene.is_denied or not scene.is_by_key:
        return False
    if scene.variant.attach or scene.variant.layout == "rules":
        return True
    is_between = set(packet.about[:2]) == {packet.source, packet.destination}
    return not is_between or not first or not scene.is_question(first.tuple)


def error_of_like_link(scene):
    """The rule of errors asks whether a link of that port joins the error's ends, and not whether the connection is theirs:
    there is no room for both in a key. So whoever has a link of the same port with the receiver may forge one."""
    first = scene.first(scene.ours)
    return error_of_others(scene, scene.ours) and scene.variant.layout == "sets" and not scene.variant.attach and first \
        and (scene.is_permitted(scene.packet.source, scene.packet.destination, first.protocol, first.dport)
             or scene.is_permitted(scene.packet.destination, scene.packet.source, first.protocol, first.dport))


def between_bridges(scene):
    return scene.origin and scene.target and scene.origin != scene.target and scene.is_by_key and not scene.variant.attach


def untracked(scene):
    """It needs what no rule asks for: its ports, as a fragment, or what its connection did while no link was there."""
    packet, variant = scene.packet, scene.variant
    if (variant.family, variant.layout) != ("bridge", "rules") or not scene.is_denied or packet.via == "router":
        return False
    if variant.replies == "source-port":
        return packet.fragment == "last"
    between = topologies.at(scene.topology, 1)
    asked = any(between["containers"][child]["expose"] for _, _, child in topologies.links(between))
    return packet.protocol == TCP and packet.stage == 2 and not asked


def never(_):
    return False


# Each with what explains that a packet doesn't pass, and what forbids it to pass.
REASONS = {
    "ended": (
        lambda scene: ended(scene) or known_from_elsewhere(scene), ended,
        "a connection ends with its link: a packet passes by a link of now, on its own bridge, and never only because its "
        "connection is known"),
    "child": (
        opened_by_child, opens_as_child,
        "a child never opens a connection from its service port; nor do errors about such a one pass"),
    "window": (
        outside_the_window, never,
        "the same: what comes from the child's service port and fits no window of its connection belongs to none"),
    "errors": (
        lambda scene: error_of_others(scene, scene.docker),
        lambda scene: error_of_others(scene, scene.ours) and not error_of_like_link(scene),
        "ICMP errors pass only between a link's ends, about what it permits; with 'layout: rules', and on top of another "
        "chain, not at all"),
    "routed": (
        between_bridges, between_bridges,
        "nothing is routed between policed bridges without a link"),
    "untracked": (
        untracked, never,
        "in the bridge family, by rules, the kernel tracks connections only while a link's rule asks for their state"),
}


def explain(scene):
    return next((name for name, (explains, _, _) in REASONS.items() if explains(scene)), None)


def forbidden(scene):
    return next((name for name, (_, forbids, _) in REASONS.items() if forbids(scene)), None)


def compare(topology, variant, packets, reference, verdicts):
    """Counts of what is explained, and what is not, in words. Docker must be the one that lets pass. "like link" counts what
    passes although it should not, and is known to."""
    counts, wrong, docker, ours = collections.Counter(), [], [], []
    for packet, passed, passes in zip(packets, reference, verdicts):
        docker += [packet] * passed
        scene = Scene(topology, variant, packet, docker, ours)
        if passed and not passes:
            reason = explain(scene)
            counts.update([reason] if reason else [])
            wrong += [] if reason else [f"{packet}: passes with Docker's rules, and not with ours"]
        elif passes and not passed:
            wrong.append(f"{packet}: is dropped with Docker's rules, and not with ours")
        elif passes and (reason := forbidden(scene)):
            wrong.append(f"{packet}: passes as with Docker's rules, and should not: {reason}")
        elif passes and error_of_like_link(scene):
            counts["like link"] += 1
        ours += [packet] * (passes and scene.is_tracked)
    return counts, wrong
