"""Where verdicts differ from Docker's on purpose, and why. Whatever no reason here explains is a failure; so is a packet
that passes although a reason forbids it."""
import collections
import dataclasses

import topology as topologies
from packets import FAR, TCP, UDP

NAMES = {TCP: "tcp", UDP: "udp"}


@dataclasses.dataclass
class Scene:
    """What the reasons look at: a packet, and what opened each connection so far, with Docker's rules and with ours."""
    topology: dict
    variant: object
    packet: object
    permissions: set  # at that stage
    docker: dict
    ours: dict  # only what the kernel tracks

    def __post_init__(self):
        self.origin, self.target = self.policed(self.packet.sender), self.policed(self.packet.receiver)

    def policed(self, port):
        """The bridge of that port of the wire, if there is a policy of it; none for the host's own end."""
        name, _, bridge = port.partition(".")
        return bridge if name != "host" and bridge in self.topology["bridges"] else None

    def routed(self, bridge):
        return self.topology["bridges"][bridge].get("routed", "deny")

    def lets_in(self, bridge):
        """Whether the packet's connection may begin there from another one."""
        return self.routed(bridge) == "allow" or self.routed(bridge) == "published" and bool(self.packet.published)

    @property
    def is_crossing(self):
        return self.origin and self.target and self.origin != self.target

    @property
    def is_denied(self):
        """Stays on a bridge where no packet passes without a link, or goes to such one. Where others' rules or Docker's base
        rules decide what is routed, nobody denies it."""
        if not self.packet.is_plain or self.is_closed or not self.origin or not self.target:
            return False
        if self.is_crossing:
            is_open = self.routed(self.target) == "allow" or self.lets_in(self.target) and not self.packet.reply
            return self.is_by_key and not self.variant.attach and not is_open
        return self.topology["bridges"][self.origin]["icc"] == "deny"

    @property
    def is_let_in(self):
        """Answers what another bridge was let begin here, or is an error about that."""
        packet, first = self.packet, self.first(self.ours)
        if not self.is_crossing or not self.is_denied or not self.lets_in(self.origin) or not first:
            return False
        return packet.destination == first.source and (not packet.about or packet.about[0] == first.source)

    @property
    def is_left_alone(self):
        """Of IPv6, with `family: ip`."""
        return not self.variant.polices(self.packet.family) and not self.is_closed

    @property
    def is_closed(self):
        """Comes in a frame that no rule about IP sees, onto a bridge where such ones don't pass."""
        if not self.packet.form or not self.origin:
            return False
        policy = self.topology["bridges"][self.origin]
        return policy["icc"] == "deny" and policy.get("other_frames", "allow" if self.variant.attach else "deny") == "deny"

    @property
    def is_tracked(self):
        """By the kernel, with ours: it may switch netfilter off for what stays on a bridge where all may talk."""
        stays = self.origin and self.origin == self.target and self.packet.via != "router"
        return self.packet.is_plain and (not stays or self.is_denied)

    @property
    def is_by_key(self):
        """The policy is ours alone: Docker's base rules let pass by state whatever conntrack knows."""
        return not self.variant.base_rules

    def is_permitted(self, parent, child, protocol, port):
        """By a link, now, between the bridges that the packet comes from and goes to."""
        ways = (self.origin, self.target), (self.target, self.origin)
        return any((start, parent, to, child, NAMES.get(protocol), port) in self.permissions for start, to in ways)

    def is_question(self, tuple_of):
        source, destination, protocol, _, dport = tuple_of
        return self.is_permitted(source, destination, protocol, dport)

    def is_answer(self, tuple_of):
        source, destination, protocol, sport, _ = tuple_of
        return self.is_permitted(destination, source, protocol, sport)

    def first(self, passed):
        """What opened the packet's connection, of those that passed."""
        return passed.get(self.packet.connection)


def permissions(topology):
    """(from, parent's address, to, child's, protocol, port) of all links."""
    return {(start, topologies.address(parent, start, family), to, topologies.address(child, to, family), *service)
            for start, parent, to, child in topologies.links(topology)
            for family in topologies.families(topology, parent, child)
            for service in topologies.ports(topology["containers"][child]["expose"])}


def ended(scene):
    """No link permits it (any more) on these bridges, and it is no error: by its connection's state alone it doesn't pass."""
    packet = scene.packet
    return scene.is_denied and scene.is_by_key and not packet.about and not scene.is_let_in \
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
    """It comes from the service, or answers, but belongs to no connection that conntrack knows."""
    packet, first = scene.packet, scene.first(scene.docker)
    return scene.is_denied and packet.protocol == TCP and packet.sequence >= FAR and first.source == packet.destination \
        and (scene.is_let_in or scene.variant.replies == "established" and scene.is_answer(packet.tuple))


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
    if not packet.about or not scene.is_denied or not scene.is_by_key or scene.is_let_in:
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


def is_discovery(scene):
    return scene.is_denied and not scene.is_crossing and scene.packet.solicits \
        and (scene.packet.hops == 255 or scene.variant.attach == "iptables")


def beside_the_way(scene):
    """A link's packet for another bridge that a neighbour on its own one takes: a key names the bridge that a packet comes
    from, and has no room for the one that it goes to. The same goes for errors about what is known."""
    packet, here, first = scene.packet, scene.origin, scene.first(scene.ours)
    if scene.is_crossing or not scene.is_denied or scene.variant.layout != "sets" or packet.about and not first:
        return False
    ends, name = (packet.source, packet.destination), NAMES.get(first.protocol if packet.about else packet.protocol)
    sport, dport = (first.dport, first.dport) if packet.about else (packet.sport, packet.dport)
    answers = packet.about or scene.variant.replies == "source-port" or first and first.source == packet.destination
    return any((here, ends[0], other, ends[1], name, dport) in scene.permissions
               or answers and (other, ends[1], here, ends[0], name, sport) in scene.permissions
               for other in scene.topology["bridges"] if other != here)


def between_bridges(scene):
    return scene.is_crossing and ended(scene)


def ended_here(scene):
    return not scene.is_crossing and ended(scene)


def never(_):
    return False


# Each with what explains that a packet doesn't pass, and what forbids it to pass. Data connections of helpers (ftp, tftp)
# don't pass either; none are sent.
REASONS = {
    "ended": (
        lambda scene: ended_here(scene) or known_from_elsewhere(scene), ended_here,
        "a connection ends with its link: a packet passes by a link of now, on its own bridge, and never only because its "
        "connection is known"),
    "child": (
        lambda scene: opened_by_child(scene) or opens_as_child(scene), opens_as_child,
        "a child never opens a connection from its service port; nor do errors about such a one pass"),
    "window": (
        outside_the_window, never,
        "the same: what comes from the child's service port and fits no window of its connection belongs to none"),
    "errors": (
        lambda scene: error_of_others(scene, scene.docker),
        lambda scene: error_of_others(scene, scene.ours),
        "ICMP errors pass only between a link's ends, about what it permits; with 'layout: rules', and on top of another "
        "chain, not at all"),
    "routed": (
        between_bridges, between_bridges,
        "nothing is routed between policed bridges without a link, but what 'routed: allow' and 'published' let begin, and "
        "its answers"),
    "frames": (
        lambda scene: scene.is_closed, lambda scene: scene.is_closed,
        "strange frames don't pass: with a tag, VID 0 and stacked ones too, PPPoE, LLC, any other type"),
}

# What passes although it should not, and is known to.
KNOWN = {
    "left alone": (never, "with 'family: ip', whatever Docker's rules for IPv6 drop"),
    "discovery": (is_discovery, "IPv6 neighbour discovery, without which no link works; by 'iptables', whatever its hops"),
    "like link": (error_of_like_link, "errors about another link's connection, of the same port"),
    "beside": (beside_the_way, "of a link across bridges, what a neighbour of the sender takes instead of the receiver"),
}


def explain(scene):
    return next((name for name, (explains, _, _) in REASONS.items() if explains(scene)), None)


def known(scene):
    return next((name for name, (passes, _) in KNOWN.items() if passes(scene)), None)


def forbidden(scene):
    return next((name for name, (_, forbids, _) in REASONS.items() if forbids(scene)), None)


def compare(topology, variant, packets, reference, verdicts):
    """Counts of what is explained or known, and what is neither, in words. Docker must be the one that lets pass."""
    counts, wrong, docker, ours = collections.Counter(), [], {}, {}
    permitted = [permissions(topologies.at(topology, stage)) for stage in range(topologies.STAGES)]
    for packet, passed, passes in zip(packets, reference, verdicts):
        scene = Scene(topology, variant, packet, permitted[packet.stage], docker, ours)
        if passed and packet.is_plain and not packet.about:
            docker.setdefault(packet.connection, packet)
        if scene.is_left_alone:
            counts["left alone"] += passes and not passed
            wrong += [] if passes else [f"{packet}: is no business of ours, and doesn't pass"]
        elif is_discovery(scene) and not passes:
            wrong.append(f"{packet}: no link works without it, and it doesn't pass with ours")
        elif passed and not passes:
            reason = explain(scene)
            counts.update([reason] if reason else [])
            wrong += [] if reason else [f"{packet}: passes with Docker's rules, and not with ours"]
        elif passes and (reason := known(scene)):
            counts.update([reason])
        elif passes and not passed:
            wrong.append(f"{packet}: is dropped with Docker's rules, and not with ours")
        elif passes and (reason := forbidden(scene)):
            wrong.append(f"{packet}: passes as with Docker's rules, and should not: {reason}")
        if passes and scene.is_tracked and packet.can_open:
            ours.setdefault(packet.connection, packet)
    return counts, wrong
