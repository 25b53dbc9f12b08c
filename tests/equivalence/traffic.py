"""Traffic for a topology: flows, each a list of packets that belong together, and share nothing with other flows."""
import dataclasses
import itertools

import topology as topologies
import wire
from packets import FAR, FORMS, ICMP, ICMPV6, PRIORITY_TAG, SCTP, TCP, UDP, Packet
from topology import STAGES

CLIENT, SERVER = 1000, 5000  # the first sequence numbers of either side


@dataclasses.dataclass(frozen=True)
class End:
    port: str
    address: str
    home: str  # the port where the host sends what it routes to that address

    @property
    def family(self):
        return 6 if ":" in self.address else 4

    def posing_as(self, other):
        return End(self.port, other.address, other.home)


def end(name, bridge, family):
    port = f"c{name[1:]}.{bridge}"
    return End(port, topologies.address(name, bridge, family), port)


def host(bridge, family):
    return End(f"host.{bridge}", wire.bridge_address(bridge, family), f"host.{bridge}")


def crosses(client, server):
    return client.port.partition(".")[2] != server.port.partition(".")[2]


OUTSIDE = {family: End("outside", address, "outside") for family, address in wire.OUTSIDE.items()}


def packet(kind, sender, receiver, protocol, sport=0, dport=0, via="bridge", **more):
    if protocol == ICMP and sender.family == 6:
        protocol = ICMPV6
    port = receiver.home if via == "router" else receiver.port
    return Packet(kind, sender.port, port, sender.address, receiver.address, protocol, sport, dport, via, **more)


def error(kind, sender, receiver, about, **more):
    return packet(kind, sender, receiver, ICMP, about=about.tuple, **more)


def conversation(client, server, sport, dport, via):
    """A TCP connection from its start, with an error from the server's side, and a segment that fits no window."""
    def forth(kind, **more):
        return packet(f"tcp {kind}", client, server, TCP, sport, dport, via=via, **more)

    def back(kind, **more):
        return packet(f"tcp {kind}", server, client, TCP, dport, sport, via=via, **more)

    request = forth("request", flags="PA", sequence=CLIENT + 1, acknowledged=SERVER + 1, data=10)
    return [forth("SYN", flags="S", sequence=CLIENT),
            back("SYN ACK", flags="SA", sequence=SERVER, acknowledged=CLIENT + 1),
            forth("ACK", flags="A", sequence=CLIENT + 1, acknowledged=SERVER + 1), request,
            back("response", flags="PA", sequence=SERVER + 1, acknowledged=CLIENT + 11, data=20),
            error("error about a tcp connection", server, client, request, via=via),
            back("far outside the window", flags="PA", sequence=SERVER + FAR, acknowledged=CLIENT + 11, data=5)]


def refusal(client, server, sport, dport, via):
    return [packet("tcp SYN", client, server, TCP, sport, dport, via=via, flags="S", sequence=CLIENT),
            packet("tcp refusal", server, client, TCP, dport, sport, via=via, flags="RA", acknowledged=CLIENT + 1)]


def midstream(client, server, sport, dport, via):
    return [packet("tcp ACK of nothing", client, server, TCP, sport, dport, via, flags="A", sequence=7, acknowledged=8),
            packet("tcp ACK back", server, client, TCP, dport, sport, via, flags="A", sequence=8, acknowledged=7)]


def answer_without_question(client, server, sport, dport, via):
    return [packet("tcp SYN ACK out of nowhere", server, client, TCP, dport, sport, via, flags="SA", sequence=SERVER,
                   acknowledged=CLIENT)]


def question(client, server, sport, dport, via):
    return [packet("udp question", client, server, UDP, sport, dport, via=via, data=12),
            packet("udp answer", server, client, UDP, dport, sport, via=via, data=30),
            packet("udp question again", client, server, UDP, sport, dport, via=via, data=13),
            error("error about a udp question", server, client, packet("", client, server, UDP, sport, dport), via=via)]


def call_back(client, server, sport, dport, via):
    """The server opens a connection from its service's port, and the client plays along."""
    return [dataclasses.replace(each, kind=f"{each.kind}, opened from the service's port")
            for each in conversation(server, client, dport, sport, via)]


def datagrams_back(client, server, sport, dport, via):
    return [dataclasses.replace(each, kind=f"{each.kind}, from the service's port")
            for each in question(server, client, dport, sport, via)]


def fragments(client, server, sport, dport, via):
    whole = packet("", client, server, UDP, sport, dport, via=via, data=1600)
    return [dataclasses.replace(whole, kind=f"udp, {half} fragment", fragment=half) for half in ("first", "last")]


def flood(client, server, sport, dport, via):
    return [packet("udp to every port", client, server, UDP, sport, dport, via="flood", data=9)]


def broadcast(client, server, sport, dport, via):
    everybody = End(server.port, {4: "255.255.255.255", 6: "ff02::1"}[client.family], server.port)
    return [packet("udp broadcast", client, everybody, UDP, sport, dport, via="flood", data=8)]


def behind_options(client, server, sport, dport, via):
    return [dataclasses.replace(each, kind=f"{each.kind}, behind options", options=client.family == 6)
            for each in question(client, server, sport, dport, via)[:3]]


def sctp(client, server, sport, dport, via):
    return [packet("sctp to the same number", client, server, SCTP, sport, dport, via=via, data=20)]


def echo(client, server, sport, dport, via):
    return [packet("echo request", client, server, ICMP, sport, sport, via, data=16),
            packet("echo reply", server, client, ICMP, sport, sport, via, data=16, reply=True)]


def in_frames(client, server, sport, dport, via, form):
    """In frames of that form, with the same in plain ones in between, unless the host would take all for one connection."""
    asked = question(client, server, sport, dport, via)[:2]
    strange = [dataclasses.replace(each, form=form, data=each.data + 1) for each in asked]
    return strange if strange[0].is_plain else [strange[0], *asked, strange[1]]


def discovery(client, server, sport, dport, via):
    """As neighbours do it, and as it comes from further away. With IPv4 it is no IP packet."""
    return [packet(f"neighbour solicitation, {hops} hops", client, server, ICMP, via="bridge", hops=hops, solicits=True)
            for hops in (255, 254) if client.family == 6]


def errors_of_strangers(client, server, sport, dport, via, stranger):
    opening = packet("tcp SYN", client, server, TCP, sport, dport, via=via, flags="S", sequence=CLIENT)
    return [error("error about nothing known", stranger, client, opening, via=via), opening,
            error("error about a SYN, from a third side", stranger, client, opening, via=via),
            error("error about a SYN, to the wrong side", stranger, server, opening, via=via)]


def later(stage, flow):
    return [dataclasses.replace(each, stage=stage) for each in flow]


def enduring_connection(client, server, sport, dport, via, first):
    """A TCP connection that is used in every stage from the first on; each side complains, too."""
    flow = later(first, conversation(client, server, sport, dport, via)[:5])
    for number, stage in enumerate(range(first, STAGES)):
        sent = {"sequence": CLIENT + 11 + 10 * number, "acknowledged": SERVER + 21 + 20 * number}
        answer = {"sequence": SERVER + 21 + 20 * number, "acknowledged": CLIENT + 21 + 10 * number}
        request = packet("tcp request, later", client, server, TCP, sport, dport, via, flags="PA", data=10, **sent)
        response = packet("tcp response, later", server, client, TCP, dport, sport, via, flags="PA", data=20, **answer)
        flow += later(stage, [request, error("error about a tcp request", server, client, request, via=via),
                              response, error("error about a tcp response", client, server, response, via=via)])
    return flow


def enduring_questions(client, server, sport, dport, via, first):
    asked = [packet("udp question", client, server, UDP, sport, dport, via=via, data=12),
             packet("udp answer", server, client, UDP, dport, sport, via=via, data=30)]
    asked += [error("error about a udp question", server, client, asked[0], via=via),
              error("error about a udp answer", client, server, asked[1], via=via)]
    return [each for stage in range(first, STAGES) for each in later(stage, asked)]


def on_two_bridges(ends, sport, dport):
    """The same addresses and ports on both: conntrack sees one connection."""
    return [each for stage in range(STAGES) for client, server in ends
            for each in later(stage, question(client, server, sport, dport, "bridge")[:2])]


OF_TCP = (conversation, conversation, refusal, midstream, answer_without_question, call_back, sctp)
OF_UDP = (question, question, datagrams_back, fragments, behind_options, flood)
OF_NONE = (echo, broadcast, discovery)
WITHIN = (flood, broadcast, discovery)  # what doesn't leave its bridge


class Traffic:
    def __init__(self, random, topology):
        self.random, self.topology = random, topology
        self.fresh = itertools.count(20_000)  # above all services: no flow meets the connection of another one
        self.flows = []
        self.pairs = [self.ends(one, bridge, other, bridge) for bridge in wire.BRIDGES
                      for one, other in itertools.permutations(topologies.residents(topology, bridge), 2)
                      if topologies.families(topology, one, other)]

    def ends(self, one, start, other, to):
        """Both of IPv4, or of IPv6."""
        family = self.random.choice(topologies.families(self.topology, one, other))
        return end(one, start, family), end(other, to, family)

    def add(self, shape, client, server, service, **more):
        protocol, port = service
        via = "router" if crosses(client, server) else self.random.choice(("bridge", "bridge", "router"))
        flow = shape(client, server, next(self.fresh), port, via, **more)
        self.flows += [flow] if flow else []

    def shapes(self, protocol, client, server):
        made = {"tcp": OF_TCP, "udp": OF_UDP, "": OF_NONE}[protocol]
        return [shape for shape in made if shape not in WITHIN] if crosses(client, server) else made

    def linked(self, bridge, parent, to, child):
        """What a link permits, and what lies close to it."""
        client, server = self.ends(parent, bridge, child, to)
        services = topologies.ports(self.topology["containers"][child]["expose"])
        for service in self.random.sample(services, min(2, len(services))):
            shapes = self.shapes(service[0], client, server)
            for shape in self.random.sample(shapes, 3):
                self.add(shape, client, server, service)
            self.add(self.random.choice(shapes), server, client, service)
            self.near_miss(client, server, service)
            place = self.random.choice((bridge, to))
            stranger = end(self.random.choice(topologies.residents(self.topology, place)), place, client.family)
            if stranger not in (client, server):
                self.add(self.random.choice(shapes), stranger.posing_as(client), server, service)
                self.add(errors_of_strangers, client, server, service, stranger=stranger)
                self.add(self.random.choice(self.shapes(service[0], client, stranger)), client, stranger, service)
        self.add(self.random.choice(self.shapes("", client, server)), client, server, ("", 0))

    def near_miss(self, client, server, service):
        protocol, port = service
        other = "udp" if protocol == "tcp" else "tcp"
        near = self.random.choice(((protocol, port + 1), (protocol, port - 1), (other, port)))
        self.add(self.random.choice(self.shapes(near[0], client, server)), client, server, near)

    def unlinked(self, client, server):
        containers = self.topology["containers"]
        offered = topologies.ports(containers.get(server.port.partition(".")[0], {"expose": []})["expose"])
        anything = self.random.choice(("tcp", "udp")), self.random.choice(topologies.PORTS)
        service = self.random.choice(offered or [anything])
        self.add(self.random.choice(self.shapes(service[0], client, server) + OF_NONE), client, server, service)

    def strange(self, client, server, service):
        """A packet to that service, or that number, of UDP, in every form that a frame may have."""
        ways = [(form, "bridge") for form in self.random.sample(list(FORMS), 4)] + [(PRIORITY_TAG, "router")]
        for form, via in ways:
            self.flows.append(in_frames(client, server, next(self.fresh), service[1], via, form))

    def elsewhere(self, bridge, parent, to, child):
        """The addresses of a link, both on one bridge that it doesn't hold on."""
        others = [other for other in wire.BRIDGES
                  if not bridge == other == to and len(topologies.residents(self.topology, other)) > 1]
        services = topologies.ports(self.topology["containers"][child]["expose"])
        if others and services:
            other = self.random.choice(others)
            one, two = self.random.sample(topologies.residents(self.topology, other), 2)
            poses = self.ends(parent, bridge, child, to)
            client, server = (end(name, other, 4).posing_as(pose) for name, pose in zip((one, two), poses))
            protocol, port = self.random.choice(services)
            shape = self.random.choice(self.shapes(protocol, client, server))
            self.flows.append(shape(client, server, next(self.fresh), port, "bridge"))

    def through_changes(self, bridge, parent, to, child):
        """What goes on while links end and come back."""
        client, server = self.ends(parent, bridge, child, to)
        for protocol, port in topologies.ports(self.topology["containers"][child]["expose"])[:2]:
            shape = enduring_connection if protocol == "tcp" else enduring_questions
            self.add(shape, client, server, (protocol, port), first=self.random.choice((0, 0, 1)))

    def of_twins(self):
        """By questions, whatever the protocol of the service: a link's addresses on its own bridge, and on another one."""
        twins = list(self.topology["twins"].items())
        if not twins:
            return
        (one, record), (other, _) = twins
        home, on = wire.BRIDGES[topologies.TWINS.index(one[0])], record["bridges"][0]
        for protocol, port in topologies.ports(twins[1][1]["expose"]):
            if protocol == "udp":
                first = self.ends(f"c{one[1:]}", home, f"c{other[1:]}", home)
                pairs = [first, tuple(end(name, on, first[0].family) for name in (one, other))]
                for ends in (pairs, pairs[::-1]):
                    sport, dport = next(self.fresh), port
                    self.flows.append(on_two_bridges(ends, sport, dport))
                # The child asks from its service's port on the other bridge, where it may be linked to its parent's twin.
                # conntrack knows that connection when both meet on theirs.
                child_first = question(pairs[1][1], pairs[1][0], port, topologies.CALLED, "bridge")[:3]
                self.flows.append(child_first + [dataclasses.replace(each, kind=f"{each.kind}, by the child", data=15)
                                                 for each in question(*pairs[0][::-1], port, topologies.CALLED, "bridge")[:1]])

    def abroad(self, inside, other):
        """Through the host: outwards, inwards, and between bridges."""
        outside = OUTSIDE[inside.family]
        paths = [(inside, outside), (outside, inside)] + [(inside, other)] * (inside != other)
        for client, server in paths:
            for service in (("tcp", 80), ("udp", 53)):
                self.add(self.random.choice(self.shapes(service[0], client, server)), client, server, service)
            self.add(echo, client, server, ("", 0))

    def intruders(self, inside, neighbour):
        """A neighbour that takes part in a connection with the outside."""
        outside = OUTSIDE[inside.family]
        for client, server in ((inside, outside), (outside, inside)):
            flow = conversation(client, server, next(self.fresh), 80, "router")
            genuine = next(each for each in flow if each.sender == "outside" and each.flags == "PA")
            intruder = dataclasses.replace(genuine, kind="tcp data from outside, by a neighbour", sender=neighbour.port,
                                           via="bridge")
            self.flows.append([*flow[:4], intruder])

    def of_published(self):
        """From other bridges and from outside, to the host's own address."""
        published = self.topology["published"]
        name, bridge, service = published["container"], published["bridge"], (published["protocol"], published["port"])
        for family in topologies.families(self.topology, name):
            clients = [end(other, place, family) for place in wire.BRIDGES if place != bridge
                       for other in topologies.residents(self.topology, place)
                       if other != name and family in topologies.families(self.topology, other)]
            for client in [*self.random.sample(clients, min(3, len(clients))), OUTSIDE[family]]:
                shape = self.random.choice({"tcp": (conversation, refusal), "udp": (question,)}[service[0]])
                flow = shape(client, end(name, bridge, family), next(self.fresh), service[1], "router")
                door = wire.bridge_address(bridge, family), published["number"]
                self.flows.append([dataclasses.replace(each, kind=f"{each.kind}, published", published=door,
                                                       reply=each.source != client.address)
                                   for each in flow if not each.about])

    def with_host(self, inside, bridge):
        """Not forwarded at all, though the host's address may be that of another bridge."""
        near, other = host(bridge, inside.family), host(self.random.choice(wire.BRIDGES), inside.family)
        for client, server in ((inside, near), (near, inside), (inside, near.posing_as(other))):
            self.flows.append(question(client, server, next(self.fresh), 53, "bridge")[:2])


def generate(random, topology):
    made = Traffic(random, topology)
    links = topologies.links(topology)
    for link in random.sample(links, min(5, len(links))):
        made.linked(*link)
        made.elsewhere(*link)
    for link in random.sample(links, min(6, len(links))):
        made.through_changes(*link)
    within = [link for link in links if link[0] == link[2]]
    for bridge, parent, _, child in random.sample(within, min(2, len(within))):
        services = topologies.ports(topology["containers"][child]["expose"])
        ends = made.ends(parent, bridge, child, bridge)
        made.strange(*random.choice((ends, ends[::-1])), random.choice(services or [("udp", 53)]))
    made.of_twins()
    made.of_published()
    for pair in random.sample(made.pairs, min(12, len(made.pairs))):
        made.unlinked(*pair)
    if made.pairs:
        made.strange(*random.choice(made.pairs), ("udp", random.choice(topologies.PORTS)))
    for inside, neighbour in random.sample(made.pairs, min(2, len(made.pairs))):
        other, _ = random.choice([pair for pair in made.pairs if pair[0].family == inside.family])
        made.abroad(inside, other)
        made.intruders(inside, neighbour)
        made.with_host(inside, inside.port.partition(".")[2])
    return made.flows
