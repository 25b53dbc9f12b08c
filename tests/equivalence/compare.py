"""Where verdicts may differ from Docker's, and why. Whatever no reason here explains is a failure."""
import collections
import dataclasses

import topology as topologies
from packets import FAR, ICMP, TCP, UDP

NAMES = {TCP: "tcp", UDP: "udp"}


@dataclasses.dataclass
class Scene:
    """What the reasons look at: the packet, and what Docker's rules did with those before it."""
    topology: dict
    variant: object
    packet: object
    before: list  # the packets that passed with Docker's rules, this one included

    def __post_init__(self):
        self.links = topologies.links(self.topology)

    @property
    def bridge(self):
        """The icc-deny bridge that the packet stays on, if any."""
        sender, _, one = self.packet.sender.partition(".")
        receiver, _, other = self.packet.receiver.partition(".")
        stays = one == other and "host" not in (sender, receiver)
        return one if stays and self.topology["bridges"].get(one, {}).get("icc") == "deny" else None

    def of_connection(self):
        return [packet for packet in self.before if packet.connection == self.packet.connection and not packet.about]

    def is_of_link(self, child, parent, protocol, sport):
        return any(bridge == self.bridge and topologies.address(one, bridge) == parent
                   and topologies.address(other, bridge) == child
                   and (NAMES.get(protocol), sport) in topologies.ports(self.topology["containers"][other]["expose"])
                   for bridge, one, other in self.links)


def opened_by_child(scene):
    """The first packet of the connection that passed came from the service of a link, to its parent."""
    first = next(iter(scene.of_connection()), None)
    if scene.variant.replies != "established" or not scene.bridge or not first:
        return False
    child, parent, protocol, sport, _ = first.tuple
    answers = scene.packet.about or scene.packet.source == child
    return bool(answers) and scene.is_of_link(child, parent, protocol, sport)


def outside_the_window(scene):
    packet = scene.packet
    if scene.variant.replies != "established" or not scene.bridge or packet.protocol != TCP or packet.sequence < FAR:
        return False
    opened_by_parent = scene.of_connection()[0].source == packet.destination
    return opened_by_parent and scene.is_of_link(packet.source, packet.destination, TCP, packet.sport)


def without_state(scene):
    return scene.variant.replies == "source-port" and not scene.variant.base_rules and scene.bridge


def related(scene):
    return without_state(scene) and scene.packet.protocol == ICMP and scene.packet.about and scene.of_connection()


def later_fragment(scene):
    return scene.variant.family == "bridge" and without_state(scene) and scene.packet.fragment == "last" \
        and scene.packet.via == "bridge" and len(scene.of_connection()) == 2


def of_an_outer_connection(scene):
    def leaves(packet):
        return packet.sender.partition(".")[2] != packet.receiver.partition(".")[2]
    return without_state(scene) and not scene.packet.about and any(map(leaves, scene.of_connection()))


REASONS = {
    "established": (
        opened_by_child, "what comes from the child's service port, in a connection that the parent has not opened, "
        "and errors about one pass with Docker; that hole is closed"),
    "window": (
        outside_the_window, "what comes from the child's service port but fits no window of its connection passes with "
        "Docker by its port; it belongs to no connection that conntrack knows"),
    "source-port, related": (
        related, "source-port without base_rules goes by ports: ICMP errors about a linked connection have none"),
    "bridge, fragments": (
        later_fragment, "source-port in the bridge family leaves fragments as they are: the later ones have no ports"),
    "source-port, outer": (
        of_an_outer_connection, "source-port without base_rules goes by ports: a neighbour can't take part in a "
        "connection that leaves the bridge"),
}


def explain(scene):
    return next((name for name, (holds, _) in REASONS.items() if holds(scene)), None)


def compare(topology, variant, packets, reference, verdicts):
    """Counts of what is explained, and the places of what is not. Docker must be the one that lets pass."""
    counts, unexplained, before = collections.Counter(), [], []
    for place, packet in enumerate(packets):
        if reference[place]:
            before.append(packet)
        if reference[place] == verdicts[place]:
            continue
        reason = explain(Scene(topology, variant, packet, before)) if reference[place] else None
        if reason:
            counts[reason] += 1
        else:
            unexplained.append(place)
    return counts, unexplained
